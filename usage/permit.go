package usage

import "github.com/latchkey/latchkey/models"

// Permit is a call that passes. Done ends it, exactly once.
type Permit struct {
	meter *Meter
	call  Call
	// account and app are what the call is held against until it is done.
	account *account
	app     *application
	// rated tells that the call has taken its place in the rate, pays that it costs points,
	// held how many of them are kept for it.
	rated, pays bool
	held        int64
	// Rate is what was left after this call.
	Rate Rate
	// Streams is how many streams the team may have open at once; zero for no limit.
	Streams int64
}

// CostOfRoute tells Done that the answer named no cost.
const CostOfRoute = -1

// Done counts the call with the status of its answer and charges points, CostOfRoute for
// the call's own cost. An answer may cost more than was kept for it: then the team's
// balance may go below zero by what runs at that moment.
func (p *Permit) Done(status int, points int64) {
	if points < 0 {
		points = p.call.Cost
	}
	points = min(points, models.MaxCost)
	p.meter.passed.Add(1)
	p.meter.charged.Add(p.charge(points))
	a, now := p.account, p.meter.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
	a.held -= p.held
	p.app.open--
	p.app.held -= p.call.Cost
	p.meter.count(a, p.call, status, now, count{requests: 1, points: points, charged: p.charge(points)})
	p.app.on(now.Day()).unstored += points
	if p.pays && a.drained() && !a.emptied {
		a.emptied = true
		p.meter.hurry()
	}
}

func (p *Permit) charge(points int64) int64 {
	if !p.pays {
		return 0
	}
	return points
}
