package usage

import (
	"math"
	"sync"
)

// shared collects the calls that other nodes are told of.
type shared struct {
	// on is set before the first call.
	on bool
	// mu guards teams, those with calls that were not told. It is taken with account.mu held.
	mu    sync.Mutex
	teams []*account
}

// passed notes a call in a rate. It needs a.mu.
func (s *shared) passed(a *account) {
	if !s.on || a.bucket.limiter == nil {
		return
	}
	if a.bucket.taken++; a.bucket.taken > 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teams = append(s.teams, a)
}

// Share begins to keep what Calls visits. Call it before the first call.
func (m *Meter) Share() { m.shared.on = true }

// Calls visits the calls that have passed since the last time, of teams with a rate limit.
func (m *Meter) Calls(visit func(team string, limit, calls int64)) {
	m.shared.mu.Lock()
	teams := m.shared.teams
	m.shared.teams = nil
	m.shared.mu.Unlock()
	for _, a := range teams {
		a.mu.Lock()
		limit, calls := a.bucket.limit, a.bucket.taken
		a.bucket.taken = 0
		a.mu.Unlock()
		if limit > 0 {
			visit(a.team, limit, calls)
		}
	}
}

// HearCalls takes calls that have passed at another node from the team's rate. limit is
// what that node knows of it, for a team that this one knows nothing of.
func (m *Meter) HearCalls(team string, limit, calls int64) {
	a := m.foreign(team)
	if a == nil {
		return
	}
	defer a.mu.Unlock()
	at := m.elapsed()
	a.usedAt = at
	if !a.known.ok && a.bucket.limiter == nil {
		a.bucket.set(min(max(limit, 0), math.MaxInt32), m.start.Add(at))
	}
	a.bucket.takeForeign(m.start.Add(at), calls)
}

// foreign is account for a team with calls at another node. Those that are new take no more
// than half the room, so that they keep nobody out who calls here.
func (m *Meter) foreign(team string) *account {
	m.mu.RLock()
	known, full := m.accounts[team] != nil, len(m.accounts) >= m.most/2
	m.mu.RUnlock()
	if m.closed.Load() || full && !known {
		return nil
	}
	a, err := m.account(team)
	if err != nil {
		return nil
	}
	return a
}
