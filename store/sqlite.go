package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	sqlite3 "github.com/mattn/go-sqlite3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// ErrNotSQLite means that the file is something else than a SQLite database.
var ErrNotSQLite = errors.New("the file is not a SQLite database")

type mode int

const (
	forWriting mode = iota
	forReading
	forCheckpoints
)

const readers = 4

// openSQLite opens one handle on the file. The writing one has a single
// connection and takes the write lock at BEGIN, so writers queue here and never
// fail halfway with a busy database. The reading one refuses to write.
func openSQLite(path string, m mode) (*gorm.DB, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	options := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_busy_timeout": {"5000"},
		"_foreign_keys": {"on"}, "_txlock": {"immediate"}, "_cslike": {"true"},
	}
	// Shrink can give space back. Only in a new file: elsewhere it has no effect, but
	// each connection that asks for it writes, and other processes take that for a change.
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		options.Set("_auto_vacuum", "incremental")
	}
	connections := 1
	if m == forReading {
		options.Set("_query_only", "true")
		connections = readers
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
	handle, err := gorm.Open(sqlite.Open(dsn), &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		TranslateError:         true,
		// GORM's logger prints values of queries; errors are returned instead.
		Logger: logger.Discard,
	})
	if err != nil {
		var lite sqlite3.Error
		if errors.As(err, &lite) && lite.Code == sqlite3.ErrNotADB {
			return nil, ErrNotSQLite
		}
		return nil, fmt.Errorf("opening the database: %w", translate(err))
	}
	db, err := handle.DB()
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	if m == forWriting {
		// Its row is read: a statement left before its end lets nothing commit after it.
		var pages int
		err = handle.Raw("PRAGMA wal_autocheckpoint = " + strconv.Itoa(longestLog)).Scan(&pages).Error
	}
	db.SetMaxIdleConns(connections)
	return handle, translate(err)
}

// createPrivate makes the folder (0700) and an empty file (0600): SQLite gives
// its journal the mode of the file, and would make the file readable to others.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of the database: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the operator's own setting
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return file.Close()
}
