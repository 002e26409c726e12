package store

import (
	"context"
	"slices"

	"github.com/latchkey/latchkey/models"
)

// Subscribe has hear called after each change that a cache must know of, before
// the method that made it returns. Call it before the store is used: what was changed
// before is not told.
func (s *Store) Subscribe(hear func(models.Notice)) {
	s.subscribing.Lock()
	defer s.subscribing.Unlock()
	s.subscribers = append(slices.Clip(s.subscribers), hear)
}

func (s *Store) tell(notices []models.Notice) {
	s.subscribing.Lock()
	subscribers := s.subscribers
	s.subscribing.Unlock()
	for _, notice := range notices {
		for _, hear := range subscribers {
			hear(notice)
		}
	}
}

func everything(notice models.Notice) bool { return notice.Everything }

// hearForeign is tell for what another node has changed in some teams.
func (s *Store) hearForeign(teams []string, notices []models.Notice) {
	s.tell(notices)
	for _, team := range teams {
		s.attention.forget(team)
		s.totals.forget(team)
	}
}

// ForeignVersion returns a number that differs from the last one where another process may
// have changed the database in between without subscribers hearing of it. Each connection
// counts on its own, so a new one gives another number as well. Where the database cannot
// say, and from a SQLite file that was removed or replaced, it is models.ErrUnavailable.
func (s *Store) ForeignVersion(ctx context.Context) (int64, error) {
	return s.engine.foreignVersion(ctx)
}
