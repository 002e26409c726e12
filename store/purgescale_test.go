package store_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// purgeIndexes are what a purge finds tokens by, in the order of its statements.
var purgeIndexes = []string{
	"tokens_unrevoked", // marked
	"tokens_revoked_by_kind", "tokens_revoked_by_kind", "tokens_revoked_by_kind", "tokens_ending",
	"tokens_unrevoked", // expired
}

// Of millions of tokens a step reads those that it touches, in the order of an index.
func TestPurgeFindsTokensByIndex(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Tokens(t, db.Application(t, ana, "Expired"), 1, models.Token{})
	app := db.Application(t, ana, "Revoked")
	db.Tokens(t, app, 1, models.Token{})
	if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	db.Wait(48 * time.Hour)
	due, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	texts, args := due.Due()
	if len(texts) != len(purgeIndexes) {
		t.Fatalf("%d statements: %q", len(texts), texts)
	}
	leftover, of := db.PurgeLeftovers().Due()
	texts, args = append(texts, leftover[0]), append(args, of[0])
	for i, index := range append(slices.Clone(purgeIndexes), "tokens_sealed") {
		plan := db.Explain(t, texts[i], args[i]...)
		if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN tokens") || strings.Contains(plan, "ORDER BY") {
			t.Errorf("want %s for %s:\n%s", index, texts[i], plan)
		}
	}
}

// A step that finds nothing for many applications lets others write in between.
func TestPurgeLooksForFewInOneStep(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 250 {
		db.Tokens(t, db.Application(t, ana, "Bot "+strconv.Itoa(i)), 1, models.Token{})
	}
	db.Wait(48 * time.Hour)
	due, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "DELETE FROM tokens")
	for i, want := range []bool{false, true} {
		if done, err := due.Step(t.Context()); done != want || err != nil || due.Deleted != 0 {
			t.Errorf("step %d: %v, %v, %d deleted", i, done, err, due.Deleted)
		}
	}
}

// PostgreSQL keeps what was deleted in its indexes as long as somebody may still see it, a
// backup for example: each step goes on where the one before it ended.
func TestPurgeReadsNothingAgainBesideABackup(t *testing.T) {
	db := storetest.Postgres(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	const rows = 5000
	for i := range rows / 500 {
		db.Tokens(t, app, 500, models.Token{ExpiresAt: db.Now().Add(time.Duration(i+1) * time.Minute)})
	}
	db.Wait(48 * time.Hour)
	raw := db.Raw(t)
	backup, err := raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	for _, statement := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT COUNT(*) FROM tokens"} {
		if _, err := backup.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if deleted := purgeAll(t, db, usual); deleted != rows {
		t.Errorf("%d deleted", deleted)
	}
	if err := db.Close(); err != nil { // its connections say what they have read
		t.Fatal(err)
	}
	read := readEntries(t, db, "tokens_unrevoked")
	if read > 3*rows {
		t.Errorf("%d entries of the index were read to delete %d rows", read, rows)
	}
	if _, err := backup.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		t.Error(err)
	}
}

// readEntries waits until the store's connections are gone.
func readEntries(t *testing.T, db *storetest.DB, index string) int64 {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for db.Number(t, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'latchkey'") > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the store's connections stay open")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return db.Number(t, "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = '"+index+"'")
}
