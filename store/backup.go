package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/latchkey/latchkey/models"
)

const (
	// copyPages (8 MB) are copied between two looks at whether to go on.
	copyPages = 2048
	// syncSteps is after how many of those (32 MB) the copy is forced to disk: all of it at
	// the end would hold up the commits of a server on the same disk.
	syncSteps = 4
)

// Backup copies the database as it is now into a new file at path (0600), while others write. It
// holds nobody up, but the write-ahead log cannot start anew meanwhile. Every row keeps its
// place (rowid), on which the order of the ledger rests: VACUUM INTO would number them anew.
// What was committed before the returned moment is in the copy.
func (s *Store) Backup(ctx context.Context, path string) (models.Time, error) {
	conn, err := connectionOf(ctx, s.reads)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	at := s.now()
	// In a transaction that stays open, the copy is of one moment. Without it, each commit of
	// somebody else would make it begin again.
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return 0, translate(err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }() // nothing was changed
	var tables int64
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return 0, translate(err)
	}
	err = conn.Raw(func(driver any) error {
		from, ok := driver.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("the driver is %T", driver)
		}
		return copyInto(ctx, from, path)
	})
	return at, translate(err)
}

func copyInto(ctx context.Context, from *sqlite3.SQLiteConn, path string) (err error) {
	// SQLite would let others read it.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // made by the caller
	if err != nil {
		return fmt.Errorf("making the copy: %w", err)
	}
	defer file.Close()
	// A copy that was not finished is thrown away, so it needs no journal.
	opened, err := (&sqlite3.SQLiteDriver{}).Open(dataSource(path, url.Values{
		"_journal_mode": {"OFF"}, "_synchronous": {"OFF"}, "_locking_mode": {"EXCLUSIVE"},
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	to, ok := opened.(*sqlite3.SQLiteConn)
	if !ok {
		return fmt.Errorf("the driver is %T", opened)
	}
	backup, err := to.Backup("main", from, "main")
	if err != nil {
		return err
	}
	err = copySteps(ctx, backup, file)
	if failed := backup.Finish(); err == nil {
		err = failed // else it says the same again
	}
	if err != nil {
		return err
	}
	// A copy that says that it has a write-ahead log could not be read where nothing may be written beside it.
	if _, err := to.Exec("PRAGMA journal_mode = DELETE", nil); err != nil {
		return err
	}
	return file.Sync()
}

func copySteps(ctx context.Context, backup *sqlite3.SQLiteBackup, file *os.File) error {
	for step := 1; ; step++ {
		done, err := backup.Step(copyPages)
		if err != nil || done {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if step%syncSteps > 0 {
			continue
		}
		if err := file.Sync(); err != nil {
			return fmt.Errorf("writing the copy: %w", err)
		}
	}
}
