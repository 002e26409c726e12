package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// The database says which migration it is at, and stops saying so once it is closed.
func TestSchemaVersion(t *testing.T) {
	db := storetest.New(t)
	latest, err := migrations.Latest()
	if err != nil {
		t.Fatal(err)
	}
	if version, err := db.SchemaVersion(t.Context()); err != nil || version != latest || latest < 11 {
		t.Errorf("%d, want %d, %v", version, latest, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.SchemaVersion(gone); err == nil {
		t.Error("an answer to nobody")
	}
	pools, err := db.Pools()
	if err != nil || len(pools) != 2 || pools[0].OpenConnections == 0 || (pools[1].MaxOpenConnections == 1) == db.OnPostgres() {
		t.Errorf("%+v, %v", pools, err)
	}
}

// What waits is counted of all teams; no more of them are named than were asked for, those
// with most.
func TestWaiting(t *testing.T) {
	db := storetest.New(t)
	teams := make([]string, 4)
	for i := range teams {
		actor := db.Member(t, fmt.Sprintf("team%d", i), fmt.Sprintf("user%d", i), models.RoleOwner)
		teams[i] = actor.TeamID
		app := db.Application(t, actor, "Bot")
		for range i { // none of the first
			db.Token(t, actor, app, models.KindManual, store.NewID())
		}
		db.Token(t, actor, app, models.KindClientCredentials, store.NewID())
		revoked := db.Token(t, actor, app, models.KindManual, store.NewID())
		if _, _, err := db.RevokeToken(t.Context(), actor, app.ID, revoked.ID); err != nil {
			t.Fatal(err)
		}
		if i == 3 { // all of it are revoked together
			other := db.Application(t, actor, "Other")
			db.Token(t, actor, other, models.KindManual, store.NewID())
			if _, err := db.RevokeTokens(t.Context(), actor, other.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	w, err := db.Waiting(t.Context(), 2)
	if err != nil || w.Tokens != 6 || w.Teams != 3 || len(w.Expiring) != 2 || w.Expiring[0] != (store.TeamCount{TeamID: teams[3], Count: 3}) || w.Expiring[1].Count != 2 {
		t.Errorf("%+v, %v", w, err)
	}
	raw := db.Raw(t)
	defer raw.Close()
	for i, next := range []int64{5, 5, 0, 0, 0} {
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO webhook_deliveries (id, team_id, event, body, created_at, next_at, delivered_at) VALUES (?, ?, 'e', '{}', 1, ?, ?)", i, teams[1], next, i/4); err != nil {
			t.Fatal(err)
		}
	}
	db.Wait(2 * time.Hour) // they have expired
	if w, err := db.Waiting(t.Context(), 2); err != nil || w.Tokens != 0 || w.Teams != 0 || w.Deliveries != 2 || w.Failed != 2 {
		t.Errorf("%+v, %v", w, err)
	}
}
