package usage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// Calls are counted under team, hour, application, token, route, version and status, and
// stored within a second.
func TestCountsAreStoredEachSecond(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1000)
		m := f.meter(t)
		defer closing(t, m)
		for range 3 {
			do(t, m, costing(5))
		}
		permit, err := m.Admit(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		permit.Done(502, 7)
		m.Refused(call, 402)
		st, err := m.Standing(t.Context(), "team")
		if err != nil || st.Balance != 978 || st.Used != 22 {
			t.Errorf("before it is stored: %d left, %d used, %v", st.Balance, st.Used, err)
		}
		hour := clock().Hour()
		time.Sleep(time.Second)
		synctest.Wait()
		key := func(status int) models.UsageKey {
			return models.UsageKey{TeamID: "team", Hour: hour, ApplicationID: "app", TokenID: "token", Route: "/v1", API: "v1", Status: status}
		}
		for status, want := range map[int]models.UsageCount{200: {Requests: 3, Points: 15}, 502: {Requests: 1, Points: 7}, 402: {Requests: 1}} {
			if got := f.counts[key(status)]; got != want {
				t.Errorf("%d: %+v, want %+v", status, got, want)
			}
		}
		st, err = m.Standing(t.Context(), "team")
		if err != nil || st.Balance != 978 || st.Used != 22 || len(f.order) != 1 {
			t.Errorf("after it: %d left, %d used, %v; %d batches", st.Balance, st.Used, err, len(f.order))
		}
		if len(f.alerts) != 1 || f.alerts[0].Mark != 80 {
			t.Errorf("alerts %v", f.alerts)
		}
		time.Sleep(10 * time.Second)
		if len(f.order) != 1 {
			t.Errorf("%d batches, and no calls", len(f.order))
		}
	})
}

// D7: whether a batch arrives and its answer does not, or neither, it is sent again under
// its ID until it is stored, and counts once; what comes meanwhile goes into the next.
func TestBatchIsSentAgain(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		onOneProcessor(t, func(t *testing.T) {
			f := newFake(starter, 1000)
			f.arrives, f.saveErrs = arrives, []error{models.ErrUnavailable, errors.New("odd"), models.ErrBusy}
			m := f.meter(t)
			for range 5 {
				do(t, m, call)
				time.Sleep(time.Second)
			}
			st, err := m.Standing(t.Context(), "team")
			if err != nil || st.Balance != 995 {
				t.Errorf("arrives %v: stands at %d, %v", arrives, st.Balance, err)
			}
			closing(t, m)
			if requests, points := f.requests(); requests != 5 || points != 5 || f.charged != 5 || f.standing.Balance != 995 {
				t.Errorf("arrives %v: %d requests, %d points, %d charged", arrives, requests, points, f.charged)
			}
			sent := map[string]bool{}
			for _, id := range f.order {
				sent[id] = true
			}
			if len(f.order)-len(sent) != 3 || f.order[0] != f.order[1] {
				t.Errorf("arrives %v: batches %v", arrives, f.order)
			}
		})
	}
}

// A lease is not taken for renewed by a batch that had arrived before.
func TestBatchThatArrivedBeforeRenewsNothing(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 100)
		f.arrives = true
		for range 9 {
			f.saveErrs = append(f.saveErrs, models.ErrUnavailable)
		}
		m := f.meter(t)
		do(t, m, call)
		time.Sleep(11 * time.Second)
		f.set(func() { f.standing.Balance, f.leases = 0, map[string]models.Lease{} })
		if got := do(t, m, call); got != usage.LimitPoints {
			t.Errorf("passes with %q on a lease that has ended", got)
		}
		closing(t, m)
	})
}

// Transactions are small, however much was counted, and each team's charge is in the
// batches that hold its calls.
func TestBatchesAreSmall(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 10_000)
		m := f.meter(t)
		for i := range 1801 {
			c := call
			c.TokenID = fmt.Sprint(i)
			do(t, m, c)
		}
		closing(t, m)
		if slices.Sort(f.rows); !slices.Equal(f.rows, []int{301, 500, 500, 500}) || f.charged != 1801 {
			t.Errorf("batches of %v rows, %d charged", f.rows, f.charged)
		}
	})
}

// R3: what is counted one by one is bounded. Beyond, no point is lost.
func TestCountsAreBounded(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(models.Plan{Name: "Pro", Overage: true}, 0)
		f.away = models.ErrUnavailable
		m := f.meter(t)
		f.away = nil
		do(t, m, call)
		c := call
		for i := range 100_500 {
			c.TokenID = fmt.Sprint(i)
			do(t, m, c)
		}
		closing(t, m)
		if requests, points := f.requests(); requests != 100_501 || points != requests || f.charged != points || len(f.counts) != 100_001 {
			t.Errorf("%d requests, %d points, %d charged under %d keys", requests, points, f.charged, len(f.counts))
		}
		key := models.UsageKey{TeamID: "team", Hour: clock().Hour(), ApplicationID: "app", Route: "/v1", API: "v1", Status: 200}
		if f.counts[key].Requests != 501 {
			t.Errorf("%d without a token", f.counts[key].Requests)
		}
	})
}

// R5: a database that hangs does not hold up the end of the program.
func TestCloseHasADeadline(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 100)
		f.hang = make(chan struct{})
		m := f.meter(t)
		do(t, m, call)
		time.Sleep(1500 * time.Millisecond)
		ctx, cancel := timeout(t, 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := m.Close(ctx); err == nil || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// Teams that make no calls for a minute are forgotten, with what they had counted stored.
func TestIdleTeamsAreForgotten(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 1000)
		m := f.meter(t)
		defer closing(t, m)
		slow, err := m.Admit(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if m.Accounts() != 1 {
			t.Error("forgotten while a call runs")
		}
		slow.Done(200, usage.CostOfRoute)
		time.Sleep(3 * time.Second)
		if m.Accounts() != 0 {
			t.Error("still remembered")
		}
		if do(t, m, call) != "" {
			t.Error("refused")
		}
		if requests, _ := f.requests(); requests != 1 {
			t.Errorf("%d requests stored", requests)
		}
	})
}

// Of many teams a batch holds a hundred.
func TestBatchesHoldFewTeams(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		f := newFake(starter, 10_000)
		m := f.meter(t)
		for i := range 250 {
			c := call
			c.TeamID = fmt.Sprint(i)
			do(t, m, c)
		}
		closing(t, m)
		if slices.Sort(f.rows); !slices.Equal(f.rows, []int{50, 100, 100}) || f.charged != 250 {
			t.Errorf("batches of %v rows, %d charged", f.rows, f.charged)
		}
	})
}
