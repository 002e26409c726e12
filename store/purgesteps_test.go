package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

const atOnce = 500

// R4: a transaction of the purge touches 500 rows at most, whatever it does.
func TestPurgeStepsAreSmall(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	expired, revoked := db.Application(t, ana, "Expired"), db.Application(t, ana, "Revoked")
	db.Tokens(t, expired, 1300, models.Token{})
	db.Tokens(t, revoked, 1000, models.Token{})
	if n, err := db.RevokeTokens(t.Context(), ana, revoked.ID); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	db.Wait(48 * time.Hour)
	p, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	rows, marked, steps := int64(2300), int64(0), 0
	for done := false; !done; steps++ {
		if done, err = p.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		nowRows, nowMarked := db.Number(t, "SELECT COUNT(*) FROM tokens"), db.Number(t, "SELECT COUNT(*) FROM tokens WHERE revoked_at <> 0")
		touched := rows - nowRows
		if nowMarked > marked {
			touched += nowMarked - marked
		}
		if touched > atOnce {
			t.Errorf("step %d touched %d rows", steps, touched)
		}
		if rows, marked = nowRows, nowMarked; p.Deleted != 2300-rows {
			t.Errorf("step %d: %d counted as deleted, %d are", steps, p.Deleted, 2300-rows)
		}
	}
	if rows != 0 || steps < 7 {
		t.Errorf("%d rows left after %d steps", rows, steps)
	}
	if done, err := p.Step(t.Context()); !done || err != nil {
		t.Errorf("a step after the last one: %v, %v", done, err)
	}
}

// Of many applications with a few ended tokens each, a step takes many.
func TestPurgeStepsGoAcrossApplications(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 120 {
		db.Tokens(t, db.Application(t, ana, "Bot "+strconv.Itoa(i)), 5, models.Token{})
	}
	db.Wait(48 * time.Hour)
	p, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{500, 600} {
		done, err := p.Step(t.Context())
		if err != nil || done != (want == 600) || p.Deleted != want || p.Held <= 0 {
			t.Errorf("step %d: %v, %v, %d deleted, held for %s", i, done, err, p.Deleted, p.Held)
		}
	}
}

// What stops a purge half way leaves that step undone and loses nothing: the
// same purge goes on, and so does another one.
func TestPurgeGoesOnAfterAFailure(t *testing.T) {
	for name, fail := range map[string]func(t *testing.T, db *storetest.DB, p *store.Purge) error{
		"cancelled": func(t *testing.T, _ *storetest.DB, p *store.Purge) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := p.Step(ctx)
			return err
		},
		"in the middle of a step": func(t *testing.T, db *storetest.DB, p *store.Purge) error {
			if _, err := db.Raw(t).ExecContext(t.Context(), "CREATE TABLE stop AS SELECT id FROM tokens ORDER BY id LIMIT 1 OFFSET 250"); err != nil {
				t.Fatal(err)
			}
			db.Fail(t, "DELETE", "tokens", "OLD.id = (SELECT id FROM stop)")
			var err error
			for err == nil {
				_, err = p.Step(t.Context())
			}
			db.Mend(t)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			goesOn(t, fail, func(t *testing.T, _ *storetest.DB, p *store.Purge) {
				for done := false; !done; {
					var err error
					if done, err = p.Step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			})
			goesOn(t, fail, func(t *testing.T, db *storetest.DB, _ *store.Purge) { purgeAll(t, db, usual) })
		})
	}
}

func goesOn(t *testing.T, fail func(*testing.T, *storetest.DB, *store.Purge) error, resume func(*testing.T, *storetest.DB, *store.Purge)) {
	t.Helper()
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Tokens(t, db.Application(t, ana, "Bot"), 1200, models.Token{})
	db.Wait(48 * time.Hour)
	p, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := p.Step(t.Context()); done || err != nil || p.Deleted != atOnce {
		t.Fatalf("first step: %v, %v, %d deleted", done, err, p.Deleted)
	}
	if err := fail(t, db, p); err == nil {
		t.Fatal("no error")
	}
	if rows := db.Number(t, "SELECT COUNT(*) FROM tokens"); rows != 700 || p.Deleted != atOnce {
		t.Errorf("%d rows, %d deleted after the failure", rows, p.Deleted)
	}
	if resume(t, db, p); db.Number(t, "SELECT COUNT(*) FROM tokens") != 0 {
		t.Error("rows are left")
	}
}
