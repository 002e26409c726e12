package store

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

func (p purse) lease(t testing.TB, node string, want, points, available int64) {
	t.Helper()
	given, err := p.LeasePoints(t.Context(), node, p.ana.TeamID, want)
	if err != nil || given.Points != points || given.Available != available {
		t.Errorf("%s wants %d: got %d, %d are left, %v; want %d and %d", node, want, given.Points, given.Available, err, points, available)
	}
	if given.Points > 0 && given.ExpiresAt != p.now().Add(models.LeaseFor) {
		t.Errorf("ends %v", given.ExpiresAt)
	}
}

// D8: what one node holds no other gets, until it is given back or the lease ends.
func TestLeases(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.lease(t, "a", 10, 0, 0) // no points yet
	if n := p.number(t, "SELECT COUNT(*) FROM point_leases"); n != 0 {
		t.Errorf("%d leases of nothing", n)
	}
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	p.lease(t, "a", 60, 60, 40)
	p.lease(t, "b", 60, 40, 0)
	p.lease(t, "c", 1, 0, 0)
	p.lease(t, "a", 60, 60, 0)   // in all, not besides
	p.save(t, p.spend(team, 50)) // of a's
	p.lease(t, "c", 1, 0, 0)
	p.lease(t, "a", 5, 5, 5) // 5 of 10 go back
	p.lease(t, "c", 9, 5, 0)
	p.wait(models.LeaseFor - time.Second)
	p.lease(t, "c", 9, 5, 0)
	p.wait(time.Second)
	p.lease(t, "a", 60, 45, 0) // b's has ended, c's was renewed
	p.add(t, team, models.LedgerCorrection, -50)
	p.lease(t, "b", 1, 0, 0)
	p.lease(t, "a", 60, 0, 0)
	p.stands(t, team, 0, 50)
	balances(t, p.Store)
}

// Whoever spends keeps the lease; one that has ended stays ended.
func TestSpendingRenewsALease(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	p.lease(t, "a", 60, 60, 40)
	for range 3 {
		p.wait(models.LeaseFor - time.Second)
		p.save(t, p.spend(team, 10))
	}
	p.lease(t, "b", 100, 40, 0)
	p.wait(models.LeaseFor)
	p.save(t, p.spend(team, 10)) // more than a held: its own has ended
	p.lease(t, "b", 100, 60, 0)
	// An answer that costs more than was kept for it takes the balance below zero.
	p.save(t, p.spend(team, 80))
	p.stands(t, team, -20, 120)
	p.lease(t, "a", 1, 0, 0)
	p.lease(t, "b", 60, 0, 0)
	balances(t, p.Store)
}

// D8: 50 nodes in two processes want the last point at once, one gets it.
func TestLastPointIsLeasedOnce(t *testing.T) {
	p := newPurse(t)
	p.plan(t, p.ana.TeamID, models.Plan{Name: "Starter", Points: 1}, 0)
	stores := []*Store{p.Store, p.open(t, p.path)}
	var got atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			given, err := stores[i%2].LeasePoints(context.WithoutCancel(t.Context()), NewID(), p.ana.TeamID, 1)
			if err != nil {
				t.Error(err)
			}
			got.Add(given.Points)
		})
	}
	all.Wait()
	if got.Load() != 1 {
		t.Errorf("%d nodes have the last point", got.Load())
	}
}
