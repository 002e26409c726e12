package gateway_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// R3: what a flood of guesses leaves in the database is bounded too, and a team's call
// outlives it.
func TestFloodInTheDatabase(t *testing.T) {
	db := storetest.New(t)
	flood := func(round int) {
		r := gateway.NewRefusals(t.Context(), db.Store, slog.New(slog.DiscardHandler), db.Now, time.Hour)
		for i := range 50_000 {
			r.Note(of("", fmt.Sprint(round, " ", i), models.RefusedUnknown), "/v1", "192.0.2.7", "")
		}
		r.Note(of("north", "a", models.RefusedRevoked), "/v1", "192.0.2.7", "")
		began := time.Now()
		end(t, r)
		t.Logf("written in %s", time.Since(began))
	}
	flood(0)
	db.Wait(time.Second)
	flood(1)
	if n := db.Number(t, "SELECT COUNT(*) FROM refused_calls WHERE team_id = ''"); n != models.MaxRefusedUnknown {
		t.Errorf("%d values are kept", n)
	}
	if n := db.Number(t, "SELECT times FROM refused_calls WHERE team_id = 'north'"); n != 2 {
		t.Errorf("the team's call is counted %d times", n)
	}
}
