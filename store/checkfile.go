package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/latchkey/latchkey/models"
)

// ErrDamaged means that a database does not hold together.
var ErrDamaged = errors.New("the database is damaged")

// ErrNotOurs means that a SQLite database has not the tables of Latchkey.
var ErrNotOurs = errors.New("the file is a SQLite database, but none of Latchkey")

// Contents is what a database holds.
type Contents struct {
	Tokens, Applications int64
	// Newest is when the last thing happened of which it knows.
	Newest models.Time
	// KeyCheck is the sealed value that tells whether a key file fits.
	KeyCheck []byte
}

// CheckFile reads all of a database that nobody uses, of this version or an earlier one, and
// tells what it holds. What is wrong with it wraps ErrNotSQLite, ErrNotOurs or ErrDamaged.
func CheckFile(ctx context.Context, path string) (Contents, error) {
	db := sql.OpenDB(&connector{dsn: dataSource(path, url.Values{"_query_only": {"true"}, "_busy_timeout": {"0"}})})
	defer db.Close()
	db.SetMaxOpenConns(1)
	contents, err := checkContents(ctx, db)
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return contents, err
	}
	switch lite.Code {
	case sqlite3.ErrNotADB:
		return contents, ErrNotSQLite
	case sqlite3.ErrCorrupt:
		return contents, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return contents, translate(err)
}

func checkContents(ctx context.Context, db *sql.DB) (contents Contents, err error) {
	var tables int
	const ours = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('goose_db_version', 'key_checks', 'tokens', 'applications', 'audit_events')"
	if err := db.QueryRowContext(ctx, ours).Scan(&tables); err != nil {
		return contents, err
	}
	if tables != 5 {
		return contents, ErrNotOurs
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return contents, err
	}
	if verdict != "ok" {
		return contents, fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	var table, parent string
	err = db.QueryRowContext(ctx, `SELECT "table", parent FROM pragma_foreign_key_check LIMIT 1`).Scan(&table, &parent)
	if err == nil {
		return contents, fmt.Errorf("%w: a row of %s belongs to one of %s that is not there", ErrDamaged, table, parent)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return contents, err
	}
	return contents, db.QueryRowContext(ctx, `WITH t AS (SELECT COUNT(*) AS n, MAX(created_at) AS made, MAX(revoked_at) AS revoked, MAX(last_used_at) AS used FROM tokens)
		SELECT n, (SELECT COUNT(*) FROM applications WHERE deleted_at = 0),
			max(COALESCE(made, 0), COALESCE(revoked, 0), COALESCE(used, 0),
				COALESCE((SELECT MAX(at) FROM audit_events), 0), COALESCE((SELECT MAX(last_seen_at) FROM users), 0)),
			(SELECT sealed FROM key_checks WHERE id = ?)
		FROM t`, KeyCheckID).Scan(&contents.Tokens, &contents.Applications, &contents.Newest, &contents.KeyCheck)
}
