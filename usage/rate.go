package usage

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// window is the time that a rate limit is counted in.
const window = time.Minute

// bucket holds a minute's calls when it is full, and fills in a minute. It is this node's:
// of several, each lets as many pass.
type bucket struct {
	limiter *rate.Limiter
	limit   int64
}

// set changes the limit, zero for none. What is in the bucket stays.
func (b *bucket) set(limit int64, at time.Time) {
	if limit == b.limit {
		return
	}
	b.limit = limit
	perSecond, burst := rate.Limit(float64(limit)/window.Seconds()), int(min(limit, math.MaxInt32))
	switch {
	case limit <= 0:
		b.limiter, b.limit = nil, 0
	case b.limiter == nil:
		b.limiter = rate.NewLimiter(perSecond, burst)
	default:
		b.limiter.SetLimitAt(at, perSecond)
		b.limiter.SetBurstAt(at, burst)
	}
}

// take lets a call pass or says when the next one will, and what is left.
func (b *bucket) take(at time.Time) (left Rate, wait time.Duration) {
	if b.limiter == nil {
		return Rate{}, 0
	}
	ok := b.limiter.AllowN(at, 1)
	tokens, perSecond := b.limiter.TokensAt(at), float64(b.limiter.Limit())
	left = Rate{Limit: b.limit, Remaining: int64(max(tokens, 0)), Window: window, Reset: seconds((float64(b.limit) - tokens) / perSecond)}
	if !ok {
		// Never zero, which would say that it has passed.
		wait = max(seconds((1-tokens)/perSecond), time.Millisecond)
	}
	return left, wait
}

func seconds(s float64) time.Duration { return max(0, time.Duration(s*float64(time.Second))) }

// rate has a call take its place, once however often the call is tried. It needs a.mu.
func (m *Meter) rate(a *account, p *Permit, at time.Duration) error {
	if p.rated {
		return nil
	}
	left, wait := a.bucket.take(m.start.Add(at))
	p.Rate, p.rated = left, true
	if wait > 0 {
		return a.refuseRate(p, wait)
	}
	return nil
}
