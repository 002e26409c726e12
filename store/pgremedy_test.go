package store_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// C1: what keeps an operator from a database is told with what to do.
func TestRemedies(t *testing.T) {
	const role, password = "latchkey_remedy", "plum-canary"
	server := pgtest.Empty(t)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range []string{"DROP ROLE IF EXISTS " + role, "CREATE ROLE " + role + " LOGIN PASSWORD '" + password + "'"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		drop, err := pgx.Connect(context.Background(), pgtest.Server(t))
		if err == nil {
			_, err = drop.Exec(context.Background(), "DROP ROLE "+role)
			_ = drop.Close(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	})
	at := func(change func(u *url.URL)) string {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(role, password)
		change(u)
		return u.String()
	}
	for name, test := range map[string]struct{ address, want string }{
		"no such database": {at(func(u *url.URL) { u.Path = "/none" }), "make it (CREATE DATABASE"},
		"not its own":      {at(func(*url.URL) {}), "give it to its user (ALTER DATABASE"},
		"nothing listens":  {at(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "nothing listens there: start its server"},
		"no TLS":           {at(func(u *url.URL) { u.RawQuery = "sslmode=require" }), "switch ssl on"},
	} {
		if got := store.Remedy(opening(t, test.address)); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	// A server may let everybody of this machine in.
	if got := store.Remedy(fmt.Errorf("opening: %w", &pgconn.PgError{Code: "28P01"})); got != "correct user and password in LATCHKEY_DATABASE" {
		t.Error(got)
	}
}

// opening is why a database cannot be opened and migrated, which never holds the password.
func opening(t *testing.T, address string) error {
	t.Helper()
	db, err := store.Open(address, nil, store.Options{})
	if err == nil {
		_, err = db.Migrate(t.Context(), migrations.Run)
		if closed := db.Close(); closed != nil {
			t.Error(closed)
		}
	}
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Fatalf("%v", err)
	}
	return err
}
