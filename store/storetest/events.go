package storetest

import (
	"bytes"
	"database/sql"
	"net/url"
	"testing"

	_ "github.com/mattn/go-sqlite3" // reads the file beside the store

	"github.com/latchkey/latchkey/models"
)

// Raw opens the database behind the store's back, to look at it or to break it.
func (db *DB) Raw(t testing.TB) *sql.DB {
	t.Helper()
	raw, done := db.open(t)
	t.Cleanup(done)
	return raw
}

// open keeps what it has opened of a server: a connection to it takes a while.
func (db *DB) open(t testing.TB) (raw *sql.DB, done func()) {
	t.Helper()
	if db.server != nil {
		return db.server, func() {}
	}
	if db.OnPostgres() { // one that a test has opened
		raw = sql.OpenDB(numbering{db.Path})
		return raw, func() { _ = raw.Close() }
	}
	raw, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: db.Path}).EscapedPath()+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	return raw, func() { _ = raw.Close() }
}

// connection is one of open.
func (db *DB) connection(t testing.TB) (conn *sql.Conn, done func()) {
	t.Helper()
	raw, closeRaw := db.open(t)
	conn, err := raw.Conn(t.Context())
	if err != nil {
		closeRaw()
		t.Fatal(err)
	}
	return conn, func() {
		_ = conn.Close()
		closeRaw()
	}
}

// Number reads one number behind the store's back.
func (db *DB) Number(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	raw, done := db.open(t)
	defer done()
	var n int64
	if err := raw.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Holds tells whether a value that a query finds contains a text.
func (db *DB) Holds(t testing.TB, query, text string) bool {
	t.Helper()
	raw, done := db.open(t)
	defer done()
	rows, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(value, []byte(text))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// Written is the column of ledger_entries that tells the order in which they were written.
func (db *DB) Written() string {
	if db.OnPostgres() {
		return "seq"
	}
	return "rowid"
}

// Binary is the type of bytes, for a CAST.
func (db *DB) Binary() string {
	if db.OnPostgres() {
		return "BYTEA"
	}
	return "BLOB"
}

// Events returns the audit events of a team, or of all for an empty one, newest first.
func (db *DB) Events(t testing.TB, team string) []models.AuditEvent {
	t.Helper()
	rows, err := db.Raw(t).QueryContext(t.Context(), `SELECT id, team_id, at, actor_id, actor_name, action, target_type, target_id, target, detail, address, request_id
		FROM audit_events WHERE ? = '' OR team_id = ? ORDER BY at DESC, id DESC`, team, team)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var events []models.AuditEvent
	for rows.Next() {
		var e models.AuditEvent
		if err := rows.Scan(&e.ID, &e.TeamID, &e.At, &e.ActorID, &e.ActorName, &e.Action, &e.TargetType, &e.TargetID, &e.Target, &e.Detail, &e.Address, &e.RequestID); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}
