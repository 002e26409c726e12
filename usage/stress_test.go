package usage_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// Real threads on two nodes, a store that fails now and then, with and without effect,
// notices at any time, answers that cost more or less than was kept for them: what was
// charged is what calls cost, and no call passes without points.
func TestMeterUnderStress(t *testing.T) {
	f := newFake(models.Plan{Name: "Starter", Points: 1}, 30_000)
	f.limit = 1 << 40
	nodes := []*usage.Meter{f.meter(t), f.meter(t)}
	var spent, beyond, requests atomic.Int64
	stop := make(chan struct{})
	var faults, all sync.WaitGroup
	faults.Go(func() { trouble(f, nodes, stop) })
	for worker := range 16 {
		all.Go(func() {
			m := nodes[worker%2]
			for range 1000 {
				c := costing(rand.Int64N(4))
				permit, err := m.Admit(t.Context(), c)
				if err != nil {
					expected(t, err)
					time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
					continue
				}
				cost := rand.Int64N(6)
				spent.Add(cost)
				beyond.Add(max(0, cost-c.Cost))
				requests.Add(1)
				permit.Done(200, cost)
				if err := m.Recheck(t.Context(), c); err != nil {
					expected(t, err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	faults.Wait()
	f.set(func() { f.away, f.saveErrs = nil, nil })
	for _, m := range nodes {
		closing(t, m)
	}
	if got, points := f.requests(); got != requests.Load() || points != spent.Load() || f.charged != points || f.standing.Balance != 30_000-points {
		t.Errorf("%d of %d requests, %d of %d points stored, %d charged, balance %d", got, requests.Load(), points, spent.Load(), f.charged, f.standing.Balance)
	}
	if f.standing.Balance < -beyond.Load() {
		t.Errorf("balance %d, and answers cost %d more than was kept", f.standing.Balance, beyond.Load())
	}
	t.Logf("%d calls for %d points, balance %d", requests.Load(), spent.Load(), f.standing.Balance)
}

func expected(t *testing.T, err error) {
	t.Helper()
	var refused usage.RefusedError
	if !errors.As(err, &refused) && !errors.Is(err, models.ErrUnavailable) {
		t.Error(err)
	}
}

// trouble troubles the store until stop is closed.
func trouble(f *fakeStore, nodes []*usage.Meter, stop chan struct{}) {
	for i := 0; ; i++ {
		f.set(func() {
			f.arrives = rand.IntN(2) == 0
			f.saveErrs = []error{models.ErrUnavailable, models.ErrBusy}[:rand.IntN(3)]
			if f.away = nil; rand.IntN(8) == 0 {
				f.away = models.ErrUnavailable
			}
		})
		nodes[i%2].Forget(models.Notice{TeamID: "team"})
		nodes[i%2].Forget(models.Notice{ApplicationID: "app"})
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rand.IntN(30)) * time.Millisecond):
		}
	}
}
