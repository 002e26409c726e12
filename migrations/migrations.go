// Package migrations holds the tables of Latchkey as plain SQL, one folder per
// database, forward only, and applies them.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Postgres are the migrations of PostgreSQL.
func Postgres() fs.FS { return files }

// NewerError means that the database was migrated by a newer program.
type NewerError struct{ Database, Program int64 }

func (e NewerError) Error() string {
	return fmt.Sprintf("the database is at version %d and this program knows %d: start the newer program that migrated it", e.Database, e.Program)
}

// Run brings db up to date, each migration in a transaction of its own, and
// returns how many it applied. It touches nothing and returns a NewerError
// where the database is ahead of this program.
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
		return 0, NewerError{Database: current, Program: latest}
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrating: %w", err)
	}
	return len(results), nil
}

// Latest is the version that Run brings a database to.
func Latest() (int64, error) {
	names, err := fs.Glob(files, "sqlite/*.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no migrations: %w", err)
	}
	return goose.NumericComponent(path.Base(names[len(names)-1]))
}
