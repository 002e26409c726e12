package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// activeTokens is what the list, the order of the list and the page say.
func activeTokens(t *testing.T, db *storetest.DB, actor models.Actor, app models.Application) [2]int64 {
	t.Helper()
	list, err := db.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{Sort: models.SortActive, Desc: true})
	if err != nil {
		t.Fatal(err)
	}
	detail, err := db.Store.Application(t.Context(), actor.TeamID, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range list.Rows {
		if row.ID == app.ID {
			return [2]int64{row.ActiveTokens, detail.ActiveTokens}
		}
	}
	t.Fatal("the application is not listed")
	return [2]int64{}
}

// "Revoke all" refuses every token at once and touches no row of those that
// programs hold, so that it takes as long for three as for a million.
func TestRevokeAllRaisesTheEpoch(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other")
	db.Token(t, ana, app, models.KindManual, "manual")
	issued := db.Tokens(t, app, 3, models.Token{})
	untouched := db.Tokens(t, other, 2, models.Token{})
	db.Wait(time.Minute)
	if n, err := db.RevokeTokens(t.Context(), ana, app.ID); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditTokensRevoked || event.Detail != "4 tokens" || event.TargetID != app.ID {
		t.Errorf("event %+v", event)
	}
	for _, token := range issued {
		if reason := refusal(t, db, string(token.Hash)); reason != models.RefusedRevoked {
			t.Errorf("a token of a program: %q", reason)
		}
	}
	if rows := db.Number(t, "SELECT COUNT(*) FROM tokens WHERE kind = 'client_credentials' AND (revoked_at <> 0 OR revoked_by <> '')"); rows != 0 {
		t.Errorf("%d rows of programs' tokens were touched", rows)
	}
	if refusal(t, db, "manual") != models.RefusedRevoked || db.Number(t, "SELECT COUNT(*) FROM tokens WHERE hash = ? AND revoked_at = ? AND revoked_by = ? AND sealed IS NULL",
		[]byte("manual"), db.Now(), ana.UserID) != 1 {
		t.Error("the manual token is not marked, or its sealed value is there") // T7
	}
	if refusal(t, db, string(untouched[0].Hash)) != "" || activeTokens(t, db, ana, other) != [2]int64{2, 2} {
		t.Error("another application suffered")
	}
	list, err := db.ManualTokens(t.Context(), ana.TeamID, app.ID, models.TokenQuery{})
	if got := activeTokens(t, db, ana, app); err != nil || got != [2]int64{} || len(list.Rows) != 0 || list.EndedTotal != 1 {
		t.Errorf("active tokens %v, list %+v, %v", got, list, err)
	}
}

func TestTokensAfterARevokeAll(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Tokens(t, app, 1, models.Token{})
	if n, err := db.RevokeTokens(t.Context(), ana, app.ID); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	client, err := db.ClientByID(t.Context(), app.ClientID)
	if err != nil || client.Application.Epoch != 1 {
		t.Fatalf("epoch %d, %v", client.Application.Epoch, err)
	}
	fresh := db.Tokens(t, app, 2, models.Token{Epoch: client.Application.Epoch})
	db.Token(t, ana, app, models.KindManual, "manual")
	// T6: what was read before the revocation makes no good token after it.
	stale := db.Tokens(t, app, 1, models.Token{Epoch: app.Epoch})
	for hash, want := range map[string]models.Refusal{
		string(fresh[0].Hash): "", string(fresh[1].Hash): "", "manual": "", string(stale[0].Hash): models.RefusedRevoked,
	} {
		if got := refusal(t, db, hash); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := activeTokens(t, db, ana, app); got != [2]int64{3, 3} {
		t.Errorf("active tokens %v", got)
	}
	purgeAll(t, db, usual)
	if got := activeTokens(t, db, ana, app); got != [2]int64{3, 3} || refusal(t, db, string(fresh[0].Hash)) != "" {
		t.Errorf("after the purge has marked the others: %v", got)
	}
	if n, err := db.RevokeTokens(t.Context(), ana, app.ID); n != 3 || err != nil {
		t.Errorf("the second time %d, %v", n, err)
	}
}

// Where nothing is active, revoking changes nothing and leaves no event.
func TestRevokingWhatHasEnded(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Tokens(t, app, 1, models.Token{})[0]
	if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	events := len(db.Events(t, ""))
	db.Wait(time.Minute)
	if n, err := db.RevokeTokens(t.Context(), ana, app.ID); n != 0 || err != nil {
		t.Errorf("revoke all: %d, %v", n, err)
	}
	if _, was, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); was || err != nil {
		t.Errorf("revoke one: was active %v, %v", was, err)
	}
	if got := len(db.Events(t, "")); got != events || db.Number(t, "SELECT epoch FROM applications WHERE id = ?", app.ID) != 1 {
		t.Errorf("%d new events, epoch %d", got-events, db.Number(t, "SELECT epoch FROM applications WHERE id = ?", app.ID))
	}
	if db.Number(t, "SELECT revoked_at FROM tokens") != 0 {
		t.Error("the token counts as revoked from another moment")
	}
}

// Two who revoke at once end each token once, and their audit events say so.
func TestRevokeTokensTogether(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	for round := range int64(10) {
		db.Tokens(t, app, 300, models.Token{Epoch: 2 * round})
		var both sync.WaitGroup
		var sum atomic.Int64
		for range 2 {
			both.Go(func() {
				n, err := db.RevokeTokens(t.Context(), ana, app.ID)
				if err != nil {
					t.Error(err)
				}
				sum.Add(n)
			})
		}
		both.Wait()
		db.Tokens(t, app, 1, models.Token{Epoch: 2*round + 1})
		n, err := db.RevokeTokens(t.Context(), ana, app.ID)
		if err != nil || n != 1 || sum.Load() != 300 {
			t.Fatalf("%d of 300 were revoked together, then %d of 1, %v", sum.Load(), n, err)
		}
	}
}
