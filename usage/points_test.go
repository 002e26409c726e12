package usage_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// Each point buys one call, on however many nodes, and no more.
func TestPointsRunOut(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1000)
		a, b := f.meter(t), f.meter(t)
		passed := 0
		for i := range 3000 {
			m := a
			if i%3 == 0 {
				m = b
			}
			if do(t, m, call) == "" {
				passed++
			}
			time.Sleep(time.Millisecond)
		}
		// What one node holds ahead near the end, the other cannot have before it ends.
		time.Sleep(models.LeaseFor)
		for do(t, a, call) == "" {
			passed++
		}
		for do(t, b, call) == "" {
			passed++
		}
		if passed != 1000 {
			t.Errorf("%d calls for 1,000 points", passed)
		}
		closing(t, a)
		closing(t, b)
		if f.standing.Balance != 0 || f.charged != 1000 {
			t.Errorf("balance %d, charged %d", f.standing.Balance, f.charged)
		}
	})
}

// D8: 50 calls at once on two nodes for the last point: one passes.
func TestLastPointIsSpentOnce(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1)
		f.takes = time.Millisecond
		nodes := []*usage.Meter{f.meter(t), f.meter(t)}
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if do(t, nodes[i%2], call) == "" {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		for _, m := range nodes {
			closing(t, m)
		}
		if passed.Load() != 1 || f.standing.Balance != 0 {
			t.Errorf("%d passed, balance %d", passed.Load(), f.standing.Balance)
		}
	})
}

// What is kept for calls that run is not spent twice; what they did not need comes back.
func TestPointsAreKeptForCalls(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 10)
		m := f.meter(t)
		defer closing(t, m)
		first, err := m.Admit(t.Context(), costing(6))
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Admit(t.Context(), costing(5))
		if limit(t, err) != usage.LimitPoints || !strings.HasPrefix(textOf(err), "The team has 4 points left, and the call costs 5. Whoever runs Latchkey can") {
			t.Error(textOf(err))
		}
		first.Done(200, 2)
		if do(t, m, costing(8)) != "" {
			t.Error("points that were not needed did not come back")
		}
		// A call that costs nothing needs a point left: its answer may name a cost.
		_, err = m.Admit(t.Context(), costing(0))
		if limit(t, err) != usage.LimitPoints || !strings.HasPrefix(textOf(err), "The team has no points left.") {
			t.Error(textOf(err))
		}
	})
}

func textOf(err error) string {
	var refused usage.RefusedError
	errors.As(err, &refused)
	return refused.Text
}

// D6: an answer may cost more than its call had kept, up to a bound: the balance goes below
// zero by what runs, and no other call passes.
func TestAnswerCostsMore(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 10)
		m := f.meter(t)
		permit, err := m.Admit(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		permit.Done(200, 1<<60)
		if do(t, m, call) != usage.LimitPoints || limit(t, m.Recheck(t.Context(), call)) != usage.LimitPoints {
			t.Error("calls pass below zero")
		}
		closing(t, m)
		if f.standing.Balance != 10-models.MaxCost {
			t.Errorf("balance %d", f.standing.Balance)
		}
	})
}

// Calls without a plan and those of a plan with overage pass without points; the latter
// are charged.
func TestNotRefusedForPoints(t *testing.T) {
	for name, plan := range map[string]models.Plan{"no plan": {}, "overage": {Name: "Pro", Overage: true}} {
		onOneProcessor(t, func(t *testing.T) {
			f := newFake(plan, 0)
			m := f.meter(t)
			for range 100 {
				if got := do(t, m, costing(5)); got != "" {
					t.Fatal(name, got)
				}
			}
			if err := m.Recheck(t.Context(), call); err != nil {
				t.Error(name, err)
			}
			st, err := m.Standing(t.Context(), "team")
			closing(t, m)
			want := map[string]int64{"no plan": 0, "overage": 500}[name]
			if requests, points := f.requests(); requests != 100 || points != 500 || f.charged != want || st.Balance != -want || st.Used != want || err != nil || f.leased != 0 {
				t.Errorf("%s: %d requests, %d points, %d charged, stands at %d (%v), %d leases", name, requests, points, f.charged, st.Balance, err, f.leased)
			}
		})
	}
}

// The hot path asks for points ahead, beside the calls, and less and less near the end.
func TestLeasesAreAhead(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1_000_000)
		m := f.meter(t)
		defer closing(t, m)
		do(t, m, call)
		synctest.Wait()
		f.set(func() { f.takes = 50 * time.Millisecond })
		began := time.Now()
		for range 2000 {
			do(t, m, call)
			time.Sleep(time.Millisecond)
		}
		if waited := time.Since(began) - 2*time.Second; waited > 0 {
			t.Errorf("calls waited for %s", waited)
		}
		if f.leased > 12 {
			t.Errorf("%d leases for 2,000 calls", f.leased)
		}
	})
}

