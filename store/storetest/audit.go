package storetest

import (
	"database/sql"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// Log reads the whole audit log of a team with all that belongs to its chain, newest first.
func (db *DB) Log(t testing.TB, team string, query models.AuditQuery) []models.AuditEvent {
	t.Helper()
	events, err := db.AuditEvents(t.Context(), team, query, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Tamper changes audit events as somebody does who holds the database: past the triggers.
func (db *DB) Tamper(t testing.TB, statements ...string) {
	t.Helper()
	conn, done := db.connection(t)
	defer done()
	before, after := []string{"SET session_replication_role = replica"}, []string{"RESET session_replication_role"}
	if !db.OnPostgres() {
		before, after = auditTriggers(t, conn)
	}
	for _, all := range [][]string{before, statements, after} {
		for _, statement := range all {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
}

// auditTriggers returns how those of SQLite are dropped and made again.
func auditTriggers(t testing.TB, conn *sql.Conn) (drop, create []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		drop, create = append(drop, "DROP TRIGGER "+name), append(create, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return drop, create
}

// FillLog adds n events to a team's log in one statement: for tests of how it bears up. They
// have numbers but no hashes.
func (db *DB) FillLog(t testing.TB, actor models.Actor, n int64) {
	t.Helper()
	const hash = "'00000000000000000000000000000000000000000000000000000' || CAST(10000000000 + " // 64 digits in all
	db.Tamper(t, strings.NewReplacer(":team", "'"+actor.TeamID+"'", ":user", "'"+actor.UserID+"'").Replace(`
		INSERT INTO audit_events (id, team_id, seq, version, at, actor_id, actor_name, actor_role, action, target_type, target_id, target, address, user_agent, request_id, search, hash)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+number(n)+`),
			chain AS (SELECT last_seq, (SELECT MAX(at) FROM audit_events WHERE team_id = :team) AS at FROM audit_chains WHERE team_id = :team)
		SELECT :team || '/' || (last_seq + i), :team, last_seq + i, 1, chain.at + i, CASE i % 100 WHEN 0 THEN 'someone' ELSE :user END, 'Ana', 'owner',
			CASE i % 1000 WHEN 0 THEN 'Secret rotated' ELSE 'Token shown' END, 'token', 'token ' || i, 'Bot, token ending in ' || i, '192.0.2.7',
			'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', 'REQUEST', 'TOKEN SHOWN BOT, TOKEN ENDING IN ' || i, `+hash+`i AS TEXT)
		FROM n, chain`),
		"UPDATE audit_chains SET last_seq = last_seq + "+number(n)+", last_hash = "+hash+number(n)+" AS TEXT) WHERE team_id = '"+actor.TeamID+"'")
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
