package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// migratedPath is the address of a database of the test's own, of the kind that is tested.
func migratedPath(t testing.TB) string {
	t.Helper()
	if pgtest.Chosen() {
		return pgtest.Database(t, migrations.Postgres(), migrateAt)
	}
	path := filepath.Join(t.TempDir(), "latchkey.db")
	if err := migrateAt(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func migrateAt(ctx context.Context, path string) error {
	s, err := Open(path, func() models.Time { return 1000 }) //nolint:contextcheck // Open takes none
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx, migrations.Run)
	return errors.Join(err, s.Close())
}

// migrated is for tests of what SQLite alone has.
func migrated(t *testing.T) (*Store, models.Actor) {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "latchkey.db"), func() models.Time { return 1000 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context(), migrations.Run); err != nil {
		t.Fatal(err)
	}
	user, err := s.Setup(t.Context(), models.Actor{}, Account{Name: "Ana", Email: "ana@example.com", Team: "Northwind", PasswordHash: "-"})
	if err != nil {
		t.Fatal(err)
	}
	var member models.Member
	if err := s.reads.Where("user_id = ?", user.ID).Take(&member).Error; err != nil {
		t.Fatal(err)
	}
	return s, models.Actor{UserID: user.ID, TeamID: member.TeamID}
}

func (s *Store) try(ctx context.Context, actor models.Actor, i int) error {
	app := models.Application{ID: NewID(), Type: models.TypeService, Name: fmt.Sprint("App ", i), ClientID: NewID(), Lifespan: 60, Scopes: "api"}
	_, err := s.CreateApplication(ctx, actor, app, models.ClientSecret{ID: NewID(), Hash: []byte("h"), Sealed: make([]byte, 4096)}, "")
	return err
}

// A full database refuses the change whole, still answers reads, and goes on
// when there is room again.
func TestFullDatabase(t *testing.T) { // A6
	s, actor := migrated(t)
	var pages int
	s.writes.Raw("PRAGMA page_count").Scan(&pages)
	s.writes.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+20))
	stored := 0
	var err error
	for i := range 100 {
		if err = s.try(t.Context(), actor, i); err != nil {
			break
		}
		stored++
	}
	if !errors.Is(err, models.ErrUnavailable) {
		t.Fatalf("after %d applications: %v", stored, err)
	}
	list, err := s.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{})
	if err != nil || list.Total != int64(stored)+1 { // and the one that is built in
		t.Errorf("%d of %d applications, %v", list.Total, stored, err)
	}
	var events int
	s.reads.Raw("SELECT COUNT(*) FROM audit_events").Scan(&events)
	if events != stored+1 {
		t.Errorf("%d events for %d changes", events, stored+1)
	}
	s.writes.Exec("PRAGMA max_page_count = 1000000")
	if err := s.try(t.Context(), actor, 1000); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestLockedDatabase(t *testing.T) {
	t.Parallel() // it waits for SQLite
	s, actor := migrated(t)
	var path string
	s.reads.Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
	other, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.try(ctx, actor, 1); !errors.Is(err, models.ErrBusy) && !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{}); err != nil {
		t.Errorf("reading beside the lock: %v", err)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.try(t.Context(), actor, 2); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// The reading handle cannot write, whatever is asked of it.
func TestReadingHandleCannotWrite(t *testing.T) {
	s, _ := migrated(t)
	if err := translate(s.reads.Exec("DELETE FROM users").Error); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// What is answered is on the disk: each commit is written through (promise 5).
func TestCommitsAreWrittenThrough(t *testing.T) {
	s, _ := migrated(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1", "auto_vacuum": "2"} {
		var got string
		if err := s.writes.Raw("PRAGMA " + pragma).Scan(&got).Error; err != nil || got != want {
			t.Errorf("%s is %s, want %s, %v", pragma, got, want, err)
		}
	}
}
