package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// usual is what operators get who set nothing.
var usual = store.Retention{Manual: 720 * time.Hour, Issued: 24 * time.Hour}

func purge(ctx context.Context, db *storetest.DB, keep store.Retention) (deleted int64, err error) {
	for left, done := db.PurgeLeftovers(), false; err == nil && !done; {
		done, err = left.Step(ctx)
	}
	if err != nil {
		return 0, err
	}
	p, err := db.Purge(ctx, keep)
	if err != nil {
		return 0, err
	}
	for done := false; err == nil && !done; {
		done, err = p.Step(ctx)
	}
	return p.Deleted, err
}

func purgeAll(t *testing.T, db *storetest.DB, keep store.Retention) int64 {
	t.Helper()
	deleted, err := purge(t.Context(), db, keep)
	if err != nil {
		t.Fatal(err)
	}
	return deleted
}

// long makes tokens of app live for two years.
func long(app models.Application) models.Application {
	app.Lifespan = 2 * 365 * 86400
	return app
}

func refusal(t *testing.T, db *storetest.DB, hash string) models.Refusal {
	t.Helper()
	bearer, err := db.TokenByHash(t.Context(), []byte(hash))
	if err != nil {
		return models.Refusal(err.Error())
	}
	reason, _ := bearer.Refused(db.Now())
	return reason
}

// T7: a row is there for exactly as long as it is kept, and an active one stays.
func TestPurgeKeepsToTheMillisecond(t *testing.T) {
	for _, test := range []struct {
		kind   models.TokenKind
		keep   store.Retention
		expect time.Duration
	}{
		{models.KindManual, usual, 720 * time.Hour},
		{models.KindClientCredentials, usual, 24 * time.Hour},
		{models.KindManual, store.Retention{Manual: time.Hour, Issued: 48 * time.Hour}, time.Hour},
		{models.KindClientCredentials, store.Retention{Manual: time.Hour, Issued: 48 * time.Hour}, 48 * time.Hour},
		{models.KindManual, store.Retention{}, 0},
		{models.KindClientCredentials, store.Retention{}, 0},
	} {
		for _, end := range []string{"expired", "revoked"} {
			t.Run(fmt.Sprint(test.kind, " ", end, " ", test.expect), func(t *testing.T) {
				db := storetest.New(t)
				ana := db.Member(t, "northwind", "ana", models.RoleOwner)
				app := db.Application(t, ana, "Bot")
				db.Token(t, ana, long(app), models.KindManual, "active manual")
				db.Token(t, ana, long(app), models.KindClientCredentials, "active issued")
				token := db.Token(t, ana, app, test.kind, "ended")
				ended := token.ExpiresAt
				if end == "revoked" {
					db.Wait(time.Minute)
					ended = db.Now()
					if _, was, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil || !was {
						t.Fatal(was, err)
					}
				}
				for _, moment := range []struct{ after, deleted int64 }{{-1, 0}, {0, 0}, {1, 1}} {
					db.Until(ended.Add(test.expect) + models.Time(moment.after))
					if got := purgeAll(t, db, test.keep); got != moment.deleted {
						t.Errorf("%d ms after: %d deleted, want %d", moment.after, got, moment.deleted)
					}
				}
				if got := db.Number(t, "SELECT COUNT(*) FROM tokens"); got != 2 || refusal(t, db, "active manual")+refusal(t, db, "active issued") != "" {
					t.Errorf("%d rows left, want the two active ones", got)
				}
			})
		}
	}
}

