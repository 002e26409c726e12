package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func TestPurgeOfAClosedDatabase(t *testing.T) { // A6
	db := storetest.New(t)
	p, err := db.Purge(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Step(t.Context()); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("step: %v", err)
	}
	if _, err := db.Purge(t.Context(), usual); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("purge: %v", err)
	}
	if _, err := db.Shrink(t.Context()); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("shrink: %v", err)
	}
}

// Beside a purge that never rests, tokens are stored and revoked: none is lost,
// none comes back.
func TestPurgeBesideLoad(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	live, dead, all := db.Application(t, ana, "Live"), db.Application(t, ana, "Dead"), db.Application(t, ana, "All")
	expired := models.Token{ExpiresAt: db.Now() - 1}
	var good, revoked []models.Token
	beside(t, db, func(int64) {
		good = append(good, db.Tokens(t, live, 20, models.Token{})...)
	}, func(int64) {
		db.Tokens(t, dead, 200, expired)
	}, func(round int64) {
		token := db.Tokens(t, live, 1, models.Token{})[0]
		_, _, err := db.RevokeToken(t.Context(), ana, live.ID, token.ID)
		batch := db.Tokens(t, all, 20, models.Token{Epoch: round})
		if _, allErr := db.RevokeTokens(t.Context(), ana, all.ID); err != nil || allErr != nil {
			t.Error(err, allErr)
		}
		revoked = append(append(revoked, token), batch...)
	})
	for _, token := range good {
		if reason := refusal(t, db, string(token.Hash)); reason != "" {
			t.Fatalf("an active token: %q", reason)
		}
	}
	for _, token := range revoked {
		if reason := refusal(t, db, string(token.Hash)); reason == "" {
			t.Fatal("a revoked token is active")
		}
	}
	db.Wait(time.Millisecond)
	purgeAll(t, db, store.Retention{})
	if rows := db.Number(t, "SELECT COUNT(*) FROM tokens"); rows != int64(len(good)) {
		t.Errorf("%d rows, want the %d active ones", rows, len(good))
	}
}

// beside does each of these fifteen times while the database is purged.
func beside(t *testing.T, db *storetest.DB, do ...func(round int64)) {
	t.Helper()
	var load, purging sync.WaitGroup
	for _, do := range do {
		load.Go(func() {
			for round := range int64(15) {
				do(round)
			}
		})
	}
	var ended atomic.Bool
	purging.Go(func() {
		for !ended.Load() {
			purgeAll(t, db, store.Retention{})
		}
	})
	load.Wait()
	ended.Store(true)
	purging.Wait()
}
