package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// Subscribe has hear called after each change that a cache must know of, before
// the method that made it returns. Call it before the store is used.
func (s *Store) Subscribe(hear func(models.Notice)) {
	s.subscribers = append(s.subscribers, hear)
}

func (s *Store) tell(notices []models.Notice) {
	for _, notice := range notices {
		for _, hear := range s.subscribers {
			hear(notice)
		}
	}
}

// ForeignVersion returns a number that differs from the last one where another
// process has changed the database in between. What this store changes does not
// count: the connection that asks is the one that writes.
func (s *Store) ForeignVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.writes.WithContext(ctx).Raw("PRAGMA data_version").Scan(&version).Error
	return version, translate(err)
}
