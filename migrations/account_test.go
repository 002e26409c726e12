package migrations_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3" // makes the older database
	"github.com/pressly/goose/v3"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// Sessions that are open during an update go on, each under a name of its own in forms,
// and failures from before are no news.
func TestOpenSessionsGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_foreign_keys=on")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("sqlite"), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO users (id, email, email_key, name, password_hash, created_at, last_seen_at) VALUES ('ana', 'a@b.c', 'a@b.c', 'Ana', '-', 1, 900)",
		"INSERT INTO sessions (id_hash, user_id, created_at, last_seen_at, proven_at) VALUES (x'01', 'ana', 1, 900, 1), (x'02', 'ana', 1, 800, 1)",
		"INSERT INTO audit_events (id, team_id, at, actor_name, action, target_id) VALUES ('old', '', 500, 'Unknown', 'Sign-in failed', 'ana')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	_ = db.Close()
	s, err := store.Open(path, func() models.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(context.Background(), migrations.Run); err != nil {
		t.Fatal(err)
	}
	sessions, err := s.Sessions(t.Context(), "ana")
	if err != nil || len(sessions) != 2 || sessions[0].Ref == sessions[1].Ref || len(sessions[0].Ref) != 32 {
		t.Errorf("sessions %+v, %v", sessions, err)
	}
	user, err := s.User(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if failures, err := s.NewFailures(t.Context(), user); err != nil || failures.Count != 0 {
		t.Errorf("%+v, %v", failures, err)
	}
}
