package peers_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/peers"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// patience is for a busy machine.
const patience = 20 * time.Second

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

// onPostgres is a node on a real database.
func onPostgres(t *testing.T, address string, keys *secrets.Keys) *middleware.Limiter {
	t.Helper()
	db, err := store.Open(address, func() models.Time { return models.At(time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	limiter := middleware.NewLimiter(policy, time.Now)
	e := peers.New(db, keys, slog.New(slog.NewTextHandler(t.Output(), nil)))
	e.Limiter("people", limiter)
	e.Start(t.Context())
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	return limiter
}

// S11: failures on one node pause a key on the other, and a success there ends it on both;
// also after the connection was cut that a node hears over.
func TestCountingOverPostgres(t *testing.T) {
	address := pgtest.Database(t, migrations.Postgres(), storetest.Migrate)
	keys := newKeys(t)
	a, b := onPostgres(t, address, keys), onPostgres(t, address, keys)
	fail := func() {
		for range 3 {
			a.Fail("ana")
		}
	}
	began := time.Now()
	fail()
	eventually(t, "the pause holds on the other node", func() bool { return b.Wait("ana") > 0 })
	t.Logf("heard after %v", time.Since(began))
	b.Forget("ana")
	eventually(t, "the success is known on the first", func() bool { return a.Wait("ana") == 0 })

	raw := (&storetest.DB{Path: address}).Raw(t)
	for range 5 {
		// Whoever listens is cut off, while something happens.
		const cut = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`
		if _, err := raw.ExecContext(t.Context(), cut); err != nil {
			t.Fatal(err)
		}
		fail()
		eventually(t, "what was missed is known", func() bool { return b.Wait("ana") > 0 })
		b.Forget("ana")
		eventually(t, "and so is its end", func() bool { return a.Wait("ana") == 0 && b.Wait("ana") == 0 })
	}
}

// R3: a flood on one node keeps neither it nor the other from what counts.
func TestFloodOverPostgres(t *testing.T) {
	address := pgtest.Database(t, migrations.Postgres(), storetest.Migrate)
	keys := newKeys(t)
	a, b := onPostgres(t, address, keys), onPostgres(t, address, keys)
	slowest := time.Duration(0)
	for i := range 100_000 {
		began := time.Now()
		a.Fail(fmt.Sprint("noise ", i))
		slowest = max(slowest, time.Since(began))
		if i%30_000 == 0 {
			a.Fail("guesser")
		}
	}
	eventually(t, "the guesser waits on both", func() bool { return a.Wait("guesser") > 0 && b.Wait("guesser") > 0 })
	t.Logf("the slowest failure took %v", slowest)
}
