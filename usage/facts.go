package usage

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// freshFor is how old a fact may be before it is read again beside the calls, trustFor
	// how old before calls wait for that. A stream asks four times a second, so that a
	// change elsewhere reaches it within the second too.
	freshFor = 500 * time.Millisecond
	trustFor = 700 * time.Millisecond
	// retryAfter is how long a store that failed is left alone.
	retryAfter = 250 * time.Millisecond
	// batchPause is how long a read waits for a batch that is away, again and again.
	batchPause = 5 * time.Millisecond
)

// fact is when something was read from the store.
type fact struct {
	// ok tells that it was read, at by the stopwatch; failed is when that failed last, if
	// err is set.
	ok     bool
	at     time.Duration
	failed time.Duration
	err    error
	// flight reads it now, if not nil.
	flight *flight
}

// flight is one call of the store, for however many wait for it.
type flight struct{ done chan struct{} }

// over is a flight that has ended.
var over = func() *flight { f := &flight{make(chan struct{})}; close(f.done); return f }()

// fly has run read f again on a goroutine of its own, which locks a itself, unless another
// one does. It needs a.mu.
func (m *Meter) fly(a *account, f *fact, run func(ctx context.Context) error) *flight {
	if f.flight != nil {
		return f.flight
	}
	if m.closed.Load() {
		return over
	}
	mine := &flight{done: make(chan struct{})}
	f.flight = mine
	m.flights.Go(func() {
		err := run(m.ctx)
		a.mu.Lock()
		f.flight, f.err, f.failed = nil, err, m.elapsed()
		a.mu.Unlock()
		close(mine.done)
	})
	return mine
}

// resting tells whether the store has failed a moment ago.
func (f *fact) resting(at time.Duration) bool { return f.err != nil && at-f.failed < retryAfter }

// due tells whether f is to be read, and whether it may be used meanwhile. spare tells that
// an old one will do while the store is away. What is neither has failed with f.err.
func (f *fact) due(at time.Duration, spare bool) (read, usable bool) {
	age := at - f.at
	usable = f.ok && (age < trustFor || spare && f.err != nil)
	return !f.resting(at) && (!f.ok || age >= freshFor), usable
}

// know returns what to wait for where too little is known of how a team stands. A period
// that has ended since that was read has to be rolled first. It needs a.mu.
func (m *Meter) know(a *account, at time.Duration, now models.Time, spare bool) (*flight, error) {
	ended := a.standing.HasPlan && now >= a.standing.PeriodEndsAt && a.readAt < a.standing.PeriodEndsAt
	if ended && !a.standing.Ended(now) {
		a.known.ok = false
	}
	read, usable := a.known.due(at, spare)
	if read {
		m.fly(a, &a.known, func(ctx context.Context) error { return m.readStanding(ctx, a) })
	}
	if usable {
		return nil, nil
	}
	return a.known.wait(read)
}

// wait returns the flight that reads f, or why none does.
func (f *fact) wait(read bool) (*flight, error) {
	if !read {
		return nil, f.err
	}
	if f.flight == nil {
		return over, nil // the meter is closed
	}
	return f.flight, nil
}

func (m *Meter) readStanding(ctx context.Context, a *account) error {
	var st models.Standing
	var readAt models.Time
	return m.read(ctx, a, &a.known, func(ctx context.Context) (err error) {
		readAt = m.now()
		st, err = m.store.Standing(ctx, a.team)
		return err
	}, func() {
		if st.Balance > a.standing.Balance {
			a.lease.dryUntil = 0
		}
		a.standing, a.readAt = st, readAt
		a.bucket.set(st.Plan.RateLimit, m.start.Add(m.elapsed()))
		if !a.drained() {
			a.emptied = false
		}
	})
}

// read asks the store, and again where something was forgotten or stored meanwhile, and
// has keep note the answer. While nobody waits for it, it lets a batch that is away come
// back first: the answer may hold it or not.
func (m *Meter) read(ctx context.Context, a *account, f *fact, ask func(ctx context.Context) error, keep func()) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		moves, notices := a.moves, a.notices
		a.mu.Unlock()
		at := m.elapsed()
		err := ask(ctx)
		a.mu.Lock()
		if err != nil {
			return err
		}
		same, away := a.moves == moves && a.notices == notices, moves%2 == 1
		if same && (!away || !f.ok || at-f.at >= trustFor) {
			a.doubtful = a.doubtful || away
			f.ok, f.at = true, at
			keep()
			return nil
		}
		if same {
			a.mu.Unlock()
			err = pause(ctx, batchPause)
			a.mu.Lock()
			if err != nil {
				return err
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}