// A process that stands still does not go on with what it held: by then it may be
// another's.
func TestLeaseEndsByTheStopwatch(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 100)
		a, b := f.meter(t), f.meter(t)
		defer closing(t, b)
		do(t, a, call)
		f.set(func() { f.hang = make(chan struct{}) }) // a cannot renew
		time.Sleep(models.LeaseFor)
		close(f.hang)
		f.set(func() { f.hang = nil })
		for do(t, b, call) == "" {
			time.Sleep(10 * time.Millisecond)
		}
		if got := do(t, a, call); got != usage.LimitPoints {
			t.Errorf("refused for %q", got)
		}
		closing(t, a)
		if f.standing.Balance != 0 {
			t.Errorf("balance %d", f.standing.Balance)
		}
	})
}

// What a node holds at its end is the team's at once.
func TestCloseGivesLeasesBack(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 100)
		a := f.meter(t)
		do(t, a, call)
		closing(t, a)
		for _, lease := range f.leases {
			if lease.Points != 0 {
				t.Errorf("%d points are held", lease.Points)
			}
		}
		if _, err := a.Admit(t.Context(), call); !errors.Is(err, models.ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Fail closed: without the store, a team spends what its lease holds, until that ends; one
// without a lease gets nothing once too much time has passed.
func TestStoreIsAway(t *testing.T) {
	for name, test := range map[string]struct {
		plan  models.Plan
		least time.Duration
		most  time.Duration
	}{
		"a plan":  {starter, 7 * time.Second, 8 * time.Second},
		"overage": {models.Plan{Name: "Pro", Overage: true}, 600 * time.Millisecond, 900 * time.Millisecond},
		"no plan": {models.Plan{}, 600 * time.Millisecond, 900 * time.Millisecond},
	} {
		onOneProcessor(t, func(t *testing.T) {
			f := newFake(test.plan, 1_000_000)
			m := f.meter(t)
			do(t, m, call)
			f.set(func() { f.away = models.ErrUnavailable })
			began := time.Now()
			var err error
			for err == nil {
				time.Sleep(10 * time.Millisecond)
				var permit *usage.Permit
				if permit, err = m.Admit(t.Context(), call); err == nil {
					permit.Done(200, usage.CostOfRoute)
				}
			}
			if took := time.Since(began); !errors.Is(err, models.ErrUnavailable) || took < test.least || took > test.most {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			if _, err := m.Standing(t.Context(), "team"); !errors.Is(err, models.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
			f.set(func() { f.away = nil })
			time.Sleep(time.Second)
			if got := do(t, m, call); got != "" {
				t.Errorf("%s: refused for %q when it is back", name, got)
			}
			closing(t, m)
		})
	}
}

// A plan's change holds for the next call here, and within a second elsewhere.
func TestPlanChangeReachesCalls(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 100)
		here, elsewhere := f.meter(t), f.meter(t)
		defer closing(t, here)
		defer closing(t, elsewhere)
		do(t, here, call)
		do(t, elsewhere, call)
		f.set(func() { f.standing.EndsAt = clock() })
		here.Forget(models.Notice{TeamID: "team"})
		if got := do(t, here, call); got != usage.LimitEnded {
			t.Errorf("here: %q", got)
		}
		if limit(t, here.Recheck(t.Context(), call)) != usage.LimitEnded {
			t.Error("a stream stays open")
		}
		began := time.Now()
		for do(t, elsewhere, call) == "" {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 750*time.Millisecond {
			t.Errorf("elsewhere: after %s", took)
		}
	})
}

// A stream ends within a second of the last point, here and elsewhere.
func TestRecheckWhenPointsRunOut(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 10)
		here, elsewhere := f.meter(t), f.meter(t)
		defer closing(t, here)
		defer closing(t, elsewhere)
		for _, m := range []*usage.Meter{here, elsewhere} {
			if err := m.Recheck(t.Context(), call); err != nil {
				t.Error(err)
			}
		}
		if do(t, here, costing(10)) != "" {
			t.Error("refused")
		}
		if err := here.Recheck(t.Context(), call); limit(t, err) != usage.LimitPoints {
			t.Error(err)
		}
		began := time.Now()
		for limit(t, elsewhere.Recheck(t.Context(), call)) == "" {
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(began); took > 800*time.Millisecond {
			t.Errorf("elsewhere after %s", took)
		}
	})
}
