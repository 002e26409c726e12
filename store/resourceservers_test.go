package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func resourceServer(name string) models.ResourceServer {
	return models.ResourceServer{ID: store.NewID(), Name: name, ClientID: store.NewID(), Hash: []byte("hash of " + name)}
}

func TestResourceServers(t *testing.T) {
	db := storetest.New(t)
	ctx := t.Context()
	for _, name := range []string{"Zebra", "Straße", "antelope"} {
		if err := db.AddResourceServer(ctx, models.CommandLine, resourceServer(name)); err != nil {
			t.Fatal(err)
		}
	}
	if event := db.Events(t, "")[0]; event.Action != models.AuditResourceServerAdded || event.Target != "antelope" || event.TargetType != "resource server" { // D7
		t.Errorf("event %+v", event)
	}
	var fields models.FieldErrors
	if err := db.AddResourceServer(ctx, models.CommandLine, resourceServer("STRAßE")); !errors.As(err, &fields) || !strings.HasPrefix(fields["name"], "There is a resource server called STRAßE already") {
		t.Errorf("a name that is taken: %v", err)
	}
	list, err := db.ResourceServers(ctx)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []string{"antelope", "Straße", "Zebra"} {
		if list[i].Name != want || list[i].Hash != nil || list[i].CreatedAt != db.Now() || list[i].LastUsedAt != 0 {
			t.Errorf("row %d: %+v", i, list[i])
		}
	}
	if err := db.RemoveResourceServer(ctx, models.CommandLine, "ZEBRA"); err != nil {
		t.Errorf("whatever the case: %v", err)
	}
	if event := db.Events(t, "")[0]; event.Action != models.AuditResourceServerGone || event.Target != "Zebra" {
		t.Errorf("event %+v", event)
	}
	for _, name := range []string{"Zebra", "%", ""} {
		if err := db.RemoveResourceServer(ctx, models.CommandLine, name); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("removing %q: %v", name, err)
		}
	}
	if _, err := db.ClientByID(ctx, list[2].ClientID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the removed one is found: %v", err)
	}
	if events := db.Number(t, "SELECT COUNT(*) FROM audit_events"); events != 4 {
		t.Errorf("%d events for 4 changes", events)
	}
	if err := db.AddResourceServer(ctx, models.CommandLine, resourceServer("zebra")); err != nil {
		t.Errorf("the name of a removed one: %v", err)
	}
}

// D8: of fifty with one name one is added.
func TestResourceServerNamesAreUnique(t *testing.T) {
	db := storetest.New(t)
	if winners := race(func(int) error { return db.AddResourceServer(t.Context(), models.CommandLine, resourceServer("API")) }); winners != 1 {
		t.Errorf("%d winners", winners)
	}
}

// T8: for each credential it is known when it was last used.
func TestLastUseOfCredentials(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	key, server := db.Key(t, ana, app, "laptop"), resourceServer("API")
	if err := db.AddResourceServer(t.Context(), models.CommandLine, server); err != nil {
		t.Fatal(err)
	}
	client, err := db.ClientByID(t.Context(), app.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	later, tables := db.Now().Add(time.Hour), map[models.CredentialKind]string{
		models.CredentialSecret: "client_secrets", models.CredentialKey: "client_keys", models.CredentialResourceServer: "resource_servers",
	}
	uses := []models.CredentialUse{
		{Kind: models.CredentialSecret, ID: client.Secrets[0].ID, ApplicationID: app.ID},
		{Kind: models.CredentialKey, ID: key.ID, ApplicationID: app.ID},
		{Kind: models.CredentialResourceServer, ID: server.ID},
	}
	for i, use := range uses {
		for step, at := range []models.Time{later, later - 1, later.Add(time.Hour), later} {
			use.At = at + models.Time(i)
			if err := db.SaveLastUsed(t.Context(), nil, []models.CredentialUse{use}); err != nil {
				t.Fatal(err)
			}
			want := int64(later) + int64(i)
			if step >= 2 {
				want += time.Hour.Milliseconds()
			}
			if got := db.Number(t, "SELECT last_used_at FROM "+tables[use.Kind]); got != want {
				t.Errorf("%s, step %d: %d, want %d", use.Kind, step, got, want)
			}
		}
	}
	if got := db.Number(t, "SELECT last_used_at FROM applications WHERE type = 'service'"); got != int64(later.Add(time.Hour))+1 {
		t.Errorf("the application: %d", got)
	}
	list, err := db.ResourceServers(t.Context())
	if err != nil || list[0].LastUsedAt != later.Add(time.Hour)+2 {
		t.Errorf("the list: %+v, %v", list, err)
	}
}
