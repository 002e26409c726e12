package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// restoredOver is what a backup becomes in the place of a database, by what that one knows.
func restoredOver(t *testing.T, copied *storetest.DB, path string, all bool) store.Restored {
	t.Helper()
	known := store.RevokedBefore{}
	if path != "" {
		place := take(t, path)
		var err error
		if known, err = place.RevokedBefore(t.Context(), copied.Store); err != nil {
			t.Fatal(err)
		}
		if err := place.Close(); err != nil {
			t.Fatal(err)
		}
	}
	done, err := copied.FinishRestore(t.Context(), models.CommandLine, known, all)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func good(t *testing.T, db *storetest.DB) int64 {
	t.Helper()
	return db.Number(t, "SELECT COUNT(*) FROM tokens t JOIN applications a ON a.id = t.application_id WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?", db.Now())
}

// O10: what was revoked after the backup stays revoked where the replaced database knows it: one
// by one, all of an application, and those that were purged since.
func TestRestoreKeepsRevocations(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	one, all, purged := db.Application(t, ana, "One"), db.Application(t, ana, "All"), db.Application(t, ana, "Purged")
	later := models.Token{ExpiresAt: db.Now().Add(1000 * time.Hour)}
	token := db.Tokens(t, one, 8, later)[0]
	db.Tokens(t, all, 20, later)
	db.Tokens(t, purged, 5, later)
	early, path := backUp(t, db), backUp(t, db)
	again := backUp(t, db)
	if _, _, err := db.RevokeToken(t.Context(), ana, one.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	for _, app := range []models.Application{all, purged} {
		if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
			t.Fatal(err)
		}
	}
	db.Wait(48 * time.Hour)
	if _, err := db.Raw(t).ExecContext(t.Context(), "DELETE FROM tokens WHERE application_id = ?", purged.ID); err != nil {
		t.Fatal(err)
	}
	// The number of the epoch is not what tells.
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE applications SET epoch = 0 WHERE id = ?", purged.ID); err != nil {
		t.Fatal(err)
	}
	db.Tokens(t, one, 3, later) // since then
	copied := openCopy(t, path, db.Now)
	if done := restoredOver(t, copied, backUp(t, db), false); done.Tokens != 26 || good(t, copied) != 7 {
		t.Errorf("%+v, good: %d", done, good(t, copied))
	}
	event := copied.Events(t, "")[0]
	if event.Action != models.AuditRestored || event.Detail != "0 sessions ended, 0 links ended, 26 tokens revoked" {
		t.Errorf("%+v", event)
	}
	if verdict, err := copied.VerifyAudit(t.Context(), "", models.AuditHead{}); err != nil || verdict.Break != nil {
		t.Errorf("%+v, %v", verdict, err)
	}
	// Elsewhere nobody knows what was revoked.
	elsewhere := openCopy(t, again, db.Now)
	if done := restoredOver(t, elsewhere, "", false); done.Tokens != 0 || good(t, elsewhere) != 33 {
		t.Errorf("%+v, good: %d", done, good(t, elsewhere))
	}
	revoked := openCopy(t, early, db.Now)
	if done := restoredOver(t, revoked, "", true); done.Tokens != 33 || good(t, revoked) != 0 {
		t.Errorf("%+v, good: %d", done, good(t, revoked))
	}
}

// A database that came to be from an older backup never had what was issued since: those tokens
// were not revoked.
func TestRestoreNewerOverOlder(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	older := backUp(t, db)
	db.Tokens(t, app, 10, models.Token{})
	newer := openCopy(t, backUp(t, db), db.Now)
	mistaken := openCopy(t, older, db.Now)
	restoredOver(t, mistaken, "", false)
	mistaken.Tokens(t, app, 2, models.Token{})
	if done := restoredOver(t, newer, backUp(t, mistaken), false); done.Tokens != 0 || good(t, newer) != 10 {
		t.Errorf("%+v, good: %d", done, good(t, newer))
	}
	// Nor has one of somebody else.
	other := storetest.SQLite(t)
	other.Member(t, "contoso", "bo", models.RoleOwner)
	if done := restoredOver(t, newer, backUp(t, other), false); done.Tokens != 0 || good(t, newer) != 10 {
		t.Errorf("%+v, good: %d", done, good(t, newer))
	}
}

// S3, S14: what was good once is not good once more.
func TestRestoreEndsWhatHadBegun(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for _, statement := range []string{
		"INSERT INTO sessions (id_hash, user_id, ref, created_at, last_seen_at, proven_at) VALUES (x'01', :user, 'a', 1, 1, 1), (x'02', :user, 'b', 1, 1, 1)",
		"INSERT INTO invitations (id, team_id, email, email_key, role, code_hash, sealed, created_at, expires_at) VALUES ('i', :team, 'x', 'x', 'viewer', x'01', x'01', 1, 9e15)",
		"INSERT INTO ceremonies (id_hash, kind, created_at, expires_at) VALUES (x'01', 'reset', 1, 9e15)",
		"INSERT INTO tickets (hash, token_hash, team_id, expires_at) VALUES (x'01', x'02', :team, 9e15)",
	} {
		statement = strings.NewReplacer(":user", "'"+ana.UserID+"'", ":team", "'"+ana.TeamID+"'", "9e15", "9000000000000000").Replace(statement)
		if _, err := db.Raw(t).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	copied := openCopy(t, backUp(t, db), db.Now)
	if done := restoredOver(t, copied, "", false); done != (store.Restored{Sessions: 2, Links: 2}) {
		t.Errorf("%+v", done)
	}
	for _, table := range []string{"sessions", "invitations", "ceremonies", "tickets"} {
		if n := copied.Number(t, "SELECT COUNT(*) FROM "+table); n != 0 {
			t.Errorf("%s: %d", table, n)
		}
	}
}
