package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/latchkey/latchkey/models"
)

// ErrInUse means that another process has the database open.
var ErrInUse = errors.New("the database is in use")

// SQLite's locks are on these bytes, whatever the size of the file. A connection that uses a
// write-ahead log has one of them until it is closed.
const firstLock, lockBytes = 0x40000000, 512

// InUse tells whether another process has the database at path open. It must not be called
// by a process that has: with the first close of a file, a process loses its locks on it.
func InUse(path string) (bool, error) {
	file, err := os.Open(path) //nolint:gosec // the operator's own setting
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: firstLock, Len: lockBytes}
	err = syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &lock)
	return lock.Type != syscall.F_UNLCK, err
}

// Takeover holds the place of a database that another one is to take. As long as it is
// held, no process can use the database there.
type Takeover struct {
	path string
	db   *sql.DB
	conn *sql.Conn
	// damaged is why the database there cannot be read.
	damaged error
}

// Take takes hold of the database at path, if there is one, and moves what its write-ahead
// log holds into it. ErrInUse means that another process has it open.
func Take(ctx context.Context, path string) (*Takeover, error) {
	t := &Takeover{path: path}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	err := t.hold(ctx)
	if err == nil {
		return t, nil
	}
	err = errors.Join(translate(err), t.Close())
	if errors.Is(err, models.ErrBusy) {
		return nil, ErrInUse
	}
	if ctx.Err() != nil {
		return nil, err
	}
	// SQLite cannot say who uses what it cannot read.
	used, failed := InUse(path)
	if failed != nil {
		return nil, failed
	}
	if used {
		return nil, ErrInUse
	}
	t.db, t.conn, t.damaged = nil, nil, err
	return t, nil
}

// hold leaves SQLite's exclusive lock on the file, and no log beside it: one that was left
// there would be taken for the new database's.
func (t *Takeover) hold(ctx context.Context) (err error) {
	t.db = sql.OpenDB(&connector{dsn: dataSource(t.path, url.Values{"_locking_mode": {"EXCLUSIVE"}, "_busy_timeout": {"0"}})})
	if t.conn, err = t.db.Conn(ctx); err != nil {
		return err
	}
	// Only exclusive locking moves a log away while others may come; it would leave a journal.
	err = t.journal(ctx, "PRAGMA journal_mode = DELETE")
	if err != nil {
		return err
	}
	for _, statement := range []string{"PRAGMA locking_mode = NORMAL", "SELECT COUNT(*) FROM sqlite_schema", "BEGIN EXCLUSIVE"} {
		if _, err := t.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return t.journal(ctx, "PRAGMA journal_mode") // nobody came in between
}

func (t *Takeover) journal(ctx context.Context, pragma string) error {
	var mode string
	err := t.conn.QueryRowContext(ctx, pragma).Scan(&mode)
	if err == nil && mode != "delete" {
		return sqlite3.Error{Code: sqlite3.ErrBusy}
	}
	return err
}

// Close lets go of the place.
func (t *Takeover) Close() error {
	if t.db == nil {
		return nil
	}
	var err error
	if t.conn != nil {
		err = t.conn.Close()
	}
	return errors.Join(err, t.db.Close())
}

// beside are the files that SQLite would take for those of whichever database is at the path.
var beside = []string{"-wal", "-journal", "-shm"}

// Replace puts the file made, which is on the same disk, into the place. Whenever it is interrupted, one of the
// two databases is there, whole. The old one and what belongs to it is kept under the name keep.
func (t *Takeover) Replace(made, keep string) error {
	old := t.conn != nil || t.damaged != nil
	if info, err := os.Stat(t.path); old && err != nil {
		return err
	} else if old && info.Size() > 0 {
		if err := os.Link(t.path, keep); err != nil {
			return fmt.Errorf("keeping the old database: %w", err)
		}
	}
	for _, suffix := range beside {
		if err := os.Rename(t.path+suffix, keep+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keeping the old database: %w", err)
		}
	}
	put := os.Link // which fails where a server has begun meanwhile
	if old {
		put = os.Rename
	}
	if err := put(made, t.path); err != nil {
		return fmt.Errorf("putting the new database into its place: %w", err)
	}
	return syncFolder(filepath.Dir(t.path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
