package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// heard is everything that notices named, by what a cache looks up.
type heard struct{ application, client, token string }

func told(notices []models.Notice) heard {
	var all heard
	for _, notice := range notices {
		all.application += notice.ApplicationID
		all.client += notice.ClientID
		all.token += string(notice.TokenHash)
	}
	return all
}

// D7: whatever a cache may hold is named to it before the method returns.
func TestWhoIsToldWhat(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other, server := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other"), resourceServer("API")
	key := clientKey("laptop", "abc")
	token := db.Token(t, ana, app, models.KindClientCredentials, "one")
	db.Tokens(t, app, 3, models.Token{})
	used := []models.TokenUse{{TokenID: token.ID, ApplicationID: app.ID, At: 1}}
	var notices []models.Notice
	db.Subscribe(func(notice models.Notice) { notices = append(notices, notice) })
	ctx, whole, one := t.Context(), heard{app.ID, app.ClientID, ""}, heard{app.ID, app.ClientID, "one"}
	values, rotation := models.ApplicationValues{Name: "New", Lifespan: 60, Scopes: "api"}, store.Rotation{Secret: models.ClientSecret{ID: "s", Hash: []byte("s"), Sealed: []byte("s")}, Overlap: time.Hour}
	for _, step := range []struct {
		name string
		do   func() error
		want heard
	}{
		{"change", func() error { return db.ChangeApplication(ctx, ana, app.ID, values, 0) }, whole},
		{"off", func() error { return db.SwitchApplication(ctx, ana, app.ID, false) }, whole},
		{"on", func() error { return db.SwitchApplication(ctx, ana, app.ID, true) }, whole},
		{"rotate", func() error { return db.RotateSecret(ctx, ana, app.ID, rotation) }, whole},
		{"retire", func() error { return db.RetireSecret(ctx, ana, app.ID) }, whole},
		{"add key", func() error { return db.AddClientKey(ctx, ana, app.ID, key, "") }, whole},
		{"remove secret", func() error { return db.RemoveSecret(ctx, ana, app.ID) }, whole},
		{"remove key", func() error { _, err := db.RemoveClientKey(ctx, ana, app.ID, key.ID); return err }, whole},
		{"revoke", func() error { _, _, err := db.RevokeToken(ctx, ana, app.ID, token.ID); return err }, one},
		{"revoke all", func() error { _, err := db.RevokeTokens(ctx, ana, app.ID); return err }, whole},
		{"delete", func() error { _, err := db.DeleteApplication(ctx, ana, app.ID); return err }, whole},
		{"add resource server", func() error { return db.AddResourceServer(ctx, models.CommandLine, server) }, heard{}},
		{"remove resource server", func() error { return db.RemoveResourceServer(ctx, models.CommandLine, "api") }, heard{client: server.ClientID}},
		{"issue", func() error { db.Tokens(t, other, 1, models.Token{}); return nil }, heard{}},
		{"last used", func() error { return db.SaveLastUsed(ctx, used, nil) }, heard{}},
		{"purge", func() error { _, err := purge(ctx, db, usual); return err }, heard{}},
		{"sweep", func() error { return db.Sweep(ctx, time.Hour, time.Hour) }, heard{}},
		{"nobody's", func() error { return ignore(db.SwitchApplication(ctx, ana, "nobody", false)) }, heard{}},
	} {
		notices = nil
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := told(notices); got != step.want {
			t.Errorf("%s: told %+v, want %+v", step.name, got, step.want)
		}
	}
}

func ignore(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("got %w, want not found", err)
}

// What is told can be read already: a cache that reads at once does not take the
// old for the new. Every subscriber is told.
func TestNoticesComeAfterTheCommit(t *testing.T) { // T6
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindClientCredentials, "one")
	db.Token(t, ana, app, models.KindClientCredentials, "two")
	var seen []models.Refusal
	for range 2 {
		db.Subscribe(func(notice models.Notice) {
			if len(notice.TokenHash) > 0 {
				seen = append(seen, refusal(t, db, string(notice.TokenHash)))
			} else {
				seen = append(seen, refusal(t, db, "two"))
			}
		})
	}
	if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 4 || seen[2] != models.RefusedRevoked || seen[3] != models.RefusedRevoked {
		t.Errorf("revoke: %q", seen)
	}
	seen = nil
	if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[0] != models.RefusedRevoked || seen[1] != models.RefusedRevoked {
		t.Errorf("revoke all: %q", seen)
	}
}
