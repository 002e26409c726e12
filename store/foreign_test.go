package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// T6: the number of a file tells what others changed, and nothing else.
func TestForeignVersion(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	last := foreignVersion(t, db)
	for _, step := range []struct {
		name  string
		moves bool
		do    func()
	}{
		{"nothing", false, func() {}},
		{"own tokens, enough for checkpoints", false, func() { db.Tokens(t, app, 6000, models.Token{}) }},
		{"own changes", false, func() {
			if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
				t.Error(err)
			}
		}},
		{"own purge", false, func() { db.Wait(48 * time.Hour); purgeAll(t, db, usual); shrinkAll(t, db) }},
		{"own readers", false, func() { readTogether(t, db, ana) }},
		{"reading elsewhere", false, func() { db.Number(t, "SELECT COUNT(*) FROM tokens") }},
		{"another handle", true, func() { rename(t, db, "one") }},
		{"nothing again", false, func() {}},
		{"another handle again", true, func() { rename(t, db, "two") }},
		{"another store opens and reads", false, func() { elsewhere(t, db, func(*store.Store) {}) }},
		{"another store", true, func() {
			elsewhere(t, db, func(s *store.Store) {
				if err := s.AddResourceServer(t.Context(), models.CommandLine, resourceServer("API")); err != nil {
					t.Error(err)
				}
			})
		}},
	} {
		step.do()
		if now := foreignVersion(t, db); (now != last) != step.moves {
			t.Errorf("%s: %d after %d", step.name, now, last)
		}
		last = foreignVersion(t, db)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ForeignVersion(t.Context()); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("after closing: %v", err)
	}
}

func foreignVersion(t *testing.T, db *storetest.DB) int64 {
	t.Helper()
	version, err := db.ForeignVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func rename(t *testing.T, db *storetest.DB, name string) {
	t.Helper()
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET name = ?", name); err != nil {
		t.Fatal(err)
	}
}

// readTogether makes the store open all the connections it reads by.
func readTogether(t *testing.T, db *storetest.DB, ana models.Actor) {
	t.Helper()
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			for range 20 {
				if _, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
}

func elsewhere(t *testing.T, db *storetest.DB, do func(s *store.Store)) {
	t.Helper()
	other, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.AnyUser(t.Context()); err != nil {
		t.Error(err)
	}
	do(other)
}
