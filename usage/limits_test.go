package usage_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// refusal is why a call does not pass now.
func refusal(t *testing.T, m *usage.Meter) usage.RefusedError {
	t.Helper()
	_, err := m.Admit(t.Context(), call)
	var refused usage.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	return refused
}

func TestRate(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{Name: "Starter", RateLimit: 600, Streams: 4}, 10_000)
		m := f.meter(t)
		defer closing(t, m)
		for i := range int64(600) {
			permit, err := m.Admit(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if r := permit.Rate; r.Limit != 600 || r.Remaining != 599-i || r.Window != time.Minute || r.Reset.Round(time.Microsecond) != time.Duration(i+1)*100*time.Millisecond || permit.Streams != 4 {
				t.Fatalf("after call %d: %+v", i, r)
			}
			permit.Done(200, 1)
		}
		refused := refusal(t, m)
		if refused.Limit != usage.LimitRate || refused.RetryAfter.Round(time.Microsecond) != 100*time.Millisecond || refused.Rate.Limit != 600 || refused.Rate.Remaining != 0 {
			t.Errorf("%+v", refused)
		}
		if want := "The team makes more than the 600 requests a minute of its plan Starter. Wait 1 second, or ask whoever runs Latchkey for a larger plan."; refused.Text != want {
			t.Error(refused.Text)
		}
		time.Sleep(refused.RetryAfter)
		if do(t, m, call) != "" || do(t, m, call) != usage.LimitRate {
			t.Error("not one call more after the time that was said")
		}
		time.Sleep(time.Minute)
		for i := range 601 {
			if got := do(t, m, call); (got == "") != (i < 600) {
				t.Fatalf("call %d after a minute: %q", i, got)
			}
		}
	})
}

// Small limits are right too, and a change of the limit holds at once.
func TestSmallRates(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{Name: "Tiny", RateLimit: 1}, 10_000)
		m := f.meter(t)
		defer closing(t, m)
		for range 3 {
			if got := do(t, m, call); got != "" {
				t.Errorf("refused for %q", got)
			}
			refused := refusal(t, m)
			if refused.Limit != usage.LimitRate || refused.RetryAfter > time.Minute || refused.RetryAfter < 59*time.Second {
				t.Errorf("%+v", refused)
			}
			time.Sleep(time.Minute)
		}
		set := func(limit int64) {
			f.set(func() { f.standing.Plan.RateLimit = limit })
			m.Forget(models.Notice{TeamID: "team"})
		}
		passed := func() (n int) {
			for n < 100 && do(t, m, call) == "" {
				n++
			}
			return n
		}
		set(20)
		if n := passed(); n != 1 { // what was left
			t.Errorf("%d pass right after the raise", n)
		}
		time.Sleep(30 * time.Second)
		if n := passed(); n != 10 {
			t.Errorf("%d pass in half a minute", n)
		}
		set(0)
		if n := passed(); n != 100 {
			t.Errorf("%d pass without a limit", n)
		}
		set(2)
		if n := passed(); n != 2 {
			t.Errorf("%d pass with a new limit", n)
		}
	})
}

