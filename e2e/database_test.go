package e2e

import (
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// withDatabase opens the database of a program beside it: to make what time
// would make, and to see what is stored.
func withDatabase(t testing.TB, dir string, do func(db *sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+databaseOf(dir)+"?_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	do(db)
}

// change runs a statement that has to touch a row.
func change(t testing.TB, dir, statement string, args ...any) {
	t.Helper()
	withDatabase(t, dir, func(db *sql.DB) {
		result, err := db.ExecContext(t.Context(), statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", statement, n, err)
		}
	})
}

// number reads one number.
func number(t testing.TB, dir, query string, args ...any) int64 {
	t.Helper()
	var n int64
	withDatabase(t, dir, func(db *sql.DB) {
		if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	})
	return n
}
