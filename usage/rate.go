package usage

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// window is the time that a rate limit is counted in.
const window = time.Minute

// bucket holds a minute's calls when it is full, and fills in a minute. Calls at other
// nodes are taken from it too, once this one hears of them.
type bucket struct {
	limiter *rate.Limiter
	limit   int64
	// taken is how many calls other nodes have not heard of.
	taken int64
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

// takeForeign takes calls that have passed elsewhere. Of several nodes each may let a
// bucket pass before it hears of the others, so less than nothing is left then, but no less
// than what a minute brings.
func (b *bucket) takeForeign(at time.Time, calls int64) {
	if b.limiter == nil {
		return
	}
	room := max(0, int64(b.limiter.TokensAt(at))+b.limit)
	for calls = min(calls, room); calls > 0; {
		n := min(calls, int64(b.limiter.Burst()))
		if n <= 0 || !b.limiter.ReserveN(at, int(n)).OK() {
			return
		}
		calls -= n
	}
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
	m.shared.passed(a)
	return nil
}
