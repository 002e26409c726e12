package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// A period ends when it is looked at; what is left of the plan's points lapses, and what
// was bought stays.
func TestPeriodsRoll(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	p.add(t, team, models.LedgerPurchase, 50)
	p.save(t, p.spend(team, 30))
	p.until(time.Date(2026, 11, 30, 23, 59, 59, 999e6, time.UTC))
	p.stands(t, team, 120, 30)
	p.wait(time.Millisecond)
	st := p.stands(t, team, 150, 0) // 70 lapse, 100 come
	if st.Bought != 0 || st.PeriodStartedAt.Std() != time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) || st.PeriodEndsAt.Std() != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%d bought, from %s to %s", st.Bought, st.PeriodStartedAt.Std(), st.PeriodEndsAt.Std())
	}
	// The plan's points go first: of 150, 120 are spent, and 20 of what was bought with them.
	p.save(t, p.spend(team, 120))
	// Months without a call are skipped.
	p.until(time.Date(2027, 5, 17, 8, 0, 0, 0, time.UTC))
	st = p.stands(t, team, 130, 0)
	if st.PeriodStartedAt.Std() != time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("from %s", st.PeriodStartedAt.Std())
	}
	want := []string{"plan 100", "purchase 50", "use -30", "lapse -70", "plan 100", "use -120", "plan 100"}
	if got := p.kinds(t, team); !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
	balances(t, p.Store)
}

// A balance below zero: with overage it is set right and noted for the bill, without it
// the next period pays.
func TestPeriodsSettle(t *testing.T) {
	for overage, want := range map[bool][]string{
		true:  {"plan 100", "use -130", "overage 30", "plan 100"},
		false: {"plan 100", "use -130", "plan 100"},
	} {
		p := newPurse(t)
		team := p.ana.TeamID
		p.plan(t, team, models.Plan{Name: "Starter", Points: 100, PeriodDays: 7, Overage: overage}, 0)
		p.save(t, p.spend(team, 130))
		p.wait(20 * 24 * time.Hour)
		balance := int64(70)
		if overage {
			balance = 100
		}
		st := p.stands(t, team, balance, 0)
		if st.PeriodStartedAt != noon.Add(14*24*time.Hour) || st.PeriodEndsAt != noon.Add(21*24*time.Hour) {
			t.Errorf("from %s to %s", st.PeriodStartedAt.Std(), st.PeriodEndsAt.Std())
		}
		if got := p.kinds(t, team); !slices.Equal(got, want) {
			t.Errorf("%v\n%v", got, want)
		}
		balances(t, p.Store)
	}
}

// A plan that has ended lapses once and gives nothing more, however often one looks.
func TestPlanEnds(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	ends := noon.Add(36 * time.Hour)
	p.plan(t, team, models.Plan{Name: "Trial", Points: 100}, ends)
	p.add(t, team, models.LedgerPurchase, 5)
	p.save(t, p.spend(team, 1))
	p.wait(36 * time.Hour)
	for range 3 {
		if st := p.stands(t, team, 5, 0); st.Status(p.now()) != models.PointsExpired || st.PeriodEndsAt != ends || st.Granted != 0 {
			t.Errorf("%s until %s with %d", st.Status(p.now()), st.PeriodEndsAt.Std(), st.Granted)
		}
		if done, err := p.RollPeriods(t.Context()); !done || err != nil {
			t.Error(done, err)
		}
		p.wait(40 * 24 * time.Hour)
	}
	if got, want := p.kinds(t, team), []string{"plan 100", "purchase 5", "use -1", "lapse -99"}; !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
	// Another plan begins anew.
	p.plan(t, team, models.Plan{Name: "Pro", Points: 1000}, 0)
	if st := p.stands(t, team, 1005, 0); st.Status(p.now()) != models.PointsActive {
		t.Error(st.Status(p.now()))
	}
	balances(t, p.Store)
}

// D8: many nodes find the period ended at once; one rolls it.
func TestPeriodRollsOnce(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	stores := []*Store{p.Store, p.open(t, p.path)}
	p.wait(30 * 24 * time.Hour)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			st, err := stores[i%2].Standing(context.WithoutCancel(t.Context()), team)
			if err != nil || st.Balance != 100 {
				t.Error(st.Balance, err)
			}
		})
	}
	all.Wait()
	if got, want := p.kinds(t, team), []string{"plan 100", "lapse -100", "plan 100"}; !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
}

// The sweep rolls the periods of idle teams, fifty at a time.
func TestRollPeriods(t *testing.T) {
	p := newPurse(t)
	var teams []string
	plan := p.plan(t, p.ana.TeamID, models.Plan{Name: "Starter", Points: 100}, 0)
	for i := range rollTeams {
		team := p.team(t, fmt.Sprint("Team ", i)).TeamID
		teams = append(teams, team)
		err := p.write(t.Context(), p.ana, models.AuditTeamAdded, func(c change) error { return c.grantPlan(team, plan, 0) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if done, err := p.RollPeriods(t.Context()); !done || err != nil || p.number(t, "SELECT COUNT(*) FROM ledger_entries") != rollTeams+1 {
		t.Error("rolled before the end", done, err)
	}
	p.wait(30 * 24 * time.Hour)
	for _, last := range []bool{false, true, true} {
		if done, err := p.RollPeriods(t.Context()); done != last || err != nil {
			t.Error(done, err)
		}
	}
	for _, team := range teams {
		if got, want := p.kinds(t, team), []string{"plan 100", "lapse -100", "plan 100"}; !slices.Equal(got, want) {
			t.Errorf("%v\n%v", got, want)
		}
	}
	balances(t, p.Store)
}

// Another plan takes the place of one, and none does; caches hear of it.
func TestGrantAndDropPlan(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	var heard []models.Notice
	p.Subscribe(func(n models.Notice) { heard = append(heard, n) })
	p.add(t, team, models.LedgerPurchase, 10)
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	if st := p.stands(t, team, 110, 0); st.Bought != 0 || st.Plan.Name != "Starter" {
		t.Errorf("%d bought with %s", st.Bought, st.Plan.Name)
	}
	p.save(t, p.spend(team, 40))
	p.wait(time.Hour)
	p.plan(t, team, models.Plan{Name: "Pro", Points: 1000, RateLimit: 600, Streams: 5, Overage: true}, 0)
	if st := p.stands(t, team, 1010, 0); st.Plan.Name != "Pro" || st.Plan.RateLimit != 600 || st.Since != p.now() || st.PeriodStartedAt != p.now() || !st.Plan.Overage {
		t.Errorf("%+v", st)
	}
	p.save(t, p.spend(team, 1030))
	drop := func() {
		t.Helper()
		if err := p.write(t.Context(), p.ana, models.AuditTeamAdded, func(c change) error { return c.dropPlan(team) }); err != nil {
			t.Fatal(err)
		}
	}
	drop()
	if st := p.stands(t, team, 0, 0); st.HasPlan || st.Status(p.now()) != models.PointsActive {
		t.Errorf("%+v", st)
	}
	drop() // once more does no harm
	want := []string{"purchase 10", "plan 100", "use -40", "lapse -60", "plan 1000", "use -1030", "overage 20"}
	if got := p.kinds(t, team); !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
	if len(heard) != 4 || heard[0].TeamID != team {
		t.Errorf("heard %v", heard)
	}
	if n := p.number(t, "SELECT COUNT(*) FROM ledger_entries WHERE kind IN ('plan', 'lapse', 'overage') AND actor_id = ?", p.ana.UserID); n != 4 {
		t.Errorf("%d entries say whose deed they are", n)
	}
	balances(t, p.Store)
}
