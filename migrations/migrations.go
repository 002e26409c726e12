// Package migrations holds the tables of Latchkey as plain SQL, one folder per
// database, forward only, and applies them.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed sqlite/*.sql
var files embed.FS

// NewerError means that the database was migrated by a newer program.
type NewerError struct{ Database, Program int64 }

func (e NewerError) Error() string {
	return fmt.Sprintf("the database is at version %d and this program knows %d: start the newer program that migrated it", e.Database, e.Program)
}

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
// returns how many it applied. It touches nothing and returns a NewerError
// where the database is ahead of this program.
func Run(ctx context.Context, db *sql.DB) (int, error) {
	folder, err := fs.Sub(files, "sqlite")
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder, goose.WithLogger(goose.NopLogger()))
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
