package usage

import (
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

// idleAfter is when an account without calls is dropped. By then its rate is full again,
// also where other nodes have overdrawn it.
const idleAfter = 2 * window

// account is what this node knows of one team, and what it has counted for it.
type account struct {
	team string

	// mu guards all below.
	mu sync.Mutex
	// gone tells that the meter has dropped the account.
	gone   bool
	usedAt time.Duration

	standing models.Standing
	known    fact
	// readAt is when the standing was read, by the clock.
	readAt models.Time
	bucket bucket
	lease  lease
	apps   map[string]*application

	// open is how many calls run. held are points that are kept for them, unstored points
	// that were charged and are in no batch that is stored; recent is what the last batches
	// charged.
	open                   int
	held, unstored, recent int64
	counts                 map[countKey]count
	// waiting is how many batches hold counts of the team.
	waiting int
	// moves grows when a batch goes out and when it is back: it is odd in between. What is
	// read then may hold the batch or not, which doubtful notes. notices grows when
	// something is forgotten: what was read before does not enter after it.
	moves, notices uint64
	doubtful       bool
	// emptied tells that the writer was woken because no points are left.
	emptied bool
}

func newAccount(team string) *account {
	return &account{team: team, apps: map[string]*application{}}
}

// admit lets a call pass whose limits are all known, and keeps its points. Else it returns
// what to wait for. It needs a.mu.
func (m *Meter) admit(a *account, p *Permit) (*flight, error) {
	at, now := m.elapsed(), m.now()
	a.usedAt = at
	if wait, err := m.know(a, at, now, a.spare(at)); wait != nil || err != nil {
		return wait, err
	}
	if a.standing.HasPlan && a.standing.Ended(now) {
		return nil, a.refuseEnded()
	}
	if err := m.rate(a, p, at); err != nil {
		return nil, err
	}
	app := a.application(p.call.ApplicationID)
	if wait, err := m.knowCap(a, app, at, now); wait != nil || err != nil {
		return wait, err
	}
	if app.limit > 0 && app.spent()+app.held+max(p.call.Cost, 1) > app.limit {
		return nil, app.refuse(p.call.Cost, p.Rate, now)
	}
	if wait, err := m.points(a, p, at, now); wait != nil || err != nil {
		return wait, err
	}
	a.pass(app, p)
	return nil, nil
}

// pass keeps what the call may cost. It needs a.mu.
func (a *account) pass(app *application, p *Permit) {
	p.account, p.app, p.Streams = a, app, a.standing.Plan.Streams
	p.pays = a.standing.HasPlan
	if p.pays {
		p.held = p.call.Cost
	}
	a.open++
	a.held += p.held
	app.open++
	app.held += p.call.Cost
}

// recheck needs a.mu.
func (m *Meter) recheck(a *account, call Call) (*flight, error) {
	at, now := m.elapsed(), m.now()
	a.usedAt = at
	if wait, err := m.know(a, at, now, a.spare(at)); wait != nil || err != nil {
		return wait, err
	}
	if a.standing.HasPlan && a.standing.Ended(now) {
		return nil, a.refuseEnded()
	}
	app := a.application(call.ApplicationID)
	if wait, err := m.knowCap(a, app, at, now); wait != nil || err != nil {
		return wait, err
	}
	if app.limit > 0 && app.spent() >= app.limit {
		return nil, app.refuse(call.Cost, Rate{}, now)
	}
	if a.drained() {
		return nil, a.refusePoints(call.Cost, Rate{}, now)
	}
	return nil, nil
}

// drained tells whether nothing is left of the points of a team that needs some.
func (a *account) drained() bool {
	return a.standing.HasPlan && !a.standing.Plan.Overage && a.standing.Balance <= a.unstored
}

// forget has the next call read how the team stands.
func (a *account) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notices++
	a.known.ok = false
	a.lease.dryUntil = 0
}

func (a *account) forgetApplication(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if app := a.apps[id]; app != nil {
		a.notices++
		app.known.ok = false
	}
}

// idle tells whether nothing is lost with the account. It needs a.mu.
func (a *account) idle(at time.Duration) bool {
	for id, app := range a.apps {
		if app.open == 0 && app.unstored == 0 && app.known.flight == nil && at-app.usedAt > idleAfter {
			delete(a.apps, id)
		}
	}
	return at-a.usedAt > idleAfter && a.open == 0 && len(a.counts) == 0 && a.waiting == 0 && a.known.flight == nil && a.lease.known.flight == nil && len(a.apps) == 0
}
