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

// clients has one of each kind of client.
type clients struct {
	*storetest.DB
	full, keyed, gone, off models.Application
	server                 models.ResourceServer
}

func newClients(t *testing.T) clients {
	t.Helper()
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	c := clients{db, db.Application(t, ana, "Full"), db.Application(t, ana, "Keyed"), db.Application(t, ana, "Gone"), db.Application(t, ana, "Off"), resourceServer("API")}
	rotation := store.Rotation{Secret: models.ClientSecret{ID: "new", Hash: []byte("new"), Sealed: []byte("s")}, Overlap: time.Hour}
	db.Key(t, ana, c.full, "a")
	db.Key(t, ana, c.full, "b")
	db.Key(t, ana, c.keyed, "c")
	_, deleted := db.DeleteApplication(t.Context(), ana, c.gone.ID)
	for _, err := range []error{
		db.RotateSecret(t.Context(), ana, c.full.ID, rotation), db.RemoveSecret(t.Context(), ana, c.keyed.ID), deleted,
		db.SwitchApplication(t.Context(), ana, c.off.ID, false), db.AddResourceServer(t.Context(), models.CommandLine, c.server),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// credentials names what a client may prove itself by.
func credentials(client models.Client) string {
	var names []string
	for _, secret := range client.Secrets {
		names = append(names, string(secret.Hash))
	}
	for _, key := range client.Keys {
		names = append(names, key.JWK)
	}
	return strings.Join(names, ", ")
}

func TestClientByID(t *testing.T) {
	c := newClients(t)
	for name, test := range map[string]struct {
		id, credentials string
		enabled         bool
		err             error
	}{
		"secrets and keys":     {c.full.ClientID, "Full, new, JWK of a, JWK of b", true, nil},
		"a key alone":          {c.keyed.ClientID, "JWK of c", true, nil},
		"switched off":         {c.off.ClientID, "Off", false, nil},
		"resource server":      {c.server.ClientID, "hash of API", true, nil},
		"deleted":              {c.gone.ClientID, "", false, models.ErrNotFound},
		"unknown":              {store.NewID(), "", false, models.ErrNotFound},
		"empty":                {"", "", false, models.ErrNotFound},
		"a character too many": {c.full.ClientID + "x", "", false, models.ErrNotFound},
		"the ID of its row":    {c.full.ID, "", false, models.ErrNotFound},
	} {
		client, err := c.ClientByID(t.Context(), test.id)
		if !errors.Is(err, test.err) || err == nil && (client.ClientID != test.id || client.Enabled() != test.enabled) {
			t.Errorf("%s: %+v, %v", name, client, err)
		}
		if got := credentials(client); got != test.credentials {
			t.Errorf("%s: %s", name, got)
		}
	}
	if client, _ := c.ClientByID(t.Context(), c.server.ClientID); !client.IsResourceServer() || client.Application.ID != "" || client.ResourceServer.Name != "API" {
		t.Errorf("resource server %+v", client)
	}
	if _, err := c.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1"); err != nil {
		t.Fatal(err)
	}
	if client, err := c.ClientByID(t.Context(), c.full.ClientID); err != nil || client.Enabled() {
		t.Errorf("an application of a suspended team may use the endpoints, %v", err)
	}
}

// T7: deleting an application erases all that it could prove itself by.
func TestDeletedApplicationsLeaveNoCredential(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	gone, stays := db.Application(t, ana, "Gone"), db.Application(t, ana, "Stays")
	for _, app := range []models.Application{gone, stays} {
		db.Key(t, ana, app, "laptop")
		if err := db.UseAssertion(t.Context(), app.ID, []byte("used"), db.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.DeleteApplication(t.Context(), ana, gone.ID); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"client_secrets", "client_keys", "client_assertions"} {
		for app, want := range map[string]int64{gone.ID: 0, stays.ID: 1} {
			if n := db.Number(t, "SELECT COUNT(*) FROM "+table+" WHERE application_id = ?", app); n != want {
				t.Errorf("%s: %d rows, want %d", table, n, want)
			}
		}
	}
}

// D8: an assertion counts once, whoever comes at the same time.
func TestAssertionsCountOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other")
	expires := db.Now().Add(time.Minute)
	use := func(app models.Application) error {
		return db.UseAssertion(t.Context(), app.ID, []byte("hash of an ID"), expires)
	}
	winners := race(func(int) error {
		err := use(app)
		if err != nil && !errors.Is(err, models.ErrConflict) {
			t.Error(err)
		}
		return err
	})
	if winners != 1 {
		t.Errorf("%d of 50 won", winners)
	}
	if err := use(other); err != nil {
		t.Errorf("the same ID from another application: %v", err)
	}
	purged := func() int64 {
		purgeAll(t, db, usual)
		return db.Number(t, "SELECT COUNT(*) FROM client_assertions")
	}
	db.Until(expires.Add(time.Minute))
	if n := purged(); n != 2 || !errors.Is(use(app), models.ErrConflict) {
		t.Errorf("%d left a minute after they expired", n)
	}
	db.Wait(time.Millisecond)
	if n := purged(); n != 0 { // T7
		t.Errorf("%d left when they expired more than a minute ago", n)
	}
}

// R4: there may be millions of them, and tokens are issued beside their end.
func TestAssertionsEndInSmallSteps(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	for i := range 1200 {
		if err := db.UseAssertion(t.Context(), app.ID, []byte(store.NewID()), db.Now().Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	db.Wait(time.Hour)
	p := db.PurgeLeftovers()
	for i, left := range []int64{700, 200, 0} {
		done, err := p.Step(t.Context())
		if n := db.Number(t, "SELECT COUNT(*) FROM client_assertions"); n != left || done != (left == 0) || err != nil || p.Deleted != 0 {
			t.Errorf("step %d: %d left, %v, %v, %d tokens deleted", i, n, done, err, p.Deleted)
		}
	}
}
