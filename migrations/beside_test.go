package migrations_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/migrations"
)

// A program on a newer database runs where each migration that it does not know says so.
func TestOnANewerDatabase(t *testing.T) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "latchkey.db")+"?_foreign_keys=on")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := migrations.Run(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	var known int64
	if err := db.QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version").Scan(&known); err != nil {
		t.Fatal(err)
	}
	migrate := func(version, oldest int64) {
		t.Helper()
		for _, statement := range []struct {
			text string
			args []any
		}{
			{"INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)", []any{version}},
			{"INSERT INTO schema_compatibility (version, oldest) SELECT ?, ? WHERE ? > 0", []any{version, oldest, oldest}},
		} {
			if _, err := db.ExecContext(t.Context(), statement.text, statement.args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	migrate(known+1, known)
	migrate(known+2, known-1)
	if n, err := migrations.Run(t.Context(), db); n != 0 || err != nil {
		t.Errorf("beside two migrations that allow it: %d, %v", n, err)
	}
	migrate(known+3, known+1)
	var newer migrations.NewerError
	if _, err := migrations.Run(t.Context(), db); !errors.As(err, &newer) || newer.Oldest != known+1 || newer.Database != known+3 || newer.Program != known {
		t.Errorf("beside one that forbids it: %v", err)
	}
	if !strings.Contains(newer.Error(), "start the newer program") {
		t.Error(newer)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM schema_compatibility WHERE version = ?", known+3); err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Run(t.Context(), db); !errors.As(err, &newer) || newer.Oldest != 0 {
		t.Errorf("beside one that says nothing: %v", err)
	}
}
