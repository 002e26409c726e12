package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

const (
	// checkpointPages is how many pages the log gathers before they are moved.
	checkpointPages = 2000
	// fullLog is from how many pages on (72 MB) the log is emptied.
	fullLog = 18_000
	// littleLeft is how many pages may be left for the moment in which nobody writes.
	littleLeft = 800
	// passes is how often pages are moved at most until little is left.
	passes = 5
	// checkpointRest is how long a checkpoint waits for the next: of a page that changed
	// often in between, only the newest is moved.
	checkpointRest = 250 * time.Millisecond
	// longestLog is from how many pages on (160 MB) each commit tries to move them, too.
	// While one reader stays, nothing empties the log.
	longestLog = 40_000
)

// checkpoints moves what was committed from the write-ahead log into the database
// file, beside the writer. In the middle of its commits that took a tenth of the
// tokens issued, and a third where the file has millions of them.
type checkpoints struct {
	db *gorm.DB
	// writer has one connection: whoever has it keeps others from writing.
	writer *sql.DB
	// file is the database. It is closed after every connection of the store: with the
	// first close of a file, a process loses its locks on it (fcntl).
	file *os.File
	// committed holds one signal once something was committed.
	committed chan struct{}
	// failed is told of each one that failed, where somebody wants to know.
	failed  atomic.Pointer[func(error)]
	stop    context.CancelFunc
	stopped chan struct{}
}

// newCheckpoints starts them; close ends them and closes db.
func newCheckpoints(path string, db *gorm.DB, writer *sql.DB) (*checkpoints, error) {
	file, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpoints{db: db, writer: writer, file: file, committed: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{})}
	go c.run(ctx)
	return c, nil
}

// note says that something was committed.
func (c *checkpoints) note() {
	select {
	case c.committed <- struct{}{}:
	default:
	}
}

func (c *checkpoints) close() error {
	c.stop()
	<-c.stopped
	return closeHandle(c.db)
}

func (c *checkpoints) run(ctx context.Context) {
	defer close(c.stopped)
	for {
		select {
		case <-c.committed:
			c.checkpoint(ctx)
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(checkpointRest):
		case <-ctx.Done():
			return
		}
	}
}

// checkpoint moves pages where there are enough of them. A failure is left to the next
// one, in the end to the writer, who come to the same pages.
func (c *checkpoints) checkpoint(ctx context.Context) {
	log := c.log("NOOP")
	if log.Log-log.Checkpointed < checkpointPages {
		return
	}
	if log = c.log("PASSIVE"); log.Log >= fullLog {
		c.empty(ctx)
	}
}

// empty lets the log start anew. While others write, its end moves on, and SQLite waits
// for the disk at the end alone, with all that was moved: so pages are moved and the disk
// is waited for until little is left, and only then nobody writes for a moment.
func (c *checkpoints) empty(ctx context.Context) {
	for range passes {
		c.log("PASSIVE")
		_ = c.file.Sync() // what failed is tried again by SQLite, which believes nothing before
		if now := c.log("NOOP"); now.Log-now.Checkpointed < littleLeft {
			break
		}
	}
	held, err := c.writer.Conn(ctx)
	if err != nil {
		return
	}
	defer held.Close()
	c.log("PASSIVE")
}

// writeAheadLog is what SQLite says of it, in pages.
type writeAheadLog struct{ Busy, Log, Checkpointed int }

// log is empty where it failed.
func (c *checkpoints) log(mode string) (log writeAheadLog) {
	err := c.db.Raw("PRAGMA wal_checkpoint(" + mode + ")").Scan(&log).Error
	if tell := c.failed.Load(); err != nil && tell != nil {
		(*tell)(translate(err))
	}
	return log
}

// OnLogKept has tell hear of each try that failed to move changes from the write-ahead log
// into the database file: nothing is lost, but the log grows. PostgreSQL sees to its own.
func (s *Store) OnLogKept(tell func(err error)) {
	if file, ok := s.engine.(*sqliteEngine); ok {
		file.checkpoints.failed.Store(&tell)
	}
}
