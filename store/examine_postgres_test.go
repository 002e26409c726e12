package store_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// A real server, which for tests loses data in a crash and is used by a superuser.
func TestExamineServer(t *testing.T) {
	address := pgtest.Empty(t)
	found, err := store.ExamineServer(t.Context(), address)
	if err != nil || found.Number < 120000 || !found.Listens || found.Pooled || found.Standby || found.Version != 0 || found.KeyCheck != nil || time.Since(found.Now.Std()).Abs() > time.Minute {
		t.Errorf("empty: %+v, %v", found, err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range []string{
		"CREATE TABLE goose_db_version (version_id BIGINT, is_applied BOOLEAN)", "INSERT INTO goose_db_version VALUES (3, TRUE), (4, FALSE)",
		"CREATE TABLE key_checks (id TEXT, sealed BYTEA)", "INSERT INTO key_checks VALUES ('key-check', 'x')",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	risky := address + map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + "synchronous_commit=off"
	found, err = store.ExamineServer(t.Context(), risky)
	if err != nil || found.Version != 3 || string(found.KeyCheck) != "x" || !slices.Contains(found.Risky, "synchronous_commit") {
		t.Errorf("migrated: %+v, %v", found, err)
	}
}

// A2: what cannot be reached or read is not told with its password.
func TestExamineServerKeepsThePassword(t *testing.T) {
	for _, address := range []string{"postgres://latchkey:canary@127.0.0.1:1/latchkey", "postgres://latchkey:canary@127.0.0.1:port/latchkey", "postgres://latchkey:canary@127.0.0.1/x?sslmode=nonsense"} {
		if _, err := store.ExamineServer(t.Context(), address); err == nil || strings.Contains(err.Error(), "canary") {
			t.Error(err)
		}
	}
	at, err := url.Parse(pgtest.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.UserPassword("nobody_of_that_name", "canary")
	if _, err := store.ExamineServer(t.Context(), at.String()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

// A pooler that a start refuses is found, and whether there are tables.
func TestExamineServerBehindAPooler(t *testing.T) {
	address := pgtest.Empty(t)
	behind := pooled(t, address)
	found, err := store.ExamineServer(t.Context(), behind)
	if err != nil || !found.Pooled {
		t.Errorf("%+v, %v", found, err)
	}
	for _, at := range []string{address, behind} {
		if made, err := store.HasTables(t.Context(), at); err != nil || made {
			t.Errorf("empty: %v, %v", made, err)
		}
	}
	if err := storetest.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if made, err := store.HasTables(t.Context(), behind); err != nil || !made {
		t.Errorf("migrated: %v, %v", made, err)
	}
}
