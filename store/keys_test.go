package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

var oldSeal = models.KeyState{Kind: models.KeySeal, Name: "0a0b0c0d", Prefix: []byte("\x01\x0a\x0b\x0c\x0d")}

func sealedByOld(value string) []byte { return append(slices.Clone(oldSeal.Prefix), value...) }

// K5: no column of sealed values is forgotten when keys are rotated.
func TestAllSealedColumnsAreKnown(t *testing.T) {
	db := storetest.New(t)
	columns := "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name LIKE '%seal%' AND t.name <> 'key_nodes'"
	if db.OnPostgres() {
		columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name LIKE '%seal%' AND table_name <> 'key_nodes'"
	}
	rows, err := db.Raw(t).QueryContext(t.Context(), columns)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if column != "sealed" {
			t.Errorf("%s.%s: rotation knows columns called sealed alone", table, column)
		}
		tables = append(tables, table)
	}
	known := db.SealedTables()
	if known[0] != "key_checks" {
		t.Errorf("%s comes before the check of the key file", known[0])
	}
	slices.Sort(tables)
	slices.Sort(known)
	if err := rows.Err(); err != nil || !slices.Equal(tables, known) {
		t.Errorf("the tables have sealed values in %v, known are %v, %v", tables, known, err)
	}
}

// K5: what changed after it was read is left alone, the rest is replaced.
func TestReseal(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	for i := range 3 {
		token := models.Token{ID: fmt.Sprint("token ", i), ApplicationID: app.ID, TeamID: app.TeamID, Kind: models.KindManual, Hash: fmt.Append(nil, i), Last4: "Zk3Q", Scopes: "api", ExpiresAt: db.Now().Add(time.Hour), Sealed: sealedByOld(fmt.Sprint(i))}
		if _, err := db.CreateManualToken(t.Context(), ana, token, ""); err != nil {
			t.Fatal(err)
		}
	}
	values, err := db.SealedValues(t.Context(), "tokens", oldSeal.Prefix, "")
	if err != nil || len(values) != 3 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	if after, err := db.SealedValues(t.Context(), "tokens", oldSeal.Prefix, values[1].ID); err != nil || len(after) != 1 || after[0].ID != values[2].ID {
		t.Errorf("%v after the second, %v", after, err)
	}
	if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, "token 1"); err != nil {
		t.Fatal(err)
	}
	for i := range values {
		values[i].Anew = fmt.Append(nil, "anew ", i)
	}
	for range 2 {
		if err := db.Reseal(t.Context(), "tokens", values); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM tokens WHERE sealed LIKE 'anew %' AND id IN ('token 0', 'token 2')"); n != 2 {
		t.Errorf("%d of 2 sealed anew", n)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM tokens WHERE sealed IS NULL AND id = 'token 1'"); n != 1 {
		t.Error("a revoked token got its value back")
	}
	if err := db.Reseal(t.Context(), "users", values); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a table without sealed values: %v", err)
	}
}

// Of millions of tokens those of one key are found by an index.
func TestSealedTokensAreFoundByIndex(t *testing.T) {
	db := storetest.New(t)
	for _, query := range []string{
		"SELECT id, sealed FROM tokens WHERE sealed IS NOT NULL AND substr(sealed, 1, 5) = ? AND id > '' ORDER BY id LIMIT 500",
		"SELECT COUNT(*) FROM tokens WHERE sealed IS NOT NULL AND substr(sealed, 1, 5) = ?",
	} {
		if plan := db.Explain(t, query, []byte{1, 10, 11, 12, 13}); !strings.Contains(plan, "tokens_by_key") {
			t.Errorf("%s: %s", query, plan)
		}
	}
}

// K5: nothing is stored any more that a closed key sealed, by whichever way, and nothing of that
// deed is left: the key may be gone before anybody could open it.
func TestClosedKeysSealNothing(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	if err := db.SetWebhook(t.Context(), ana, "https://example.com/a", []byte("another key's")); err != nil {
		t.Fatal(err)
	}
	bob := db.Member(t, "contoso", "bob", models.RoleOwner)
	if err := db.CloseKeys(t.Context(), models.CommandLine, []models.KeyState{oldSeal}); err != nil {
		t.Fatal(err)
	}
	ctx, sealed := t.Context(), sealedByOld("value")
	secret := models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: sealed, Last4: "wxyz"}
	rows := "SELECT (SELECT COUNT(*) FROM audit_events) + (SELECT COUNT(*) FROM tokens) + (SELECT COUNT(*) FROM client_secrets) + (SELECT COUNT(*) FROM authenticators) + (SELECT COUNT(*) FROM invitations) + (SELECT COUNT(*) FROM webhooks)"
	before := db.Number(t, rows)
	for name, do := range map[string]func() error{
		"application": func() error {
			_, err := db.CreateApplication(ctx, ana, models.Application{ID: store.NewID(), Type: models.TypeService, Name: "New", ClientID: store.NewID(), Lifespan: 60, Scopes: "api"}, secret, "")
			return err
		},
		"client secret": func() error { return db.RotateSecret(ctx, ana, app.ID, store.Rotation{Secret: secret}) },
		"manual token": func() error {
			_, err := db.CreateManualToken(ctx, ana, models.Token{ID: store.NewID(), ApplicationID: app.ID, TeamID: app.TeamID, Kind: models.KindManual, Hash: []byte("t"), Sealed: sealed, ExpiresAt: db.Now().Add(time.Hour)}, "")
			return err
		},
		"temporary token": func() error {
			_, err := db.CreateTemporaryToken(ctx, ana, models.Token{ID: store.NewID(), TeamID: ana.TeamID, Hash: []byte("u"), Sealed: sealed, Scopes: "api", ExpiresAt: models.NewRotation(3600).Ends(db.Now())})
			return err
		},
		"authenticator app": func() error {
			return db.AddAuthenticator(ctx, ana, models.Authenticator{Sealed: sealed}, []string{"code"}, nil)
		},
		"webhook":        func() error { return db.SetWebhook(ctx, bob, "https://example.com/b", sealed) },
		"webhook secret": func() error { return db.RotateWebhookSecret(ctx, ana, sealed, "") },
		"invitation": func() error {
			_, err := db.Invite(ctx, ana, models.Invitation{ID: store.NewID(), Email: "c@example.com", Role: models.RoleViewer, CodeHash: []byte("c"), Sealed: sealed}, "")
			return err
		},
	} {
		if err := do(); !errors.Is(err, models.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if n := db.Number(t, rows); n != before {
			t.Errorf("%s: %d rows of %d", name, n, before)
		}
	}
}

