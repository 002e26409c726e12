package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/latchkey/latchkey/models"
)

// Examination is what Examine found.
type Examination struct {
	// Version is the newest migration that was applied, 0 for none.
	Version int64
	// KeyCheck is the value that tells whether a key file fits, empty in a new database.
	KeyCheck []byte
	// Newest is when the last event was noted in the audit log.
	Newest models.Time
	// Bytes and LogBytes are the sizes of the file and of its write-ahead log.
	Bytes, LogBytes int64
	// Damage is the first thing that SQLite finds wrong with its file. Sound tells that
	// it looked at all of it and found nothing.
	Damage string
	Sound  bool
}

// Examine looks at the SQLite file at path without changing it, whether or not a
// program serves from it. It makes no file and migrates nothing. When ctx ends before
// the whole file was read, the examination is neither Sound nor has it found Damage.
func Examine(ctx context.Context, path string) (Examination, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Examination{}, fmt.Errorf("looking at the database: %w", err)
	}
	found := Examination{Bytes: info.Size()}
	// A connection makes a write-ahead log and its index where there are none, even if
	// it only reads. Without a log nobody has the file open.
	options := url.Values{"mode": {"ro"}, "_query_only": {"true"}, "_busy_timeout": {"1000"}}
	if log, err := os.Stat(path + "-wal"); err == nil {
		found.LogBytes = log.Size()
	} else {
		options.Set("immutable", "1")
	}
	db := sql.OpenDB(&connector{dsn: dataSource(path, options)})
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := found.read(ctx, db); err != nil {
		return found, err
	}
	return found, found.check(ctx, db)
}

func (e *Examination) read(ctx context.Context, db *sql.DB) error {
	tables, err := tableNames(ctx, db)
	if err != nil {
		return examined(err)
	}
	for _, read := range []struct {
		table, query string
		into         any
	}{
		{"goose_db_version", "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied", &e.Version},
		{"key_checks", "SELECT sealed FROM key_checks WHERE id = '" + KeyCheckID + "'", &e.KeyCheck},
		// The end of each chain, so that not all of the log is read.
		{"audit_chains", `SELECT COALESCE(MAX(e.at), 0) FROM audit_chains c JOIN audit_events e ON e.team_id = c.team_id AND e.seq = c.last_seq`, &e.Newest},
	} {
		if !tables[read.table] {
			continue
		}
		if err := db.QueryRowContext(ctx, read.query).Scan(read.into); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return examined(err)
		}
	}
	return nil
}

func tableNames(ctx context.Context, db *sql.DB) (map[string]bool, error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, rows.Err()
}

const soundAnswer = "ok"

func (e *Examination) check(ctx context.Context, db *sql.DB) error {
	var answer string
	err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&answer)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was not finished, which is no error
	}
	if err != nil {
		return examined(err)
	}
	e.Sound = answer == soundAnswer
	if !e.Sound {
		e.Damage = answer
	}
	return nil
}

func examined(err error) error {
	if isNotSQLite(err) {
		return ErrNotSQLite
	}
	return fmt.Errorf("reading the database: %w", translate(err))
}
