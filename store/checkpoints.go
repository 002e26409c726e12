package store

import (
	"sync"
	"time"

	"gorm.io/gorm"
)

const (
	// checkpointPages is how many pages the log gathers before they are moved.
	checkpointPages = 2000
	// checkpointRest is how long a checkpoint waits for the next, under load.
	checkpointRest = 5 * time.Millisecond
	// longestLog is from how many pages on (120 MB) the writer itself empties the
	// log: the one beside it never sees its end while commits go on.
	longestLog = 30_000
)

// checkpoints moves what was committed from the write-ahead log into the database
// file, beside the writer. In the middle of its commits that took a tenth of the
// tokens issued, and a third where the file has millions of them.
type checkpoints struct {
	db *gorm.DB
	// committed holds one signal once something was committed.
	committed     chan struct{}
	stop, stopped chan struct{}
	once          sync.Once
}

// newCheckpoints starts them; close ends them and closes db.
func newCheckpoints(db *gorm.DB) *checkpoints {
	c := &checkpoints{db: db, committed: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	go c.run()
	return c
}

// note says that something was committed.
func (c *checkpoints) note() {
	select {
	case c.committed <- struct{}{}:
	default:
	}
}

func (c *checkpoints) close() error {
	c.once.Do(func() { close(c.stop) })
	<-c.stopped
	return closeHandle(c.db)
}

func (c *checkpoints) run() {
	defer close(c.stopped)
	for {
		select {
		case <-c.committed:
			c.checkpoint()
		case <-c.stop:
			return
		}
		select {
		case <-time.After(checkpointRest):
		case <-c.stop:
			return
		}
	}
}

// checkpoint moves the pages where there are enough of them. A failure is left to
// the writer, who comes to the same pages once the log is long.
func (c *checkpoints) checkpoint() {
	var log struct{ Busy, Log, Checkpointed int }
	err := c.db.Raw("PRAGMA wal_checkpoint(NOOP)").Scan(&log).Error
	if err == nil && log.Log-log.Checkpointed >= checkpointPages {
		_ = c.db.Raw("PRAGMA wal_checkpoint(PASSIVE)").Scan(&log).Error
	}
}
