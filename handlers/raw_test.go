package handlers_test

import (
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3" // reads and breaks the file behind the store's back
)

func (s *site) raw(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+s.db.Path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
