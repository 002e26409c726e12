package storetest

import (
	"strings"
	"testing"
)

// Explain returns how the database goes about a query, a line for each step. PostgreSQL reads
// all of a small table, and sorts few rows, because that is quicker; here it does so only
// where it has no other way.
func (db *DB) Explain(t testing.TB, query string, args ...any) string {
	t.Helper()
	conn, done := db.connection(t)
	defer done()
	explain, columns := "EXPLAIN QUERY PLAN ", 4
	if db.OnPostgres() {
		explain, columns = "EXPLAIN (COSTS OFF) ", 1
		if _, err := conn.ExecContext(t.Context(), "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"); err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = conn.ExecContext(t.Context(), "RESET ALL") }()
	}
	rows, err := conn.QueryContext(t.Context(), explain+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var line string
		into := []any{new(int), new(int), new(int), &line}
		if err := rows.Scan(into[4-columns:]...); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
