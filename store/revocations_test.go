package store_test

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// entries returns what stands in the feed behind a position, as text, and the newest position.
func entries(t *testing.T, db *store.Store, after models.Position) (texts []string, head models.Position) {
	t.Helper()
	head, rows, err := db.Revocations(t.Context(), after.Seq)
	if err != nil || len(rows) == 0 || rows[0].Position != after {
		t.Fatalf("behind %v: %v, %v", after, rows, err)
	}
	for i, row := range rows[1:] {
		if row.Seq != after.Seq+int64(i)+1 {
			t.Errorf("number %d follows %d", row.Seq, after.Seq+int64(i))
		}
		texts = append(texts, row.TokenID+string(row.TokenHash)+row.ApplicationID+row.TeamID)
	}
	return texts, head
}

// D7 T4: a change and what resource servers hear of it are one transaction. What leaves
// tokens as they were is not in the feed.
func TestWhatResourceServersHear(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, key := db.Application(t, ana, "Bot"), clientKey("laptop", "abc")
	one := db.Token(t, ana, app, models.KindManual, "one")
	db.Token(t, ana, app, models.KindManual, "two")
	ctx, rotation := t.Context(), store.Rotation{Secret: models.ClientSecret{ID: "s", Hash: []byte("s"), Sealed: []byte("s")}, Overlap: time.Hour}
	_, at := entries(t, db.Store, models.Position{Mark: markOf(t, db)})
	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"rotate", func() error { return db.RotateSecret(ctx, ana, app.ID, rotation) }, ""},
		{"show", func() error { _, err := db.RevealSecret(ctx, ana, app.ID); return err }, ""},
		{"retire", func() error { return db.RetireSecret(ctx, ana, app.ID) }, ""},
		{"add key", func() error { return db.AddClientKey(ctx, ana, app.ID, key, "") }, ""},
		{"remove secret", func() error { return db.RemoveSecret(ctx, ana, app.ID) }, ""},
		{"remove key", func() error { _, err := db.RemoveClientKey(ctx, ana, app.ID, key.ID); return err }, ""},
		{"show token", func() error { _, err := db.RevealToken(ctx, ana, app.ID, one.ID); return err }, ""},
		{"revoke one", func() error { _, _, err := db.RevokeToken(ctx, ana, app.ID, one.ID); return err }, one.ID + "one"},
		{"revoke one again", func() error { _, _, err := db.RevokeToken(ctx, ana, app.ID, one.ID); return err }, ""},
		{"change", func() error {
			return db.ChangeApplication(ctx, ana, app.ID, models.ApplicationValues{Name: "Bot", Lifespan: 60, Scopes: "stream"}, 0)
		}, app.ID},
		{"off", func() error { return db.SwitchApplication(ctx, ana, app.ID, false) }, app.ID},
		{"on", func() error { return db.SwitchApplication(ctx, ana, app.ID, true) }, app.ID},
		{"suspend", func() error { return db.SuspendTeam(ctx, models.CommandLine, ana.TeamID, "unpaid") }, ana.TeamID},
		{"resume", func() error { return db.ResumeTeam(ctx, models.CommandLine, ana.TeamID) }, ana.TeamID},
		{"revoke all", func() error { _, err := db.RevokeTokens(ctx, ana, app.ID); return err }, app.ID},
		{"delete", func() error { _, err := db.DeleteApplication(ctx, ana, app.ID); return err }, app.ID},
		{"nobody's", func() error { return ignore(db.SwitchApplication(ctx, ana, "nobody", false)) }, ""},
	} {
		before := bearer(t, db)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got, head := entries(t, db.Store, at)
		want := []string{step.want}
		if step.want == "" {
			want = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
		if after := bearer(t, db); step.want == "" && !reflect.DeepEqual(before, after) {
			t.Errorf("%s: is not told and changes a token from %+v to %+v", step.name, before, after)
		}
		at = head
	}
}

func markOf(t *testing.T, db *storetest.DB) string {
	t.Helper()
	_, rows, err := db.Revocations(t.Context(), 0)
	if err != nil || len(rows) == 0 {
		t.Fatal(rows, err)
	}
	return rows[0].Mark
}

func bearer(t *testing.T, db *storetest.DB) models.Bearer {
	t.Helper()
	b, err := db.TokenByHash(t.Context(), []byte("two"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Who sees an entry sees all before it, however many processes write.
func TestRevocationsHaveNoGap(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	second, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	var writers sync.WaitGroup
	const each = 40
	for w, writer := range []*store.Store{db.Store, second} {
		app := db.Application(t, ana, fmt.Sprint("Bot ", w))
		var tokens []models.Token
		for i := range each {
			tokens = append(tokens, db.Token(t, ana, app, models.KindClientCredentials, fmt.Sprint(w, ".", i)))
		}
		writers.Go(func() {
			for _, token := range tokens {
				if _, _, err := writer.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	at, seen := models.Position{Mark: markOf(t, db)}, 0
	for began := time.Now(); seen < 2*each; {
		got, head := entries(t, db.Store, at)
		seen, at = seen+len(got), models.Position{Seq: at.Seq + int64(len(got)), Mark: head.Mark}
		if len(got) > 0 {
			at = last(t, db, at.Seq)
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%d of %d after a minute", seen, 2*each)
		}
	}
	writers.Wait()
}

func last(t *testing.T, db *storetest.DB, seq int64) models.Position {
	t.Helper()
	_, rows, err := db.Revocations(t.Context(), seq)
	if err != nil || len(rows) == 0 {
		t.Fatal(rows, err)
	}
	return rows[0].Position
}

// T7 R1: entries go after six hours, from the first one on, and the newest stays.
func TestRevocationsArePurged(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	for i := range 3 {
		token := db.Token(t, ana, app, models.KindClientCredentials, fmt.Sprint(i))
		if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
			t.Fatal(err)
		}
		db.Wait(time.Hour)
	}
	for _, step := range []struct {
		wait        time.Duration
		first, last int64
	}{{0, 1, 3}, {3 * time.Hour, 1, 3}, {1, 1, 3}, {time.Millisecond, 2, 3}, {time.Hour, 3, 3}, {100 * time.Hour, 3, 3}} {
		db.Wait(step.wait)
		purgeAll(t, db, usual)
		head, rows, err := db.Revocations(t.Context(), 0)
		if err != nil || head.Seq != step.last || rows[0].Seq != step.first || rows[len(rows)-1].Seq != step.last {
			t.Errorf("after %s: %v to %v, %v", step.wait, rows, head, err)
		}
	}
}
