package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func signIn(t *testing.T, db *storetest.DB, actor models.Actor, id string) models.Session {
	t.Helper()
	if err := db.SignIn(t.Context(), actor, models.Session{IDHash: []byte(id), UserID: actor.UserID}, byPassword(actor, "-"), nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	session, _, err := db.Session(t.Context(), []byte(id))
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// renewed is a session under another ID.
func renewed(session models.Session, id string) store.Renewal {
	before := session.IDHash
	session.IDHash = []byte(id)
	return store.Renewal{Session: session, Before: before}
}

// What was proved with a password that is the account's no more changes nothing, nor
// does a session that has ended.
func TestChangesThatCameTooLate(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	session, ctx := signIn(t, db, ana, "x"), t.Context()
	events := len(db.Events(t, ""))
	for name, change := range map[string]func(before string, r store.Renewal) error{
		"password": func(before string, r store.Renewal) error { return db.ChangePassword(ctx, ana, before, "new", r) },
		"email": func(before string, r store.Renewal) error {
			return db.ChangeEmail(ctx, ana, before, "new@b.example", r)
		},
		"ask": func(before string, r store.Renewal) error {
			if before == "-" {
				return models.ErrNotFound // asking renews no session
			}
			return db.AskEmail(ctx, ana, before, "new@b.example", []byte("code"), time.Hour)
		},
	} {
		if err := change("another hash", renewed(session, "y")); !errors.Is(err, models.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		gone := renewed(session, "y")
		gone.Before = []byte("gone")
		if err := change("-", gone); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s in a session that has ended: %v", name, err)
		}
	}
	user, err := db.User(ctx, ana.UserID)
	if err != nil || user.PasswordHash != "-" || user.Email != ana.Email || len(db.Events(t, "")) != events {
		t.Errorf("something was changed: %+v, %v", user, err)
	}
	if _, err := db.Raw(t).ExecContext(ctx, "UPDATE users SET disabled_at = 1"); err != nil {
		t.Fatal(err)
	}
	if err := db.RenameUser(ctx, ana, "Ana"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a disabled account is renamed: %v", err)
	}
}

// S6: a session keeps its name in forms when its ID changes.
func TestSessionsKeepTheirName(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	session := signIn(t, db, ana, "x")
	second := signIn(t, db, ana, "y")
	if session.Ref == "" || session.Ref == second.Ref {
		t.Fatalf("names %q and %q", session.Ref, second.Ref)
	}
	db.Wait(time.Hour)
	renewal := renewed(session, "z")
	if err := db.Confirm(t.Context(), ana, renewal.Session, renewal.Before); err != nil {
		t.Fatal(err)
	}
	after, _, err := db.Session(t.Context(), []byte("z"))
	if err != nil || after.Ref != session.Ref || after.CreatedAt != session.CreatedAt || after.ProvenAt != db.Now() {
		t.Errorf("after the proof %+v, %v", after, err)
	}
	if err := db.EndOwnSession(t.Context(), ana, session.Ref); err != nil {
		t.Error(err)
	}
	if err := db.EndOwnSession(t.Context(), ana, session.Ref); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("ended twice: %v", err)
	}
}

// Of many who take one address at once, one gets it.
func TestEmailsStayUnique(t *testing.T) {
	db := storetest.New(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		user := db.Member(t, "northwind", fmt.Sprintf("user%d", i), models.RoleOwner)
		session := signIn(t, db, user, user.UserName)
		wg.Go(func() {
			email := strings.Repeat("N", i%2) + strings.Repeat("n", 1-i%2) + "ew@b.example"
			err := db.ChangeEmail(t.Context(), user, "-", email, renewed(session, "new"+user.UserName))
			var fields models.FieldErrors
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &fields) || fields["email"] == "":
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d accounts have one address", won.Load())
	}
}

func TestNewBrowser(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "eve", models.RoleViewer)
	isNew := func(actor models.Actor, browser string) bool {
		found, err := db.NewBrowser(t.Context(), actor.UserID, []byte(browser))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if isNew(ana, "b") {
		t.Error("the first browser of all is news")
	}
	signIn(t, db, ana, "x")
	if isNew(ana, "b") || !isNew(ana, "other") || isNew(eve, "b") {
		t.Error("the wrong browsers are new")
	}
}

// S23: events about a person come from all teams and from none, and by index.
func TestAccountEvents(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Token(t, ana, app, models.KindManual, "token")
	for i := range 12 {
		db.Wait(time.Minute)
		signIn(t, db, ana, fmt.Sprint(i))
	}
	outside := ana
	outside.TeamID = ""
	if err := db.RenameUser(t.Context(), outside, "Ana"); err != nil { // quiet
		t.Fatal(err)
	}
	db.Wait(time.Minute)
	nobody := models.Actor{UserName: "Unknown"}
	user, err := db.User(t.Context(), ana.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.ProofFailed(t.Context(), nobody, models.AuditSignInFailed, user); err != nil {
		t.Fatal(err)
	}
	events, err := db.AccountEvents(t.Context(), ana.UserID, 10)
	if err != nil || len(events) != 10 || events[0].Action != models.AuditSignInFailed {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for _, event := range events[1:] {
		if event.Action != models.AuditSignedIn || event.Detail != "with a password" {
			t.Errorf("listed %+v", event)
		}
	}
	if events, err := db.AccountEvents(t.Context(), eve.UserID, 10); err != nil || len(events) != 1 || events[0].Action != models.AuditUserAdded {
		t.Errorf("another person's: %+v, %v", events, err)
	}
	failures, err := db.NewFailures(t.Context(), user)
	if err != nil || failures.Count != 1 || failures.LastAt != db.Now() {
		t.Errorf("%+v, %v", failures, err)
	}
	if err := db.SeeFailures(t.Context(), ana.UserID, failures.LastAt); err != nil {
		t.Fatal(err)
	}
	user, _ = db.User(t.Context(), ana.UserID)
	if failures, err = db.NewFailures(t.Context(), user); err != nil || failures.Count != 0 {
		t.Errorf("seen, and yet %+v, %v", failures, err)
	}
	for where, index := range map[string]string{
		"actor_id = 'x' AND action IN ('a', 'b')": "audit_events_by_actor", "target_id = 'x' AND action NOT IN ('a') ORDER BY at DESC": "audit_events_by_target",
	} {
		if plan := db.Explain(t, "SELECT id FROM audit_events WHERE "+where); !strings.Contains(plan, index) {
			t.Errorf("%s: %s", where, plan)
		}
	}
}
