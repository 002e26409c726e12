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

	"github.com/latchkey/latchkey/models"
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

// sqliteEngine is the engine of a file.
type sqliteEngine struct {
	path          string
	reads, writes *gorm.DB
	checkpoints   *checkpoints
	file          *presence
	queries       statements
	inserts       statements
	foreign       foreign
}

// openSQLite opens three handles on the file: for writing, reading and checkpoints.
func (s *Store) openSQLite(path string) error {
	if err := createPrivate(path); err != nil {
		return err
	}
	found, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	var handles []*gorm.DB
	for _, m := range []mode{forWriting, forReading, forCheckpoints} {
		handle, err := openFile(path, m)
		if err != nil {
			return errors.Join(err, closeHandles(handles))
		}
		handles = append(handles, handle)
	}
	file, err := newPresence(path, found, handles)
	if err != nil {
		return errors.Join(err, closeHandles(handles))
	}
	writer, err := handles[0].DB()
	if err != nil {
		return errors.Join(err, closeHandles(handles))
	}
	checkpoints, err := newCheckpoints(path, handles[2], writer)
	if err != nil {
		return errors.Join(err, closeHandles(handles))
	}
	s.writes, s.reads, s.turn, s.sql = handles[0], handles[1], make(chan struct{}, 1), onSQLite
	s.engine = &sqliteEngine{
		path: path, reads: s.reads, writes: s.writes, checkpoints: checkpoints, file: file,
		queries: newStatements(), inserts: newStatements(),
	}
	return nil
}

func (l *sqliteEngine) available() error { return l.file.err() }

func (l *sqliteEngine) present() error { return l.file.check() }

func (l *sqliteEngine) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	db, err := l.reads.DB()
	if err != nil {
		return nil, err
	}
	statement, err := l.queries.prepared(ctx, db, text) //nolint:sqlclosecheck // kept until the handle closes
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// transact runs fn once: there is one connection that writes.
func (l *sqliteEngine) transact(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return l.writes.WithContext(ctx).Transaction(fn)
}

func (l *sqliteEngine) add(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return l.transact(ctx, fn)
}

// carry has nothing to do: other processes on the file ask for its version.
func (l *sqliteEngine) carry(*gorm.DB, []string, []models.Notice) error { return nil }

func (l *sqliteEngine) committed() { l.checkpoints.note() }

// migrating needs no lock of its own: SQLite takes one for each migration.
func (l *sqliteEngine) migrating(_ context.Context, fn func(db *sql.DB) error) error {
	db, err := l.writes.DB()
	if err != nil {
		return err
	}
	return fn(db)
}

func (l *sqliteEngine) close() error {
	return errors.Join(l.checkpoints.close(), closeHandle(l.reads), closeHandle(l.writes), l.releaseFile())
}

// releaseFile leaves the file open where a connection still is: see checkpoints.
func (l *sqliteEngine) releaseFile() error {
	for _, handle := range []*gorm.DB{l.reads, l.writes, l.checkpoints.db} {
		if db, err := handle.DB(); err != nil || db.Stats().OpenConnections > 0 {
			return err
		}
	}
	if err := l.checkpoints.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

func closeHandles(handles []*gorm.DB) error {
	var errs []error
	for _, handle := range handles {
		errs = append(errs, closeHandle(handle))
	}
	return errors.Join(errs...)
}

// openFile opens one handle on the file. The writing one has a single
// connection and takes the write lock at BEGIN, so writers queue here and never
// fail halfway with a busy database. The reading one refuses to write.
func openFile(path string, m mode) (*gorm.DB, error) {
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
	handle, err := gorm.Open(sqlite.New(sqlite.Config{Conn: db}), gormConfig(true))
	if err == nil {
		return handle, nil
	}
	if isNotSQLite(err) {
		return nil, errors.Join(ErrNotSQLite, db.Close())
	}
	return nil, errors.Join(fmt.Errorf("opening the database: %w", translate(err)), db.Close())
}

func isNotSQLite(err error) bool {
	var lite sqlite3.Error
	return errors.As(err, &lite) && lite.Code == sqlite3.ErrNotADB
}

// connectionOf takes one connection of a handle; close it.
func connectionOf(ctx context.Context, handle *gorm.DB) (*sql.Conn, error) {
	db, err := handle.DB()
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	return conn, translate(err)
}

func gormConfig(prepare bool) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            prepare,
		TranslateError:         true,
		// GORM's logger prints values of queries; errors are returned instead.
		Logger: logger.Discard,
	}
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
