package tally_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/tally"
)

func TestHistogram(t *testing.T) {
	h := tally.NewHistogram(1, 10, 100)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, v := range []int64{0, 1, 2, 10, 11, 100, 101, 5000} {
				h.Observe(v)
			}
		})
	}
	all.Wait()
	d := h.Read()
	if d.Count != 32 || d.Sum != 4*5225 || !slices.Equal(d.UpTo, []uint64{8, 16, 24}) || !slices.Equal(d.Bounds, []int64{1, 10, 100}) {
		t.Errorf("%+v", d)
	}
}

// A name that nobody knows beforehand makes no new one.
func TestNames(t *testing.T) {
	type fruit string
	n := tally.NewNames[fruit]("apple", "pear")
	for _, name := range []string{"apple", "pear", "pear", "plum", ""} {
		n.Add(name)
	}
	if got := n.Read(); !maps.Equal(got, map[string]int64{"apple": 1, "pear": 2, tally.Other: 2}) {
		t.Errorf("%v", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := tally.NewHistogram(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(5)
	}
}