// K5: a key is retired when nothing depends on it, which is decided where that is looked at.
func TestRetireKey(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	session := models.KeyState{Kind: models.KeySession, Name: "6005fdb0", Prefix: []byte{}}
	secret := models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: sealedByOld("x"), Last4: "wxyz"}
	app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: "Bot", ClientID: store.NewID(), Lifespan: 60, Scopes: "api"}
	if _, err := db.CreateApplication(t.Context(), ana, app, secret, ""); err != nil {
		t.Fatal(err)
	}
	for kind, life := range map[models.CeremonyKind]time.Duration{models.CeremonyAuthenticator: 10 * time.Minute, models.CeremonySecondFactor: 30 * time.Minute, models.CeremonyReset: 7 * 24 * time.Hour} {
		if err := db.BeginCeremony(t.Context(), models.Ceremony{IDHash: []byte(kind), Kind: kind, UserID: ana.UserID}, life); err != nil {
			t.Fatal(err)
		}
	}
	proof := models.Proof{UserID: ana.UserID, Method: models.ByPassword, PasswordHash: "-"}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("s")}, proof, []byte("before"), []byte("browser")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.CloseKeys(t.Context(), models.CommandLine, []models.KeyState{oldSeal, session}); err != nil {
			t.Fatal(err)
		}
	}
	states, err := db.KeyStates(t.Context())
	if err != nil || len(states) != 2 {
		t.Fatalf("%v, %v", states, err)
	}
	seal, session := states[0], states[1]
	uses := func(key models.KeyState, want models.KeyUse) {
		t.Helper()
		if got, err := db.KeyUse(t.Context(), key); err != nil || got != want {
			t.Errorf("%s key: %+v, %v, want %+v", key.Kind, got, err, want)
		}
		err := db.RetireKey(t.Context(), models.CommandLine, key)
		if want.None() != (err == nil) || err != nil && !errors.Is(err, models.ErrConflict) {
			t.Errorf("%s key retired with %+v: %v", key.Kind, want, err)
		}
	}
	uses(seal, models.KeyUse{Values: 1, Steps: 1})
	uses(session, models.KeyUse{Steps: 2, Sessions: 1})
	values, err := db.SealedValues(t.Context(), "client_secrets", seal.Prefix, "")
	if err != nil || len(values) != 1 {
		t.Fatal(values, err)
	}
	values[0].Anew = []byte("new")
	if err := db.Reseal(t.Context(), "client_secrets", values); err != nil {
		t.Fatal(err)
	}
	uses(seal, models.KeyUse{Steps: 1})
	db.Wait(10 * time.Minute)
	uses(seal, models.KeyUse{})
	uses(session, models.KeyUse{Steps: 1, Sessions: 1})
	db.Wait(20 * time.Minute)
	if err := db.SignOut(t.Context(), ana, []byte("s")); err != nil {
		t.Fatal(err)
	}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("later")}, proof, []byte("before"), []byte("browser")); err != nil {
		t.Fatal(err)
	}
	uses(session, models.KeyUse{})
	events := map[models.AuditAction]int{}
	for _, event := range db.Events(t, "") {
		events[event.Action]++
	}
	if events[models.AuditKeysClosed] != 1 || events[models.AuditKeyRetired] != 2 {
		t.Errorf("%v in the log", events)
	}
}

// A node counts while it says so, and is forgotten later.
func TestKeyNodes(t *testing.T) {
	db := storetest.New(t)
	see := func(id, sealing string) {
		t.Helper()
		if err := db.SeeKeys(t.Context(), models.KeyNode{ID: id, Name: "host", Seal: "a b", Sealing: sealing, Sessions: "s", Since: db.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	see("2", "a")
	see("1", "a")
	db.Wait(models.KeyNodeGone - time.Second)
	see("2", "b")
	nodes, err := db.KeyNodes(t.Context())
	if err != nil || len(nodes) != 2 || nodes[0].ID != "1" || nodes[1].Sealing != "b" || !nodes[1].Opens("a") || nodes[1].Opens("c") {
		t.Errorf("%+v, %v", nodes, err)
	}
	db.Wait(time.Second)
	if nodes, err := db.KeyNodes(t.Context()); err != nil || len(nodes) != 1 || nodes[0].ID != "2" {
		t.Errorf("%+v, %v", nodes, err)
	}
	if err := db.LeaveKeys(t.Context(), "2"); err != nil {
		t.Fatal(err)
	}
	db.Wait(25 * time.Hour)
	see("3", "b")
	if n := db.Number(t, "SELECT COUNT(*) FROM key_nodes"); n != 1 {
		t.Errorf("%d nodes are kept", n)
	}
}
