package store

import (
	"context"
	"sync"

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

// foreign is what ForeignVersion remembers.
type foreign struct {
	// mu guards the others.
	mu sync.Mutex
	// connection is the one that answered last. It is held on to, so that no other
	// can be taken for it.
	connection  any
	connections int64
}

// ForeignVersion returns a number that differs from the last one where another
// process has changed the database in between. What this store changes does not
// count: the connection that asks is the one that writes. Each connection counts
// on its own, so a new one gives another number as well. From a file that was removed
// or replaced it, and everything after it, gets models.ErrUnavailable.
func (s *Store) ForeignVersion(ctx context.Context) (int64, error) {
	if err := s.file.check(); err != nil {
		return 0, err
	}
	db, err := s.writes.DB()
	if err != nil {
		return 0, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, translate(err)
	}
	defer conn.Close()
	var version int64
	if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return 0, translate(err)
	}
	s.foreign.mu.Lock()
	defer s.foreign.mu.Unlock()
	err = conn.Raw(func(connection any) error {
		if connection != s.foreign.connection {
			s.foreign.connection = connection
			s.foreign.connections++
		}
		return nil
	})
	return s.foreign.connections<<32 | version, translate(err)
}
