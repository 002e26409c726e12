package store_test

import (
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// world has tokens of every kind that have ended in every way.
func world(t *testing.T) (*storetest.DB, models.Actor) {
	t.Helper()
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app, gone := db.Application(t, ana, "Bot"), db.Application(t, ana, "Gone")
	for i, kind := range []models.TokenKind{models.KindClientCredentials, models.KindManual} {
		for range i + 1 {
			db.Token(t, ana, app, kind, store.NewID())
		}
		db.Token(t, ana, gone, kind, store.NewID())
	}
	db.Wait(time.Hour) // 1 and 2 have expired, 1 and 1 of what is to be deleted
	for i, kind := range []models.TokenKind{models.KindClientCredentials, models.KindManual} {
		for range i + 3 {
			token := db.Token(t, ana, app, kind, store.NewID())
			if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := db.Application(t, eve, "Other")
	db.Tokens(t, other, 5, models.Token{})
	db.Token(t, eve, other, models.KindManual, store.NewID())
	if n, err := db.RevokeTokens(t.Context(), eve, other.ID); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	db.Tokens(t, other, 7, models.Token{Epoch: 1})
	db.Token(t, eve, other, models.KindManual, store.NewID())
	if _, err := db.DeleteApplication(t.Context(), ana, gone.ID); err != nil {
		t.Fatal(err)
	}
	server := models.ResourceServer{ID: store.NewID(), Name: "API", ClientID: store.NewID(), Hash: []byte("h")}
	if err := db.AddResourceServer(t.Context(), models.CommandLine, server); err != nil {
		t.Fatal(err)
	}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("x"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	return db, ana
}

// Status counts each kind by what its tokens are, those that were revoked
// together among the revoked ones, before and after the purge has marked them.
func TestStatusCounts(t *testing.T) {
	db, _ := world(t)
	want := []store.TokenCount{
		{Kind: models.KindClientCredentials, Active: 7, Expired: 1, Revoked: 3 + 5 + 1},
		{Kind: models.KindManual, Active: 1, Expired: 2, Revoked: 4 + 1 + 1},
	}
	for _, when := range []string{"before", "after"} {
		got, err := db.Status(t.Context())
		if err != nil || len(got.Tokens) != 2 || got.Tokens[0] != want[0] || got.Tokens[1] != want[1] {
			t.Errorf("%s the purge: %+v, %v", when, got.Tokens, err)
		}
		counts := []int64{got.Users, got.Teams, got.Applications, got.ResourceServers, got.Sessions, got.AuditEvents}
		for i, want := range []int64{2, 2, 4, 1, 1, db.Number(t, "SELECT COUNT(*) FROM audit_events")} {
			if counts[i] != want {
				t.Errorf("%s the purge: count %d is %d, want %d", when, i, counts[i], want)
			}
		}
		ofFile := !db.OnPostgres() // a server sees to free space and its log itself
		if got.Bytes() == 0 || got.Bytes() != got.Pages*got.PageSize || got.FreeBytes() != got.FreePages*got.PageSize || (got.WALBytes != 0) != ofFile || got.Shrinks != ofFile || got.InFile != ofFile {
			t.Errorf("%s the purge: %+v", when, got.Space)
		}
		purgeAll(t, db, usual)
	}
	db.Wait(time.Hour)
	got, err := db.Status(t.Context())
	if err != nil || got.Tokens[0] != (store.TokenCount{Kind: models.KindClientCredentials, Expired: 8, Revoked: 9}) {
		t.Errorf("at the moment of expiry: %+v, %v", got.Tokens, err)
	}
}

func TestStatusOfANewDatabase(t *testing.T) {
	db := storetest.New(t)
	got, err := db.Status(t.Context())
	if err != nil || len(got.Tokens) != 0 || got.Users != 0 || got.Bytes() == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
