package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"
)

const (
	applications = 10_000
	// someTokens is what the 10,000 applications have while the database is small.
	someTokens = 30_000
	// batch is how many rows one statement adds.
	batch = 250_000
)

// span is a range of row IDs, both ends in it.
type span struct{ first, last int64 }

// uuid is a UUID of version 7, as the product makes them, for a row made at "at".
const uuid = `printf('%08x-%04x-7%03x-%04x-%012x', at >> 16, at & 65535, random() & 4095, 32768 | (random() & 16383), random() & 281474976710655)`

var applicationColumns = map[string]string{
	"id": uuid, "team_id": ":team", "type": "'service'", "name": "printf('Application %05d', i)", "name_key": "printf('APPLICATION %05d', i)",
	"client_id": uuid, "lifespan": "86400", "scopes": "'api'", "created_at": "at", "created_by": ":user",
}

var tokenColumns = map[string]string{
	"id": uuid, "application_id": "(SELECT id FROM temp.spread WHERE n = i % (SELECT COUNT(*) FROM temp.spread))", "team_id": ":team",
	"kind": "'client_credentials'", "hash": "randomblob(32)", "last4": "substr(hex(randomblob(2)), 1, 4)", "scopes": "'api'",
	"created_at": "at", "expires_at": "at + 7776000000", "last_used_at": "at + 60000", "last_used_from": "'203.0.113.' || (i % 256)",
}

// fillApplications puts 10,000 applications with a few tokens into the database,
// unless they are there.
func (l *lab) fillApplications(ctx context.Context) error {
	there, err := l.number(ctx, "SELECT COUNT(*) FROM applications")
	if err != nil || there > applications {
		return err
	}
	l.say("putting %s applications into the database", thousands(applications))
	return l.fast(ctx, func(db *sql.DB) error {
		if err := l.insert(ctx, db, "applications", applicationColumns, applications); err != nil {
			return err
		}
		return l.insertTokens(ctx, db, someTokens)
	})
}

// fillTokens brings the table of tokens, once, to as many rows as wanted.
func (l *lab) fillTokens(ctx context.Context) error {
	if err := l.fillApplications(ctx); err != nil {
		return err
	}
	if l.filled.first > 0 {
		return nil
	}
	there, err := l.number(ctx, "SELECT COUNT(*) FROM tokens")
	if err != nil {
		return err
	}
	last, err := l.lastToken(ctx)
	if err != nil {
		return err
	}
	l.say("putting tokens into the database until it has %s", thousands(l.rows))
	// Enough for expireSome, also where a fast product has issued many.
	rows := max(l.rows-there, l.toExpire())
	l.filled = span{last + 1, last + rows}
	return l.fast(ctx, func(db *sql.DB) error { return l.insertTokens(ctx, db, rows) })
}

// insertTokens spreads tokens over the applications that came with fillApplications.
func (l *lab) insertTokens(ctx context.Context, db *sql.DB, rows int64) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE temp.spread (n INTEGER PRIMARY KEY, id TEXT NOT NULL);
		INSERT INTO temp.spread SELECT ROW_NUMBER() OVER () - 1, id FROM applications WHERE name <> ? AND type = 'service'`, appName)
	if err != nil {
		return err
	}
	return l.insert(ctx, db, "tokens", tokenColumns, rows)
}

// insert adds rows of our team that were made in the course of the last thirty days.
func (l *lab) insert(ctx context.Context, db *sql.DB, table string, values map[string]string, rows int64) error {
	statement, err := insertInto(ctx, db, table, values)
	if err != nil {
		return err
	}
	var team, user string
	if err := db.QueryRowContext(ctx, "SELECT team_id, created_by FROM applications WHERE name = ?", appName).Scan(&team, &user); err != nil {
		return err
	}
	const month = 30 * 24 * time.Hour
	since, step := now().Add(-month).UnixMilli(), month.Milliseconds()/(rows+1)
	for first := int64(1); first <= rows; first += batch {
		_, err := db.ExecContext(ctx, statement, //nolint:gosec // columns of our own table
			sql.Named("first", first), sql.Named("last", min(first+batch-1, rows)),
			sql.Named("since", since), sql.Named("step", step), sql.Named("team", team), sql.Named("user", user))
		if err != nil {
			return err
		}
	}
	return nil
}

// fast opens the file without a journal, for rows that can be made again, and
// leaves it as the product keeps it and wholly on disk.
func (l *lab) fast(ctx context.Context, do func(db *sql.DB) error) (err error) {
	db, err := l.database("rw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), syncFile(l.path(databaseFile))) }()
	const pragmas = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY"
	if _, err := db.ExecContext(ctx, pragmas); err != nil {
		return err
	}
	if err := do(db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

// syncFile waits until a file is on disk, so that writing it does not go on
// beside what is measured.
func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // in the folder of the benchmark
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
