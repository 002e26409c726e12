package tokens_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// pauses are how long the store takes: around the beat and the silence of the
// feed, where mistakes would be.
var pauses = []time.Duration{0, 0, 0, ms, 10 * ms, 100 * ms, 249 * ms, 250 * ms, 251 * ms, 400 * ms, 499 * ms, 500 * ms, 501 * ms, 900 * ms, 1500 * ms}

// foreign is a database in which another process revokes the token at one moment.
// It answers each question with what was true at some moment of the question, late
// and sometimes not at all.
type foreign struct {
	mu        sync.Mutex
	random    *rand.Rand
	faulty    bool
	revokedAt time.Time // zero until it happens
	worst     time.Duration
	good      int
}

// look waits, reads, waits and may fail.
func (f *foreign) look(ctx context.Context) (revoked bool, err error) {
	before, after, fails := f.draw()
	if err := pause(ctx, before); err != nil {
		return false, err
	}
	f.mu.Lock()
	revoked = !f.revokedAt.IsZero()
	f.mu.Unlock()
	if err := pause(ctx, after); err != nil {
		return false, err
	}
	if fails {
		return false, models.ErrUnavailable
	}
	return revoked, nil
}

func (f *foreign) draw() (before, after time.Duration, fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.IntN(3) > 0 {
		return 0, 0, false
	}
	one := func() time.Duration { return pauses[f.random.IntN(len(pauses))] }
	return one(), one(), f.faulty && f.random.IntN(4) == 0
}

func (f *foreign) version(ctx context.Context) (int64, error) {
	revoked, err := f.look(ctx)
	if revoked {
		return 2, err
	}
	return 1, err
}

func (f *foreign) find(ctx context.Context, _ []byte) (models.Bearer, error) {
	revoked, err := f.look(ctx)
	b := bearerOf(theValue)
	if revoked {
		b.RevokedAt = noon
	}
	return b, err
}

// use looks at the token until stop, and notes how long after the deed a look
// began that still found it good.
func (f *foreign) use(ctx context.Context, v *tokens.Verifier, stop time.Time, every time.Duration) {
	for time.Now().Before(stop) {
		began := time.Now()
		_, err := v.Inspect(ctx, theValue, "")
		f.mu.Lock()
		if err == nil {
			f.good++
		}
		if err == nil && !f.revokedAt.IsZero() {
			f.worst = max(f.worst, began.Sub(f.revokedAt))
		}
		f.mu.Unlock()
		time.Sleep(every)
	}
}

// Promise 2, T6: whenever another process revokes a token, and however slowly the
// database answers, no look that begins a second later finds it good.
func TestForeignChangeIsSeenWithinASecond(t *testing.T) {
	var worst time.Duration
	good := 0
	for seed := range uint64(150) {
		onOneProcessor(t, func(t *testing.T) {
			f := &foreign{random: rand.New(rand.NewPCG(seed, 1)), faulty: seed%2 == 0}
			at := 500*ms + time.Duration(f.random.IntN(1000))*ms + time.Duration(f.random.IntN(2))*time.Nanosecond
			f.run(t, at)
			if f.worst >= time.Second {
				t.Errorf("seed %d: revoked after %s, good %s later", seed, at, f.worst)
			}
			worst, good = max(worst, f.worst), good+f.good
		})
	}
	if good == 0 || worst == 0 {
		t.Errorf("%d looks found a good token, the last %s after the deed: nothing was tried", good, worst)
	}
	t.Logf("good in %d looks, at the latest %s after it was revoked elsewhere", good, worst)
}

func (f *foreign) run(t *testing.T, at time.Duration) {
	store := &fakeStore{version: f.version, find: f.find}
	cache := tokens.NewCache()
	feed := tokens.NewFeed(t.Context(), store, cache, quiet())
	defer feed.Close()
	v := tokens.NewVerifier(store, cache, nil, fixed(noon))
	var users sync.WaitGroup
	for _, every := range []time.Duration{3 * ms, 7 * ms, 50 * ms} {
		users.Go(func() { f.use(t.Context(), v, time.Now().Add(at+3*time.Second), every) })
	}
	time.Sleep(at)
	f.mu.Lock()
	f.revokedAt = time.Now()
	f.mu.Unlock()
	users.Wait()
}
