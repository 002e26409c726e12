package tracing

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// The cases of W3C Trace Context, section 3.2.
func TestPlaceFrom(t *testing.T) {
	for header, ok := range map[string]bool{
		good: true, strings.Replace(good, "-01", "-00", 1): true, strings.Replace(good, "00-", "cc-", 1): true, strings.Replace(good, "00-", "cc-", 1) + "-more": true,
		"": false, good + "-more": false, strings.Replace(good, "00-", "cc-", 1) + "more": false, strings.Replace(good, "00-", "ff-", 1): false, strings.ToUpper(good): false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false, "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		strings.Replace(good, "0af7", "0xf7", 1): false, strings.Replace(good, "00-", "0g-", 1): false, good[:54]: false, strings.Replace(good, "-b7", "_b7", 1): false,
	} {
		p := placeFrom(http.Header{parentHeader: {header}, stateHeader: {"a=1", "b=2"}})
		if p.valid() != ok || ok && p.state != "a=1,b=2" || ok && p.sampled != strings.Contains(header, "3331-01") {
			t.Errorf("%q: %+v", header, p)
		}
	}
	if placeFrom(http.Header{parentHeader: {good, good}}).valid() {
		t.Error("two of them are taken for one")
	}
	for _, state := range []string{strings.Repeat("a", maxState+1), "a=\n", "a=ü"} {
		if p := placeFrom(http.Header{parentHeader: {good}, stateHeader: {state}}); !p.valid() || p.state != "" {
			t.Errorf("%q: %+v", state, p)
		}
	}
}

// What is read is written the same way.
func FuzzPlaceFrom(f *testing.F) {
	f.Add(good, "vendor=1")
	f.Add("cc"+good[2:]+"-x", "")
	f.Fuzz(func(t *testing.T, parent, state string) {
		p := placeFrom(http.Header{parentHeader: {parent}, stateHeader: {state}})
		if !p.valid() {
			return
		}
		written, _ := (&Traces{}).Headers(context.WithValue(t.Context(), spanKey{}, &span{place: p}))
		if written[3:52] != parent[3:52] || strings.ContainsAny(p.state, "\r\n") {
			t.Errorf("%q became %q, %q", parent, written, p.state)
		}
	})
}

// All nodes decide alike, a parent decides where it may, and shares are what they say.
func TestSampler(t *testing.T) {
	sampled, not := place{trace: [16]byte{1}, id: [8]byte{1}, sampled: true}, place{trace: [16]byte{1}, id: [8]byte{1}}
	for name, test := range map[string]struct {
		sampler   Sampler
		from      place
		least, up float64
	}{
		"all":                      {Sampler{Ratio: 1}, place{}, 1, 1},
		"none":                     {Sampler{}, place{}, 0, 0},
		"one in ten":               {Sampler{Ratio: 0.1}, place{}, 0.07, 0.13},
		"the parent says yes":      {Sampler{ByParent: true}, sampled, 1, 1},
		"the parent says no":       {Sampler{ByParent: true, Ratio: 1}, not, 0, 0},
		"nobody asks the parent":   {Sampler{Ratio: 1}, not, 1, 1},
		"a parent that was none":   {Sampler{ByParent: true, Ratio: 1}, place{sampled: false}, 1, 1},
		"the share has the parent": {Sampler{ByParent: true, Ratio: 0.0}, place{}, 0, 0},
	} {
		traces := &Traces{settings: Settings{Sampler: test.sampler, Now: time.Now}, ended: make(chan *span, 10_000)}
		for range 5000 {
			_, s := traces.begin(t.Context(), kindServer, "x", test.from)
			if s.sampled != test.sampler.takes(test.from, s.trace) {
				t.Fatalf("%s: decided twice", name)
			}
			s.finish()
		}
		if share := float64(len(traces.ended)) / 5000; math.Abs(share-test.least) > 1e-9 && (share < test.least || share > test.up) {
			t.Errorf("%s: %v", name, share)
		}
	}
}

// A collector that hangs costs spans, never a request.
func TestFullRoom(t *testing.T) {
	traces := &Traces{settings: Settings{Sampler: Sampler{Ratio: 1}, Now: time.Now}, ended: make(chan *span, 2)}
	for range 5 {
		_, s := traces.begin(t.Context(), kindServer, "x", place{})
		s.finish()
	}
	if len(traces.ended) != 2 {
		t.Errorf("%d wait", len(traces.ended))
	}
}
