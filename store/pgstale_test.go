package store_test

import (
	"database/sql"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// A newer program adds columns beside one that serves, which goes on without an error: the
// statements of all its connections are of before.
func TestColumnsAreAddedBesideANode(t *testing.T) {
	for name, pool := range map[string]bool{"direct": false, "behind a pooler": true} {
		t.Run(name, func(t *testing.T) {
			direct := pgtest.Database(t, migrations.Postgres(), storetest.Migrate)
			address, options := direct, store.Options{}
			if pool {
				address, options.Direct = pooled(t, direct), direct
			}
			s, err := store.Open(address, func() models.Time { return storetest.Start }, options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			db := &storetest.DB{Store: s, Path: direct}
			db.Until(storetest.Start)
			server, err := sql.Open("pgx", direct)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = server.Close() })
			ana := db.Member(t, "northwind", "ana", models.RoleOwner)
			app := db.Application(t, ana, "Bot")
			deeds := map[string]func() error{
				"user": func() error { _, err := db.User(t.Context(), ana.UserID); return err },
				"applications": func() error {
					_, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{})
					return err
				},
				"client": func() error { _, err := db.ClientByID(t.Context(), app.ClientID); return err },
				"reveal": func() error { _, err := db.RevealSecret(t.Context(), ana, app.ID); return err },
			}
			all := func() {
				for what, deed := range deeds {
					var callers sync.WaitGroup
					for range 20 {
						callers.Go(func() {
							if err := deed(); err != nil {
								t.Errorf("%s: %v", what, err)
							}
						})
					}
					callers.Wait()
				}
			}
			all()
			all()
			for _, table := range []string{"users", "applications", "teams", "client_secrets", "audit_events"} {
				if _, err := server.ExecContext(t.Context(), "ALTER TABLE "+table+" ADD COLUMN added TEXT NOT NULL DEFAULT ''"); err != nil {
					t.Fatal(err)
				}
			}
			all()
		})
	}
}
