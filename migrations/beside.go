package migrations

import (
	"context"
	"database/sql"
	"fmt"
)

// NewerError means that the database was migrated by a newer program, beside which this one
// may not run.
type NewerError struct {
	Database, Program int64
	// Oldest is the newest migration that a program has to know; zero where that is not said.
	Oldest int64
}

func (e NewerError) Error() string {
	text := fmt.Sprintf("the database is at version %d and this program knows %d", e.Database, e.Program)
	if e.Oldest > 0 {
		text += fmt.Sprintf(", programs that know %d may run on it", e.Oldest)
	}
	return text + ": start the newer program that migrated it"
}

// mayRun asks what the migrations that this program does not know say of older programs. Each
// of them must allow this one.
func mayRun(ctx context.Context, db *sql.DB, database, program int64) error {
	rows, err := db.QueryContext(ctx, "SELECT version, oldest FROM schema_compatibility ORDER BY version")
	if err != nil {
		return fmt.Errorf("reading which programs may run on the database: %w", err)
	}
	defer rows.Close()
	allowed, oldest := program, int64(0)
	for rows.Next() {
		var version, needs int64
		if err := rows.Scan(&version, &needs); err != nil {
			return fmt.Errorf("reading which programs may run on the database: %w", err)
		}
		if version <= program {
			continue
		}
		oldest = max(oldest, needs)
		if version == allowed+1 {
			allowed = version
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading which programs may run on the database: %w", err)
	}
	if allowed < database {
		return NewerError{Database: database, Program: program} // one says nothing
	}
	if oldest > program {
		return NewerError{Database: database, Program: program, Oldest: oldest}
	}
	return nil
}
