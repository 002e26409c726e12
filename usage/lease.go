package usage

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// leaseTrust is for how long this node spends from a lease, from before it asked. The
	// rest of models.LeaseFor is for storing what was spent, which a busy database may put
	// off, and for clocks that differ.
	leaseTrust = models.LeaseFor - 22*time.Second
	// shareOfBalance is which part of a balance one node takes ahead: the nodes together
	// do not empty it while others need points.
	shareOfBalance = 16
	// leastAhead is how many points are taken ahead at least, where the balance is large.
	leastAhead = 1000
	// dryFor is how long calls are refused without asking again.
	dryFor = 500 * time.Millisecond
)

// lease is points that this node may spend without asking.
type lease struct {
	known fact
	// points are those of the store's row: what is held or not stored is among them.
	points int64
	// until ends them by the stopwatch, ahead is how many were asked for beyond what was spent.
	until time.Duration
	ahead int64
	// dryUntil is until when there is no use in asking for more.
	dryUntil time.Duration
}

// left is what may be kept for another call. It needs a.mu.
func (a *account) left(at time.Duration) int64 {
	if at >= a.lease.until {
		return 0
	}
	return a.lease.points - a.unstored - a.held
}

// points finds the points that a call may cost. A call that costs nothing needs one left
// too: its answer may name a cost. It needs a.mu.
func (m *Meter) points(a *account, p *Permit, at time.Duration, now models.Time) (*flight, error) {
	if !a.standing.HasPlan || a.standing.Plan.Overage {
		return nil, nil
	}
	need := max(p.call.Cost, 1)
	left := a.left(at)
	// Near the end no more is taken than each call needs.
	if left >= need && (a.lease.ahead <= 2*need || left-need >= a.lease.ahead/2) {
		return nil, nil
	}
	dry, resting := at < a.lease.dryUntil, a.lease.known.resting(at)
	switch {
	case left < need && dry:
		return nil, a.refusePoints(p.call.Cost, p.Rate, now)
	case left < need && resting:
		return nil, a.lease.known.err
	case dry || resting:
		return nil, nil
	}
	asking := m.fly(a, &a.lease.known, func(ctx context.Context) error { return m.askLease(ctx, a, need) })
	if left >= need {
		return nil, nil
	}
	return asking, nil
}

// spare tells whether the store may be away for a while: the team spends from a lease.
func (a *account) spare(at time.Duration) bool {
	return a.standing.HasPlan && !a.standing.Plan.Overage && at < a.lease.until
}

func (m *Meter) askLease(ctx context.Context, a *account, need int64) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := m.takeTurn(ctx); err != nil {
		return err
	}
	defer m.endTurn()
	a.mu.Lock()
	ahead := a.ahead(need)
	want := a.unstored + a.held + ahead
	a.mu.Unlock()
	at := m.elapsed()
	given, err := m.store.LeasePoints(ctx, m.node, a.team, want)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lease.points, a.lease.until, a.lease.ahead = given.Points, at+leaseTrust, ahead
	if given.Points < want {
		a.lease.dryUntil = m.elapsed() + dryFor
	}
	return nil
}

// ahead is how many points to hold beyond what is spent: enough for some seconds while
// there are many, those of one call where there are few. It needs a.mu.
func (a *account) ahead(need int64) int64 {
	share := (a.standing.Balance - a.unstored) / shareOfBalance
	return max(need, min(share, max(leastAhead, 100*need, 8*max(a.recent, a.unstored))))
}

func (m *Meter) takeTurn(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

func (m *Meter) endTurn() { <-m.turn }

// giveBack ends the leases that hold something, so that another node need not wait for it.
func (m *Meter) giveBack(ctx context.Context) {
	m.mu.RLock()
	var teams []string
	for team, a := range m.accounts {
		a.mu.Lock()
		if a.left(m.elapsed()) > 0 {
			teams = append(teams, team)
		}
		a.mu.Unlock()
	}
	m.mu.RUnlock()
	for _, team := range teams {
		// What is not given back ends soon by itself.
		if _, err := m.store.LeasePoints(ctx, m.node, team, 0); err != nil {
			return
		}
	}
}
