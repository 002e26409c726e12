package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func clientKey(name, thumbprint string) models.ClientKey {
	return models.ClientKey{ID: store.NewID(), Name: name, JWK: "{}", Thumbprint: thumbprint, Description: "RSA, 2048 bits"}
}

// D8: fifty at once yield as many keys as an application may have.
func TestFiveKeysAtMost(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other")
	winners := race(func(i int) error {
		err := db.AddClientKey(t.Context(), ana, app.ID, clientKey(fmt.Sprint("key ", i), fmt.Sprint("thumbprint ", i)), "")
		var fields models.FieldErrors
		if err != nil && (!errors.As(err, &fields) || len(fields) != 1 || !strings.Contains(fields["key"], "five public keys at most")) {
			t.Errorf("got %v", err)
		}
		return err
	})
	if rows := db.Number(t, "SELECT COUNT(*) FROM client_keys"); winners != models.MaxClientKeys || rows != models.MaxClientKeys {
		t.Errorf("%d winners, %d keys", winners, rows)
	}
	if events := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", models.AuditKeyAdded); events != models.MaxClientKeys { // D7
		t.Errorf("%d events", events)
	}
	client, err := db.ClientByID(t.Context(), app.ClientID)
	if err != nil || len(client.Keys) != models.MaxClientKeys {
		t.Fatalf("the client has %d keys, %v", len(client.Keys), err)
	}
	db.Key(t, ana, other, "one of another application")
	if _, err := db.RemoveClientKey(t.Context(), ana, app.ID, client.Keys[0].ID); err != nil {
		t.Fatal(err)
	}
	db.Key(t, ana, app, "in the place of a removed one")
}

func TestKeyThatIsThereAlready(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other")
	if err := db.AddClientKey(t.Context(), ana, app.ID, clientKey("Straße 1", "abc"), "form-1"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		app  models.Application
		key  models.ClientKey
		form string
		want models.FieldErrors
	}{
		{"same form again", app, clientKey("Straße 1", "abc"), "form-1", nil},
		{"name, whatever case", app, clientKey("STRAßE 1", "def"), "form-2", models.FieldErrors{"name": "There is a key called Straße 1 already. Choose another name."}},
		{"same key", app, clientKey("Two", "abc"), "form-3", models.FieldErrors{"key": "The application has this key already, called Straße 1."}},
		{"both", app, clientKey("straße 1", "abc"), "", models.FieldErrors{"name": "called Straße 1", "key": "called Straße 1"}},
		{"of another one", other, clientKey("Straße 1", "abc"), "form-4", nil},
		{"its form may be reused", app, clientKey("Three", "ghi"), "form-2", nil},
	} {
		err := db.AddClientKey(t.Context(), ana, test.app.ID, test.key, test.form)
		var fields models.FieldErrors
		if errors.As(err, &fields) != (test.want != nil) || len(fields) != len(test.want) || err != nil && test.want == nil {
			t.Errorf("%s: %v", test.name, err)
		}
		for field, want := range test.want {
			if !strings.Contains(fields[field], want) {
				t.Errorf("%s: %s: %q", test.name, field, fields[field])
			}
		}
	}
	detail, err := db.Store.Application(t.Context(), ana.TeamID, app.ID)
	if err != nil || len(detail.Keys) != 2 || detail.Keys[0].CreatedByName != "ana" || detail.Keys[0].CreatedAt != db.Now() {
		t.Errorf("the page lists %+v, %v", detail.Keys, err)
	}
}

// D3: a key is reached through its own application and team alone.
func TestKeysOfOthersAreNotFound(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app, sibling, foreign := db.Application(t, ana, "Bot"), db.Application(t, ana, "Sibling"), db.Application(t, eve, "Foreign")
	key := db.Key(t, ana, app, "laptop")
	events := len(db.Events(t, ""))
	for name, attempt := range map[string]func() error{
		"add":    func() error { return db.AddClientKey(t.Context(), eve, app.ID, clientKey("x", "y"), "") },
		"remove": func() error { _, err := db.RemoveClientKey(t.Context(), eve, app.ID, key.ID); return err },
		"remove through own": func() error {
			_, err := db.RemoveClientKey(t.Context(), eve, foreign.ID, key.ID)
			return err
		},
		"remove through a sibling": func() error { _, err := db.RemoveClientKey(t.Context(), ana, sibling.ID, key.ID); return err },
		"unknown":                  func() error { _, err := db.RemoveClientKey(t.Context(), ana, app.ID, store.NewID()); return err },
		"remove the secret":        func() error { return db.RemoveSecret(t.Context(), eve, app.ID) },
	} {
		if err := attempt(); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if keys := db.Number(t, "SELECT COUNT(*) FROM client_keys"); keys != 1 || len(db.Events(t, "")) != events {
		t.Errorf("%d keys, %d new events", keys, len(db.Events(t, ""))-events)
	}
}

func TestRemovingAKeyAndASecret(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	if err := db.RemoveSecret(t.Context(), ana, app.ID); !errors.Is(err, models.ErrConflict) {
		t.Errorf("without a key: %v", err)
	}
	key := db.Key(t, ana, app, "laptop")
	wantEvents := func(action models.AuditAction, n int64, do func() error) {
		t.Helper()
		before := db.Number(t, "SELECT COUNT(*) FROM audit_events")
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if got := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", action); got != 1 || db.Number(t, "SELECT COUNT(*) FROM audit_events") != before+n {
			t.Errorf("%s: %d times", action, got)
		}
	}
	wantEvents(models.AuditSecretRemoved, 1, func() error { return db.RemoveSecret(t.Context(), ana, app.ID) })
	wantEvents(models.AuditSecretRemoved, 0, func() error { return db.RemoveSecret(t.Context(), ana, app.ID) })
	if n := db.Number(t, "SELECT COUNT(*) FROM client_secrets"); n != 0 {
		t.Errorf("%d secrets", n)
	}
	wantEvents(models.AuditKeyRemoved, 1, func() error {
		was, err := db.RemoveClientKey(t.Context(), ana, app.ID, key.ID)
		if was.Name != "laptop" || was.Thumbprint != key.Thumbprint {
			t.Errorf("removed %+v", was)
		}
		return err
	})
	if event := db.Events(t, ana.TeamID)[0]; event.Detail != "laptop (EC, P-256), thumbprint thumbprint of laptop" || event.TargetID != app.ID {
		t.Errorf("event %+v", event)
	}
	client, err := db.ClientByID(t.Context(), app.ClientID)
	if err != nil || len(client.Keys) != 0 || len(client.Secrets) != 0 {
		t.Errorf("client %+v, %v", client, err)
	}
	rotation := store.Rotation{Secret: models.ClientSecret{ID: store.NewID(), Hash: []byte("new"), Sealed: []byte("s"), Last4: "wxyz"}}
	if err := db.RotateSecret(t.Context(), ana, app.ID, rotation); err != nil {
		t.Errorf("a new secret where there is none: %v", err)
	}
}
