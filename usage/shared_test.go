package usage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// R1: calls at another node are taken from a team's rate, whether or not this node knows the
// team, and what nodes have let pass too much is paid back.
func TestCallsElsewhere(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{Name: "Starter", RateLimit: 60}, 10_000)
		a, b := f.meter(t), f.meter(t)
		a.Share()
		b.Share()
		defer closing(t, a)
		defer closing(t, b)
		meet := func(from, to *usage.Meter) (told int64) {
			from.Calls(func(team string, limit, calls int64) {
				told += calls
				to.HearCalls(team, limit, calls)
			})
			return told
		}
		for range 50 {
			do(t, a, call)
		}
		if told := meet(a, b); told != 50 || meet(a, b) != 0 {
			t.Errorf("told of %d", told)
		}
		permit, err := b.Admit(t.Context(), call)
		if err != nil || permit.Rate.Limit != 60 || permit.Rate.Remaining != 9 {
			t.Fatalf("%+v, %v", permit, err)
		}
		permit.Done(200, 1)
		passed := 0
		for do(t, b, call) == "" {
			passed++
		}
		for do(t, a, call) == "" {
			passed++
		}
		if passed != 19 {
			t.Errorf("%d more pass before the nodes hear of each other", passed)
		}
		meet(a, b)
		meet(b, a)
		for _, m := range []*usage.Meter{a, b} {
			if refused := refusal(t, m); refused.Rate.Remaining != 0 || refused.RetryAfter.Round(time.Second) != 11*time.Second {
				t.Errorf("%+v", refused)
			}
		}
		time.Sleep(11 * time.Second)
		if do(t, a, call) != "" || do(t, a, call) != usage.LimitRate {
			t.Error("not one call more")
		}
		// However much others let pass, a minute and a call later there is one again.
		b.HearCalls("team", 60, 1<<30)
		b.HearCalls("team", 60, 1<<30)
		if wait := refusal(t, b).RetryAfter; wait < time.Minute || wait > 62*time.Second {
			t.Errorf("waits %v", wait)
		}
		time.Sleep(2*time.Minute + time.Second)
		if got := do(t, b, call); got != "" {
			t.Errorf("refused for %q", got)
		}
	})
}

// R3: teams that call elsewhere take half the room at most, and keep none of ours out.
func TestTeamsElsewhereAreBounded(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{Name: "Starter", RateLimit: 60}, 10_000)
		m := f.meter(t)
		m.Bound(100)
		defer closing(t, m)
		for i := range 1000 {
			m.HearCalls(fmt.Sprint(i), int64(i)-5, 7)
		}
		if n := m.Accounts(); n != 50 {
			t.Errorf("%d teams are remembered", n)
		}
		if got := do(t, m, call); got != "" {
			t.Errorf("refused for %q", got)
		}
		time.Sleep(3 * time.Minute)
		if n := m.Accounts(); n != 0 {
			t.Errorf("%d teams are remembered after a while", n)
		}
	})
}