func TestCap(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		time.Sleep(20 * time.Hour) // it is eight in the evening
		f := newFake(starter, 10_000)
		f.limit, f.today["app"] = 500, 480
		m := f.meter(t)
		defer closing(t, m)
		for range 4 {
			if got := do(t, m, costing(4)); got != "" {
				t.Errorf("refused for %q", got)
			}
			time.Sleep(700 * time.Millisecond) // some are stored, some are not
		}
		_, err := m.Admit(t.Context(), costing(5))
		if want := "The application has 4 left of the 500 points that it may spend today, and the call costs 5. An owner or a developer of the team can raise that on the application's page; the next day begins at 00:00 UTC."; limit(t, err) != usage.LimitDay || textOf(err) != want {
			t.Error(textOf(err))
		}
		if err := m.Recheck(t.Context(), call); err != nil {
			t.Error(err)
		}
		if got := do(t, m, costing(4)); got != "" {
			t.Errorf("refused for %q", got)
		}
		refused := refusal(t, m)
		midnight := clock().Day().Add(24 * time.Hour)
		if want := "The application has used its 500 points of today. An owner or a developer of the team can raise that on the application's page; the next day begins at 00:00 UTC."; refused.Text != want || refused.RetryAfter != midnight.Sub(clock()) {
			t.Errorf("%+v", refused)
		}
		if limit(t, m.Recheck(t.Context(), call)) != usage.LimitDay {
			t.Error("a stream stays open")
		}
		other := call
		other.ApplicationID = "other"
		if got := do(t, m, other); got != "" {
			t.Errorf("another application is refused for %q", got)
		}
		// A change holds at once where it is heard, elsewhere within the second.
		f.set(func() { f.limit = 501 })
		m.Forget(models.Notice{ApplicationID: "app"})
		if do(t, m, call) != "" || do(t, m, call) != usage.LimitDay {
			t.Error("not one call more")
		}
		f.set(func() { f.limit = 502 })
		time.Sleep(750 * time.Millisecond)
		if do(t, m, call) != "" || do(t, m, call) != usage.LimitDay {
			t.Error("not one call more")
		}
		// At midnight it begins anew.
		f.set(func() { clear(f.today) })
		time.Sleep(midnight.Sub(clock()))
		if got := do(t, m, call); got != "" {
			t.Errorf("refused for %q in the morning", got)
		}
	})
}

// Points that are kept for calls count for the cap too: many at once do not pass it.
func TestCapWithCallsThatRun(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{}, 0) // of a team without a plan as well
		f.limit = 10
		m := f.meter(t)
		defer closing(t, m)
		var open []*usage.Permit
		for {
			permit, err := m.Admit(t.Context(), call)
			if err != nil {
				break
			}
			open = append(open, permit)
		}
		if len(open) != 10 {
			t.Errorf("%d calls run", len(open))
		}
		for _, permit := range open {
			permit.Done(200, 0) // they cost nothing after all
		}
		if got := do(t, m, call); got != "" {
			t.Errorf("refused for %q", got)
		}
	})
}

func TestPlanThatHasEnded(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1000)
		f.standing.EndsAt = clock().Add(300 * time.Millisecond)
		m := f.meter(t)
		defer closing(t, m)
		if do(t, m, call) != "" {
			t.Error("refused before the end")
		}
		time.Sleep(300 * time.Millisecond)
		refused := refusal(t, m)
		if want := "The team's plan Starter ended on 1 Jan 2000. Whoever runs Latchkey can give it another."; refused.Limit != usage.LimitEnded || refused.Text != want || refused.RetryAfter != 0 {
			t.Errorf("%+v", refused)
		}
	})
}

// A period that has ended is rolled before the next call passes or is refused.
func TestPeriodEndsBetweenCalls(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1)
		f.standing.PeriodEndsAt = clock().Add(100 * time.Millisecond)
		m := f.meter(t)
		defer closing(t, m)
		do(t, m, call)
		refused := refusal(t, m)
		if want := "The team has no points left. Whoever runs Latchkey can add points; the next refill is on 1 Jan 2000."; refused.Text != want || refused.RetryAfter != 100*time.Millisecond {
			t.Errorf("%+v", refused)
		}
		f.set(func() {
			f.standing.PeriodEndsAt, f.standing.Balance = f.standing.PeriodEndsAt.Add(time.Hour), 100
		})
		time.Sleep(refused.RetryAfter)
		for range 3 {
			if got := do(t, m, call); got != "" {
				t.Errorf("refused for %q after the refill", got)
			}
		}
	})
}

// R3: only so many teams are counted at once; beyond, calls are told to come again.
func TestTeamsAreBounded(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{}, 0)
		m := f.meter(t)
		m.Bound(100)
		defer closing(t, m)
		for i := range 101 {
			c := call
			c.TeamID = fmt.Sprint(i)
			permit, err := m.Admit(t.Context(), c)
			if (err == nil) != (i < 100) || err != nil && !errors.Is(err, models.ErrBusy) {
				t.Fatal(i, err)
			}
			if err == nil {
				permit.Done(200, 1)
			}
		}
		time.Sleep(3 * time.Minute)
		c := call
		c.TeamID = "one more"
		if do(t, m, c) != "" {
			t.Error("refused when the others are idle")
		}
	})
}
