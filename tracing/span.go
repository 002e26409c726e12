package tracing

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
)

// Kinds of spans, by their numbers in opentelemetry/proto/trace/v1/trace.proto.
const (
	kindInternal = 1
	kindServer   = 2
)

// span is for one goroutine until it ends.
type span struct {
	place
	parent     [8]byte
	name       string
	kind       uint64
	start, end int64 // nanoseconds since 1970
	attributes []attribute
	// link is of a trace that is not continued.
	link   place
	failed bool
	traces *Traces
}

// attribute has a text, or else a number.
type attribute struct {
	key, text string
	number    int64
}

type spanKey struct{}

// spanOf returns the span that ctx is in, nil for none.
func spanOf(ctx context.Context) *span {
	s, _ := ctx.Value(spanKey{}).(*span)
	return s
}

// begin starts a span: below the one that ctx is in, else below the remote one at from where
// there is one, else a trace of its own.
func (t *Traces) begin(ctx context.Context, kind uint64, name string, from place) (context.Context, *span) {
	s := &span{name: name, kind: kind, start: t.settings.Now().UnixNano(), traces: t}
	if above := spanOf(ctx); above != nil {
		from = above.place
	}
	var ids [24]byte
	_, _ = rand.Read(ids[:]) // it never fails
	copy(s.id[:], ids[16:])
	if from.valid() {
		s.trace, s.state, s.parent = from.trace, from.state, from.id
	} else {
		copy(s.trace[:], ids[:16])
	}
	s.sampled = t.settings.Sampler.takes(from, s.trace)
	return context.WithValue(ctx, spanKey{}, s), s
}

func (s *span) set(attributes ...attribute) {
	if s != nil && s.sampled {
		s.attributes = append(s.attributes, attributes...)
	}
}

// finish hands the span over. Where there is no room it is lost: nobody waits for a collector.
func (s *span) finish() {
	if !s.sampled {
		return
	}
	s.end = s.traces.settings.Now().UnixNano()
	select {
	case s.traces.ended <- s:
	default:
	}
}

// Sampler says which traces are recorded.
type Sampler struct {
	// ByParent has a trace that began elsewhere recorded as it was there.
	ByParent bool
	// Ratio is the share of the others, 0 to 1.
	Ratio float64
}

// takes decides by the trace alone, so that all nodes decide alike.
func (s Sampler) takes(from place, trace [16]byte) bool {
	if s.ByParent && from.valid() {
		return from.sampled
	}
	return float64(binary.BigEndian.Uint64(trace[8:])>>1) < s.Ratio*math.MaxInt64 || s.Ratio >= 1
}
