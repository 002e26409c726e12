package usage

import (
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// maxKeys bounds what is counted one by one. Beyond, calls are counted without their
	// token: points are never lost, and applications are as many as there are.
	maxKeys = 100_000
	// batchRows is how many counts one transaction stores: few, so that tokens are issued
	// in between.
	batchRows = 500
	// batchTeams bounds those in one: each is an entry of the ledger, and dearer.
	batchTeams = 100
)

// countKey is a models.UsageKey without the team.
type countKey struct {
	hour                   models.Time
	app, token, route, api string
	status                 int
}

// count is what was counted. charged is what of points the team pays.
type count struct{ requests, points, charged int64 }

func (c count) plus(more count) count {
	return count{c.requests + more.requests, c.points + more.points, c.charged + more.charged}
}

// count needs a.mu.
func (m *Meter) count(a *account, call Call, status int, now models.Time, more count) {
	key := countKey{now.Hour(), call.ApplicationID, call.TokenID, call.Route, call.API, status}
	known, ok := a.counts[key]
	if !ok && m.keys.Load() >= maxKeys {
		key.token = ""
		known, ok = a.counts[key]
	}
	if !ok {
		m.keys.Add(1)
	}
	if a.counts == nil {
		a.counts = map[countKey]count{}
	}
	a.counts[key] = known.plus(more)
	a.unstored += more.charged
}

// batch is counts on their way to the store, under one ID until they have arrived.
type batch struct {
	models.UsageBatch
	parts map[string]*part
	// sent tells that it was sent before.
	sent bool
}

// part is what of a batch is one team's.
type part struct {
	*account
	spent map[appDay]int64
}

type appDay struct {
	app string
	day models.Time
}

func (m *Meter) newBatch() *batch {
	return &batch{parts: map[string]*part{}, UsageBatch: models.UsageBatch{
		ID: newID(), Node: m.node, Counts: map[models.UsageKey]models.UsageCount{}, Charged: map[string]int64{},
	}}
}

// add needs the lock of a.
func (b *batch) add(a *account, key countKey, c count) {
	if b.parts[a.team] == nil {
		b.parts[a.team] = &part{a, map[appDay]int64{}}
		a.waiting++
	}
	b.parts[a.team].spent[appDay{key.app, key.hour.Day()}] += c.points
	b.Counts[models.UsageKey{
		TeamID: a.team, Hour: key.hour, ApplicationID: key.app, TokenID: key.token, Route: key.route, API: key.api, Status: key.status,
	}] = models.UsageCount{Requests: c.requests, Points: c.points}
	if c.charged > 0 {
		b.Charged[a.team] += c.charged
	}
}

// take moves what was counted into batches, and drops accounts that were idle for long.
func (m *Meter) take() {
	at := m.elapsed()
	var idle []*account
	open := m.newBatch()
	m.mu.RLock()
	for _, a := range m.accounts {
		a.mu.Lock()
		if a.idle(at) {
			idle = append(idle, a)
		}
		open = m.takeFrom(a, open)
		a.mu.Unlock()
	}
	m.mu.RUnlock()
	if len(open.Counts) > 0 {
		m.waiting = append(m.waiting, open)
	}
	m.drop(idle, at)
}

// takeFrom adds to the open batch, which it closes where that is full, and returns the one
// that is open then. It needs a.mu.
func (m *Meter) takeFrom(a *account, open *batch) *batch {
	for key, c := range a.counts {
		if len(open.Counts) == batchRows || open.parts[a.team] == nil && len(open.parts) == batchTeams {
			m.waiting = append(m.waiting, open)
			open = m.newBatch()
		}
		open.add(a, key, c)
	}
	m.keys.Add(-int64(len(a.counts)))
	a.counts, a.recent = nil, a.unstored
	return open
}

func (m *Meter) drop(idle []*account, at time.Duration) {
	if len(idle) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range idle {
		a.mu.Lock()
		if a.idle(at) {
			a.gone = true
			delete(m.accounts, a.team)
		}
		a.mu.Unlock()
	}
}
