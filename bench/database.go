package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for PostgreSQL
	_ "github.com/mattn/go-sqlite3"    // and for SQLite
)

// databaseFile is where the product keeps everything.
const databaseFile = "data/latchkey.db"

// database opens the product's with one connection.
func (l *lab) database(mode string) (*sql.DB, error) {
	if l.postgres != "" {
		return sql.Open("pgx", l.address)
	}
	place := url.URL{Scheme: "file", Opaque: l.path(databaseFile), RawQuery: "mode=" + mode + "&_busy_timeout=10000"}
	db, err := sql.Open("sqlite3", place.String())
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// number asks the database for one number, also while the product runs.
func (l *lab) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	db, err := l.database("ro")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return n, db.QueryRowContext(ctx, query, args...).Scan(&n)
}

func (l *lab) lastToken(ctx context.Context) (int64, error) {
	if l.postgres != "" {
		return l.number(ctx, "SELECT COUNT(*) FROM tokens")
	}
	return l.number(ctx, "SELECT COALESCE(MAX(rowid), 0) FROM tokens")
}

// tokensAfter counts by row ID: beside it, old rows may be purged.
func (l *lab) tokensAfter(ctx context.Context, last int64) (int64, error) {
	if l.postgres != "" {
		return l.number(ctx, "SELECT COUNT(*) - CAST($1 AS BIGINT) FROM tokens", last)
	}
	return l.number(ctx, "SELECT COUNT(*) FROM tokens WHERE rowid > ?", last)
}

// insertInto builds the beginning and the columns of an INSERT … SELECT from n.
// It fills the columns that the table has today: one that is not known here
// must have a default, and one that is gone is left out.
func insertInto(ctx context.Context, db *sql.DB, table string, values map[string]string) (string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name, "notnull" AND dflt_value IS NULL FROM pragma_table_info(?)`, table)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	names, expressions := "", ""
	for rows.Next() {
		var name string
		var needed bool
		if err := rows.Scan(&name, &needed); err != nil {
			return "", err
		}
		expression, known := values[name]
		switch {
		case known:
			names, expressions = names+", "+name, expressions+", "+expression
		case needed:
			return "", fmt.Errorf("the column %s of %s is new and has no default: say in bench/fill.go what to put there", name, table)
		}
	}
	if names == "" {
		return "", errors.Join(rows.Err(), fmt.Errorf("there is no table %s", table))
	}
	return "INSERT INTO " + table + " (" + names[2:] + ") WITH RECURSIVE counter(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM counter WHERE i < :last), " +
		"n AS (SELECT i, :since + i * :step AS at FROM counter) SELECT " + expressions[2:] + " FROM n", rows.Err()
}
