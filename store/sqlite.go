package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
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

const (
	readers = 4
	// busyTimeout is how long a connection waits for one of another process, in milliseconds.
	busyTimeout = 5000
)

// openSQLite opens one handle on the file. The writing one has a single
// connection and takes the write lock at BEGIN, so writers queue here and never
// fail halfway with a busy database. The reading one refuses to write.
func openSQLite(path string, m mode) (*gorm.DB, error) {
	options := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_busy_timeout": {strconv.Itoa(busyTimeout)},
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
	db := sql.OpenDB(&connector{dsn: dataSource(path, options), driver: sqlite3.SQLiteDriver{ConnectHook: leaveCheckpoints}})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	handle, err := gorm.Open(sqlite.New(sqlite.Config{Conn: db}), &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            true,
		TranslateError:         true,
		// GORM's logger prints values of queries; errors are returned instead.
		Logger: logger.Discard,
	})
	if err == nil {
		return handle, nil
	}
	var lite sqlite3.Error
	if errors.As(err, &lite) && lite.Code == sqlite3.ErrNotADB {
		return nil, errors.Join(ErrNotSQLite, db.Close())
	}
	return nil, errors.Join(fmt.Errorf("opening the database: %w", translate(err)), db.Close())
}

func dataSource(path string, options url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
}

// connector opens connections that are all alike, also those which follow one that
// database/sql has given up.
type connector struct {
	driver sqlite3.SQLiteDriver
	dsn    string
}

// Connect implements driver.Connector.
func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return &c.driver }

// leaveCheckpoints leaves the write-ahead log to type checkpoints, as long as it can.
func leaveCheckpoints(conn *sqlite3.SQLiteConn) error {
	_, err := conn.Exec("PRAGMA wal_autocheckpoint = "+strconv.Itoa(longestLog), nil)
	return err
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
