package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

const hookURL = "https://hooks.example.com/services/T0/very-secret-path"

func hooked(t *testing.T) (*storetest.DB, models.Actor) {
	t.Helper()
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.SetWebhook(t.Context(), ana, hookURL, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	return db, ana
}

func queueTest(t *testing.T, db *storetest.DB, actor models.Actor) {
	t.Helper()
	if err := db.TestWebhook(t.Context(), actor, func(models.Time) (string, error) { return "{}", nil }); err != nil {
		t.Fatal(err)
	}
}

func due(t *testing.T, db *storetest.DB) []models.DueDelivery {
	t.Helper()
	rows, err := db.DueDeliveries(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The pauses grow, the ID stays, and after the last try the webhook is still there.
func TestDeliveriesAreTriedAgain(t *testing.T) {
	db, ana := hooked(t)
	queueTest(t, db, ana)
	id := due(t, db)[0].ID
	for attempt, pause := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 0} {
		rows := due(t, db)
		if len(rows) != 1 || rows[0].ID != id || rows[0].URL != hookURL || string(rows[0].Sealed) != "sealed" {
			t.Fatalf("attempt %d: %+v", attempt+1, rows)
		}
		claimed, mine, err := db.ClaimDelivery(t.Context(), rows[0])
		if err != nil || !mine || claimed.Attempts != attempt+1 {
			t.Fatal(claimed, mine, err)
		}
		givenUp, err := db.FinishDelivery(t.Context(), claimed, models.DeliveryAnswer{Status: 500, Problem: "It answered 500.", Took: time.Second})
		if err != nil || givenUp != (pause == 0) {
			t.Fatal(givenUp, err)
		}
		if pause > 0 {
			db.Wait(pause - time.Millisecond)
			if rows := due(t, db); len(rows) > 0 {
				t.Errorf("attempt %d: due before %s", attempt+1, pause)
			}
			db.Wait(time.Millisecond)
		}
	}
	db.Wait(1000 * time.Hour)
	shown, err := db.Deliveries(t.Context(), ana.TeamID)
	if err != nil || len(due(t, db)) > 0 || len(shown) != 1 || shown[0].Attempts != models.MaxAttempts || shown[0].Status != 500 || shown[0].TookMS != 1000 || shown[0].Body != "" {
		t.Errorf("%+v %v", shown, err)
	}
	if _, err := db.Webhook(t.Context(), ana.TeamID); err != nil {
		t.Error(err)
	}
}

// D8: of many processes that see a delivery, one tries it. One that ended in the middle
// gives it up after a while; one that was only slow changes nothing any more.
func TestDeliveriesAreClaimed(t *testing.T) {
	db, ana := hooked(t)
	queueTest(t, db, ana)
	row := due(t, db)[0]
	var claims atomic.Int64
	var slow models.DueDelivery
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			claimed, mine, err := db.ClaimDelivery(t.Context(), row)
			if err != nil {
				t.Error(err)
			}
			if mine {
				slow = claimed
				claims.Add(1)
			}
		})
	}
	all.Wait()
	if claims.Load() != 1 || len(due(t, db)) > 0 {
		t.Fatalf("%d claims", claims.Load())
	}
	db.Wait(2 * time.Minute)
	claimed, mine, err := db.ClaimDelivery(t.Context(), due(t, db)[0])
	if err != nil || !mine || claimed.Attempts != 2 {
		t.Fatal(claimed, mine, err)
	}
	if _, err := db.FinishDelivery(t.Context(), slow, models.DeliveryAnswer{Problem: "late"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.FinishDelivery(t.Context(), claimed, models.DeliveryAnswer{Status: 204}); err != nil {
		t.Fatal(err)
	}
	shown, err := db.Deliveries(t.Context(), ana.TeamID)
	if err != nil || shown[0].DeliveredAt != db.Now() || shown[0].Problem != "" || shown[0].NextAt != 0 {
		t.Errorf("%+v %v", shown, err)
	}
}

// A team with many deliveries gets one turn, and a suspended one none.
func TestDueDeliveriesTakeTurns(t *testing.T) {
	db, ana := hooked(t)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	if err := db.SetWebhook(t.Context(), eve, "https://example.com/", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		queueTest(t, db, ana)
	}
	queueTest(t, db, eve)
	if rows := due(t, db); len(rows) != 2 || rows[0].TeamID == rows[1].TeamID {
		t.Errorf("%+v", rows)
	}
	exec(t, db, "UPDATE teams SET suspended_at = 1 WHERE id = ?", ana.TeamID)
	if rows := due(t, db); len(rows) != 1 || rows[0].TeamID != eve.TeamID {
		t.Errorf("%+v", rows)
	}
	if err := db.RemoveWebhook(t.Context(), eve); err != nil {
		t.Fatal(err)
	}
	if rows := due(t, db); len(rows) > 0 {
		t.Errorf("after Remove: %+v", rows)
	}
}

// A2: the path of an address may be a secret, so no audit event holds it. Settings are
// noted before and after.
func TestWebhookIsAuditedWithoutItsPath(t *testing.T) {
	db, ana := hooked(t)
	for _, act := range []func() error{
		func() error { return db.SetWebhook(t.Context(), ana, hookURL, []byte("other")) }, // nothing to do
		func() error { return db.SetWebhook(t.Context(), ana, hookURL+"2", []byte("other")) },
		func() error { return db.RotateWebhookSecret(t.Context(), ana, []byte("rotated"), "once") },
		func() error { return db.RotateWebhookSecret(t.Context(), ana, []byte("rotated twice"), "once") },
		func() error {
			hook, err := db.RevealWebhookSecret(t.Context(), ana)
			if string(hook.Sealed) != "rotated" {
				t.Errorf("sealed %q", hook.Sealed)
			}
			return err
		},
		func() error { return db.RemoveWebhook(t.Context(), ana) },
		func() error { return db.RemoveWebhook(t.Context(), ana) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	var actions []models.AuditAction
	for _, event := range db.Events(t, ana.TeamID) {
		if event.TargetType == "webhook" {
			actions = append(actions, event.Action)
		}
	}
	if want := []models.AuditAction{models.AuditWebhookRemoved, models.AuditWebhookSecretShown, models.AuditWebhookSecretRotated, models.AuditWebhookSet, models.AuditWebhookSet}; !slices.Equal(actions, want) {
		t.Errorf("%q", actions)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE target || detail || changes LIKE '%secret-path%'"); n != 0 {
		t.Errorf("%d events hold the path", n)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE changes LIKE '%hooks.example.com%'"); n != 1 {
		t.Errorf("%d events hold the host as a change", n)
	}
	if _, err := db.RevealWebhookSecret(t.Context(), ana); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
}

// A feed is good as long as its owner is a member, and no longer.
func TestCalendarFeedEndsWithMembership(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleViewer)
	good := func(code string) bool {
		_, team, err := db.CalendarByCode(t.Context(), []byte(code))
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil && team.Name == "northwind"
	}
	set := func(code string) {
		t.Helper()
		if err := db.SetCalendarFeed(t.Context(), jonas, []byte(code)); err != nil {
			t.Fatal(err)
		}
	}
	set("one")
	if !good("one") || good("two") || good("") {
		t.Error("the code does not decide")
	}
	set("two")
	if good("one") || !good("two") {
		t.Error("renewing does not end the code before")
	}
	for name, there := range map[string]string{
		"disabled": "UPDATE users SET disabled_at = %d WHERE id = '" + jonas.UserID + "'", "suspended": "UPDATE teams SET suspended_at = %d WHERE id = '" + ana.TeamID + "'",
	} {
		exec(t, db, strings.ReplaceAll(there, "%d", "1"))
		if good("two") {
			t.Errorf("%s: still good", name)
		}
		exec(t, db, strings.ReplaceAll(there, "%d", "0"))
	}
	exec(t, db, "DELETE FROM members WHERE user_id = ?", jonas.UserID)
	if good("two") {
		t.Error("good without membership")
	}
	db.Wait(time.Second)
	exec(t, db, "INSERT INTO members (team_id, user_id, role, created_at) VALUES (?, ?, 'viewer', ?)", ana.TeamID, jonas.UserID, int64(db.Now()))
	if _, err := db.CalendarFeed(t.Context(), ana.TeamID, jonas.UserID); good("two") || !errors.Is(err, models.ErrNotFound) {
		t.Error("good again in a new membership")
	}
	set("three")
	if !good("three") {
		t.Error("a new feed is not good")
	}
	if err := db.RemoveCalendarFeed(t.Context(), jonas); err != nil || good("three") {
		t.Error("good after it was switched off", err)
	}
}
