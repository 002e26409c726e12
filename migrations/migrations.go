// Package migrations holds the tables of Latchkey as plain SQL, one folder per
// database, forward only, and applies them.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Postgres are the migrations of PostgreSQL.
func Postgres() fs.FS { return files }

// Latest is the version that Run brings a database to.
func Latest() (int64, error) {
	entries, err := files.ReadDir("sqlite")
	if err != nil {
		return 0, err
	}
	var latest int64
	for _, entry := range entries {
		version, err := goose.NumericComponent(entry.Name())
		if err != nil {
			return 0, fmt.Errorf("migrations: %w", err)
		}
		latest = max(latest, version)
	}
	return latest, nil
}

// Run brings db up to date, each migration in a transaction of its own, and
// returns how many it applied. Where the database is ahead of this program it touches
// nothing, and returns a NewerError unless the database says that this program may run on it.
func Run(ctx context.Context, db *sql.DB) (int, error) {
	name, dialect := "sqlite", goose.DialectSQLite3
	if _, ok := db.Driver().(*stdlib.Driver); ok {
		name, dialect = "postgres", goose.DialectPostgres
	}
	folder, err := fs.Sub(files, name)
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(dialect, db, folder, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	current, latest, err := provider.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the version of the database: %w", err)
	}
	if current > latest {
		return 0, mayRun(ctx, db, current, latest)
	}
	return up(ctx, provider, current)
}

// up goes on where another program was faster with a migration: both may have begun at once.
// It fails where nothing moves.
func up(ctx context.Context, provider *goose.Provider, current int64) (int, error) {
	applied := 0
	for {
		results, err := provider.Up(ctx)
		if err == nil {
			return applied + len(results), nil
		}
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			applied += len(partial.Applied)
		}
		now, _, failed := provider.GetVersions(ctx)
		if failed != nil || now <= current {
			return applied, fmt.Errorf("migrating: %w", err)
		}
		current = now
	}
}
