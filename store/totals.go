package store

import (
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// keepTotal is how long a total may lag behind what another process does.
	keepTotal = time.Second
	maxTotals = 10_000
)

// totals remembers how many applications a team has: to count 10,000 of them takes
// longer than all else on their page. What this store changes is seen at once.
type totals struct {
	// mu guards the others.
	mu     sync.Mutex
	byTeam map[string]total
	// changes counts what was forgotten, so that a count that began before does
	// not enter afterwards.
	changes uint64
}

type total struct {
	count int64
	at    models.Time
}

// get returns the total of a team, by count where none is remembered.
func (t *totals) get(team string, now models.Time, count func() (int64, error)) (int64, error) {
	t.mu.Lock()
	known, ok := t.byTeam[team]
	began := t.changes
	t.mu.Unlock()
	if ok && now >= known.at && now < known.at.Add(keepTotal) {
		return known.count, nil
	}
	n, err := count()
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes == began {
		if t.byTeam == nil || len(t.byTeam) >= maxTotals {
			t.byTeam = map[string]total{}
		}
		t.byTeam[team] = total{count: n, at: now}
	}
	return n, nil
}

// forget is called after each change of the number.
func (t *totals) forget(team string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
	delete(t.byTeam, team)
}
