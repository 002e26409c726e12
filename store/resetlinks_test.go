package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// S14: a link works once, for its time, for the account as it was.
func TestResetLinks(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "contoso", "op", models.RoleOwner))
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	ctx := t.Context()
	made := func(code string) []byte {
		t.Helper()
		if err := db.MakeResetLink(ctx, op, ana.UserID, []byte(code), time.Hour, false); err != nil {
			t.Fatal(err)
		}
		return []byte(code)
	}
	dead := func(why string, hash []byte) {
		t.Helper()
		if _, _, err := db.ResetLink(ctx, hash); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: the page is %v", why, err)
		}
		if _, err := db.ResetPassword(ctx, models.Actor{}, hash, "stolen"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: the deed is %v", why, err)
		}
	}
	dead("unknown", []byte("unknown"))
	dead("empty", nil)

	hash := made("expired")
	db.Wait(time.Hour)
	dead("expired", hash)

	hash = made("other password")
	if err := db.SetPassword(ctx, models.CommandLine, ana.Email, "another"); err != nil {
		t.Fatal(err)
	}
	dead("other password", hash)

	hash = made("other address")
	if _, err := db.Raw(t).ExecContext(ctx, "UPDATE users SET email_key = 'x' WHERE id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	dead("other address", hash)

	hash = made("disabled")
	if _, err := db.Raw(t).ExecContext(ctx, "UPDATE users SET disabled_at = 1 WHERE id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	dead("disabled", hash)
	if err := db.MakeResetLink(ctx, op, ana.UserID, []byte("y"), time.Hour, false); !errors.Is(err, models.ErrConflict) {
		t.Errorf("a link for a disabled user: %v", err)
	}
	if err := db.EnableUser(ctx, op, ana.UserID); err != nil {
		t.Fatal(err)
	}
	// Another kind of ceremony is no reset link.
	if err := db.BeginCeremony(ctx, models.Ceremony{IDHash: []byte("other"), Kind: "passkey", UserID: ana.UserID, Data: "{}"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	dead("another kind", []byte("other"))

	other, hash := made("first"), made("second")
	user, teams, err := db.ResetLink(ctx, hash)
	if err != nil || user.ID != ana.UserID || len(teams) != 1 || teams[0] != "northwind" {
		t.Errorf("%+v %v %v", user, teams, err)
	}
	if _, err := db.ResetPassword(ctx, models.Actor{UserName: "Unknown"}, hash, "new hash"); err != nil {
		t.Fatal(err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditPasswordReset || event.ActorID != ana.UserID || event.TargetID != ana.UserID {
		t.Errorf("%+v", event)
	}
	dead("used", hash)
	dead("another one of the user", other)
	if n := db.Number(t, "SELECT COUNT(*) FROM users WHERE id = ? AND password_hash = 'new hash'", ana.UserID); n != 1 {
		t.Error("the password was not set, or set again")
	}
}

// Asking again and again fills nothing and keeps the newest links.
func TestResetLinksAreBounded(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	user, err := db.User(t.Context(), ana.UserID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		db.Wait(time.Second)
		if err := db.AskForResetLink(t.Context(), models.Actor{UserName: "Unknown"}, user, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM ceremonies"); n != 5 {
		t.Errorf("%d links", n)
	}
	if _, _, err := db.ResetLink(t.Context(), []byte("15")); err != nil {
		t.Error(err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditResetLinkMailed || event.ActorID != "" || event.TargetID != ana.UserID {
		t.Errorf("%+v", event)
	}
}

// D8: of 50 at once, one sets the password.
func TestOneResetWins(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "contoso", "op", models.RoleOwner))
	if err := db.MakeResetLink(t.Context(), op, op.UserID, []byte("code"), time.Hour, false); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 50 {
		wg.Go(func() {
			_, err := db.ResetPassword(context.Background(), models.Actor{}, []byte("code"), fmt.Sprint("hash ", i))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, models.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}

// S7: a link lets in, and is no proof of identity for what wants a fresh one.
func TestALinkIsNoFreshProof(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for method, fresh := range map[models.SignInMethod]bool{models.ByLink: false, models.ByPassword: true} {
		id := []byte(method)
		if err := db.SignIn(t.Context(), ana, models.Session{IDHash: id}, models.Proof{UserID: ana.UserID, Method: method, PasswordHash: "-"}, nil, []byte("browser")); err != nil {
			t.Fatal(err)
		}
		session, _, err := db.Session(t.Context(), id)
		if err != nil || session.ProvenAt.IsZero() == fresh {
			t.Errorf("%s: %+v %v", method, session, err)
		}
	}
	session, actor, err := db.Session(t.Context(), []byte(models.ByLink))
	if err != nil {
		t.Fatal(err)
	}
	session.IDHash = []byte("renewed")
	if err := db.Confirm(t.Context(), actor, session, []byte(models.ByLink)); err != nil {
		t.Fatal(err)
	}
	if session, _, err := db.Session(t.Context(), []byte("renewed")); err != nil || session.ProvenAt != db.Now() {
		t.Errorf("%+v %v", session, err)
	}
}
