// Package tally counts what happens, at the price of an atomic addition, for whoever reads
// it later.
package tally

import "sync/atomic"

// Histogram counts values by size. It is safe for concurrent use.
type Histogram struct {
	bounds []int64
	// counts has one more than bounds, for what is larger than all of them.
	counts []atomic.Uint64
	sum    atomic.Int64
}

// NewHistogram counts up to and including each of bounds, which ascend.
func NewHistogram(bounds ...int64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a value.
func (h *Histogram) Observe(value int64) {
	i := 0
	for i < len(h.bounds) && value > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(value)
}

// Distribution is what a Histogram has counted.
type Distribution struct {
	Bounds []int64
	// UpTo counts, for each bound, the values up to it, the smaller ones included.
	UpTo  []uint64
	Count uint64
	Sum   int64
}

// Read says what was counted so far.
func (h *Histogram) Read() Distribution {
	d := Distribution{Bounds: h.bounds, UpTo: make([]uint64, len(h.bounds)), Sum: h.sum.Load()}
	for i := range h.counts {
		d.Count += h.counts[i].Load()
		if i < len(d.UpTo) {
			d.UpTo[i] = d.Count
		}
	}
	return d
}

// Other is what Names counts names under that it does not know.
const Other = "other"

// Names counts under names that are known beforehand. It is safe for concurrent use.
type Names struct{ counts map[string]*atomic.Int64 }

// NewNames counts under names and under Other.
func NewNames[N ~string](names ...N) *Names {
	n := &Names{counts: map[string]*atomic.Int64{Other: {}}}
	for _, name := range names {
		n.counts[string(name)] = &atomic.Int64{}
	}
	return n
}

// Add counts once.
func (n *Names) Add(name string) {
	count := n.counts[name]
	if count == nil {
		count = n.counts[Other]
	}
	count.Add(1)
}

// Read says what was counted so far, under every name.
func (n *Names) Read() map[string]int64 {
	read := make(map[string]int64, len(n.counts))
	for name, count := range n.counts {
		read[name] = count.Load()
	}
	return read
}
