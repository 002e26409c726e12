package main

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // makes the newer database
)

// A program starts on a database that a newer one has migrated where that says so, and says
// what to do where it does not.
func TestOnTomorrowsDatabase(t *testing.T) {
	env := madeFolder(t)
	db, err := sql.Open("sqlite3", "file:"+env["LATCHKEY_DATABASE"])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	migrate := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	migrate("ALTER TABLE teams ADD COLUMN colour TEXT NOT NULL DEFAULT ''",
		"INSERT INTO schema_compatibility (version, oldest) SELECT MAX(version_id) + 1, MAX(version_id) FROM goose_db_version",
		"INSERT INTO goose_db_version (version_id, is_applied) SELECT MAX(version_id) + 1, 1 FROM goose_db_version")
	add := []string{"user", "add", "--email", "a@example.com", "--name", "Ana", "--team", "Northwind", "--password-stdin"}
	if code, stdout, stderr := call(t, env, "plum-Fiddle-84-wharf", add...); code != exitDone {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
	migrate("UPDATE schema_compatibility SET oldest = version WHERE version = (SELECT MAX(version) FROM schema_compatibility)")
	code, _, stderr := call(t, env, "", "status")
	if code != exitFailed || !strings.Contains(stderr, "is left as it is: the database is at version ") || !strings.Contains(stderr, "start the newer program") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d %q", code, stderr)
	}
}
