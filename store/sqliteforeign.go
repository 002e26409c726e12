package store

import (
	"context"
	"sync"
)

// foreign is what foreignVersion remembers.
type foreign struct {
	// mu guards the others.
	mu sync.Mutex
	// connection is the one that answered last. It is held on to, so that no other
	// can be taken for it.
	connection  any
	connections int64
}

// foreignVersion asks the connection that writes: what this store changes does not count.
// From a file that was removed or replaced, everything after it gets models.ErrUnavailable
// as well.
func (l *sqliteEngine) foreignVersion(ctx context.Context) (int64, error) {
	if err := l.file.check(); err != nil {
		return 0, err
	}
	conn, err := connectionOf(ctx, l.writes)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	var version int64
	if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return 0, translate(err)
	}
	l.foreign.mu.Lock()
	defer l.foreign.mu.Unlock()
	err = conn.Raw(func(connection any) error {
		if connection != l.foreign.connection {
			l.foreign.connection = connection
			l.foreign.connections++
		}
		return nil
	})
	return l.foreign.connections<<32 | version, translate(err)
}
