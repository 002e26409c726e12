package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// T7: what has ended does not stay at rest.
func TestSweepDeletesWhatEndedAndNothingElse(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	rotation := store.Rotation{Secret: models.ClientSecret{ID: "new", Hash: []byte("new"), Sealed: []byte("new")}, Overlap: time.Hour, FormKey: "form"}
	if err := db.RotateSecret(t.Context(), ana, app.ID, rotation); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"old", "used"} {
		if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte(id), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (secrets, sessions, forms int) {
		row := db.Raw(t).QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM client_secrets), (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM form_posts)")
		if err := row.Scan(&secrets, &sessions, &forms); err != nil {
			t.Fatal(err)
		}
		return secrets, sessions, forms
	}
	sweep := func() {
		t.Helper()
		if err := db.Sweep(t.Context(), 12*time.Hour, 168*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if secrets, sessions, forms := count(); secrets != 2 || sessions != 2 || forms != 1 {
		t.Fatalf("too early: %d secrets, %d sessions, %d forms", secrets, sessions, forms)
	}
	db.Wait(11 * time.Hour)
	used, _, err := db.Session(t.Context(), []byte("used"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SeeSession(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	db.Wait(2 * time.Hour)
	sweep()
	if secrets, sessions, forms := count(); secrets != 1 || sessions != 1 || forms != 1 {
		t.Errorf("after 13 hours: %d secrets, %d sessions, %d forms", secrets, sessions, forms)
	}
	if _, _, err := db.Session(t.Context(), []byte("old")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the unused session: %v", err)
	}
	db.Wait(12 * time.Hour)
	sweep()
	if _, _, forms := count(); forms != 0 {
		t.Errorf("after a day: %d forms", forms)
	}
}