// T7: the first run erases the sealed value of what has expired; the row stays
// for the page.
func TestPurgeErasesSealedValuesAtOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindManual, "short")
	db.Token(t, ana, long(app), models.KindManual, "active")
	sealed := func(hash string) int64 {
		return db.Number(t, "SELECT COALESCE(LENGTH(sealed), 0) FROM tokens WHERE hash = ?", []byte(hash))
	}
	db.Until(token.ExpiresAt - 1)
	if purgeAll(t, db, usual); sealed("short") == 0 {
		t.Error("erased a millisecond before it expired")
	}
	db.Until(token.ExpiresAt)
	if deleted := purgeAll(t, db, usual); deleted != 0 || sealed("short") != 0 || sealed("active") == 0 {
		t.Errorf("%d deleted, %d and %d bytes sealed", deleted, sealed("short"), sealed("active"))
	}
	list, err := db.ManualTokens(t.Context(), ana.TeamID, app.ID, models.TokenQuery{Ended: true})
	if err != nil || list.EndedTotal != 1 || list.Rows[1].Status(db.Now()) != models.StatusExpired {
		t.Errorf("the page lists %+v, %v", list, err)
	}
}

// After "Revoke all" each row is marked with the moment and the member of the
// revocation and kept from then on. What had expired before stays expired.
func TestPurgeMarksWhatWasRevokedTogether(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	before := db.Token(t, ana, app, models.KindManual, "manual before").ExpiresAt
	db.Token(t, ana, app, models.KindClientCredentials, "issued before")
	db.Until(before)
	db.Wait(time.Hour)
	db.Token(t, ana, long(app), models.KindManual, "manual")
	db.Token(t, ana, long(app), models.KindClientCredentials, "issued")
	at := db.Now()
	if n, err := db.RevokeTokens(t.Context(), ana, app.ID); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	db.Wait(time.Minute)
	if deleted := purgeAll(t, db, usual); deleted != 0 {
		t.Errorf("%d deleted at once", deleted)
	}
	marked := "SELECT COUNT(*) FROM tokens WHERE hash = ? AND revoked_at = ? AND revoked_by = ? AND sealed IS NULL"
	if db.Number(t, marked, []byte("manual"), at, ana.UserID) != 1 || db.Number(t, marked, []byte("issued"), at, ana.UserID) != 1 {
		t.Error("not both are marked")
	}
	if db.Number(t, marked, []byte("manual before"), 0, "") != 1 {
		t.Error("a token that had expired is called revoked")
	}
	for _, gone := range []struct {
		at   models.Time
		rows int64
	}{
		{before.Add(usual.Issued), 4},
		{before.Add(usual.Issued) + 1, 3},
		{at.Add(usual.Issued), 3},
		{at.Add(usual.Issued) + 1, 2},
		{before.Add(usual.Manual), 2},
		{before.Add(usual.Manual) + 1, 1},
		{at.Add(usual.Manual), 1},
		{at.Add(usual.Manual) + 1, 0},
	} {
		db.Until(gone.at)
		purgeAll(t, db, usual)
		if rows := db.Number(t, "SELECT COUNT(*) FROM tokens"); rows != gone.rows {
			t.Errorf("at %d: %d rows, want %d", gone.at-at, rows, gone.rows)
		}
	}
}

func TestPurgeDeletesTokensOfDeletedApplications(t *testing.T) { // T4, T7
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "Bot"), db.Application(t, ana, "Other")
	for _, kind := range []models.TokenKind{models.KindManual, models.KindClientCredentials} {
		db.Token(t, ana, long(app), kind, "deleted "+string(kind))
		db.Token(t, ana, long(other), kind, "other "+string(kind))
	}
	if _, err := db.DeleteApplication(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		wait time.Duration
		want int64
	}{{usual.Issued, 0}, {time.Millisecond, 1}, {usual.Manual - usual.Issued - time.Millisecond, 0}, {time.Millisecond, 1}} {
		db.Wait(step.wait)
		if got := purgeAll(t, db, usual); got != step.want {
			t.Errorf("after %s: %d deleted, want %d", step.wait, got, step.want)
		}
	}
	if db.Number(t, "SELECT COUNT(*) FROM tokens WHERE application_id = ?", other.ID) != 2 {
		t.Error("the tokens of another application suffered")
	}
}
