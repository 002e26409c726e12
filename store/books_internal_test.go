package store

import (
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// books is what a simple mind expects of a team's points.
type books struct {
	purse
	team string
	// plan is nil for none.
	plan                  *models.TeamPlan
	terms                 models.Plan
	balance, used, bought int64
	requests, points      int64
	leases                map[string]models.Lease
	last                  models.UsageBatch
}

// lapse ends the plan's period.
func (b *books) lapse() {
	if b.plan != nil {
		switch left := b.plan.Granted - b.used; {
		case b.balance > 0 && left > 0:
			b.balance -= min(left, b.balance)
		case b.balance < 0 && b.terms.Overage:
			b.balance = 0
		}
	}
	b.used, b.bought = 0, 0
}

func (b *books) give(plan models.Plan, ends models.Time) {
	b.lapse()
	b.terms, b.plan = plan, &models.TeamPlan{PeriodEndsAt: plan.PeriodEnd(b.now()), Granted: plan.Points, EndsAt: ends}
	b.balance += plan.Points
}

// roll goes from period to period, as time does.
func (b *books) roll() {
	for b.plan != nil && b.plan.Granted >= 0 {
		switch p := b.plan; {
		case p.EndsAt != 0 && b.now() >= p.EndsAt:
			b.lapse()
			p.Granted = -1 // is over
			return
		case b.now() < p.PeriodEndsAt:
			return
		default:
			b.lapse()
			// What is skipped gives nothing: its points would lapse again.
			p.PeriodEndsAt, p.Granted = b.terms.PeriodEnd(p.PeriodEndsAt), b.terms.Points
			if b.now() < p.PeriodEndsAt {
				b.balance += p.Granted
			} else {
				p.Granted = 0
			}
		}
	}
}

func (b *books) held(but string) (sum int64) {
	for node, lease := range b.leases {
		if node != but && lease.ExpiresAt > b.now() {
			sum += lease.Points
		}
	}
	return sum
}

func (b *books) spends(node string, points int64, paid bool) {
	b.last = b.spend(b.team, points)
	b.last.Node = node
	b.requests, b.points = b.requests+1, b.points+points
	if !paid {
		b.last.Charged = nil
		return
	}
	b.balance, b.used = b.balance-points, b.used+points
	if lease, ok := b.leases[node]; ok {
		lease.Points = max(0, lease.Points-points)
		if lease.ExpiresAt > b.now() {
			lease.ExpiresAt = b.now().Add(models.LeaseFor)
		}
		b.leases[node] = lease
	}
}

// step does one thing to both.
func (b *books) step(t *testing.T, what, much byte) {
	points, node := int64(much), string(rune('a'+much%2))
	switch what % 10 {
	case 0, 1, 2:
		b.spends(node, points, b.plan != nil)
		b.save(t, b.last)
	case 3:
		if b.last.ID != "" {
			b.save(t, b.last)
		}
	case 4:
		b.balance, b.bought = b.balance+points, b.bought+points
		b.add(t, b.team, models.LedgerPurchase, points)
	case 5:
		b.balance -= points
		b.add(t, b.team, models.LedgerCorrection, -points)
	case 6:
		want := points * 2
		given, err := b.LeasePoints(t.Context(), node, b.team, want)
		if expected := max(0, min(want, b.balance-b.held(node))); err != nil || given.Points != expected {
			t.Fatalf("leased %d, want %d, %v", given.Points, expected, err)
		}
		b.leases[node] = models.Lease{Points: given.Points, ExpiresAt: b.now().Add(models.LeaseFor)}
	case 7:
		b.wait(time.Duration(much) * time.Second / 8)
	case 8:
		b.wait(time.Duration(much) * time.Hour)
		b.roll()
	case 9:
		b.change(t, much)
	}
}

func (b *books) change(t *testing.T, much byte) {
	plan, ends := models.Plan{Name: "Plan", Points: int64(much), PeriodDays: int64(much % 4), Overage: much%3 == 0}, models.Time(0)
	if much%5 == 0 {
		ends = b.now().Add(time.Duration(much)*time.Hour + time.Hour)
	}
	if much%7 != 0 {
		b.give(b.purse.plan(t, b.team, plan, ends), ends)
		return
	}
	b.lapse()
	b.plan = nil
	if err := b.write(t.Context(), b.ana, models.AuditTeamAdded, func(c change) error { return c.dropPlan(b.team) }); err != nil {
		t.Fatal(err)
	}
}

func (b *books) compare(t *testing.T) {
	st := b.stands(t, b.team, b.balance, b.used)
	if st.HasPlan != (b.plan != nil) || st.Bought != b.bought {
		t.Errorf("a plan: %v, bought %d, want %d", st.HasPlan, st.Bought, b.bought)
	}
	for query, want := range map[string]int64{
		"SELECT COALESCE(SUM(requests), 0) FROM usage_hours WHERE team_id = ?":  b.requests,
		"SELECT COALESCE(SUM(points), 0) FROM usage_days WHERE team_id = ?":     b.points,
		"SELECT COALESCE(SUM(points), 0) FROM ledger_entries WHERE team_id = ?": b.balance,
	} {
		if got := b.number(t, query, b.team); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// Whatever comes after what, the ledger says what simple sums say, and no more is leased
// than there is.
func FuzzLedger(f *testing.F) {
	f.Add([]byte{9, 100, 0, 30, 3, 0, 6, 50, 6, 51, 0, 20, 4, 9, 8, 200, 7, 80, 6, 7, 0, 90, 5, 200, 8, 255, 8, 255})
	f.Add([]byte{9, 85, 0, 200, 8, 90, 0, 5, 9, 15, 0, 255, 0, 255, 8, 20, 9, 14, 1, 1, 3, 1, 4, 100, 9, 99, 2, 9, 8, 255})
	f.Add([]byte{0, 5, 4, 100, 6, 20, 6, 21, 9, 0, 9, 33, 0, 44, 0, 44, 8, 255, 8, 255, 8, 255, 6, 60, 9, 10, 8, 3, 8, 30})
	p := newPurse(f)
	n := 0
	f.Fuzz(func(t *testing.T, steps []byte) {
		n++
		b := &books{purse: p, team: p.team(t, fmt.Sprint("Books ", n)).TeamID, leases: map[string]models.Lease{}}
		for i := 0; i+1 < min(len(steps), 100); i += 2 {
			b.roll()
			err := b.touch(t.Context(), func(tx *gorm.DB) error { return rollPeriod(tx, b.team, b.now()) })
			if err != nil {
				t.Fatal(err)
			}
			b.step(t, steps[i], steps[i+1])
			b.compare(t)
			if t.Failed() {
				t.Fatalf("after step %d: %v %v", i/2, steps[i], steps[i+1])
			}
		}
		balances(t, b.Store)
	})
}
