package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func passkey(name, handle string) models.Passkey {
	return models.Passkey{ID: store.NewID(), Name: name, Handle: []byte(handle), CredentialID: []byte("credential " + name), Credential: "{}"}
}

func addApp(t *testing.T, db *storetest.DB, who models.Actor, codes ...string) {
	t.Helper()
	if err := db.AddAuthenticator(t.Context(), who, models.Authenticator{Sealed: []byte("sealed")}, codes, []byte("keep")); err != nil {
		t.Fatal(err)
	}
}

// S15: an operator's deed takes everything, ends every session, and is recorded for the
// person's team.
func TestRemoveFactors(t *testing.T) {
	db := storetest.New(t)
	ana, ben := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "ben", models.RoleViewer)
	operator := operator(t, db, db.Member(t, "northwind", "op", models.RoleViewer))
	if err := db.RemoveFactors(t.Context(), operator, ana.UserID); !errors.Is(err, models.ErrConflict) {
		t.Errorf("without any: %v", err)
	}
	for _, who := range []models.Actor{ana, ben} {
		proof := models.Proof{UserID: who.UserID, Method: models.ByPassword, PasswordHash: "-"}
		for _, id := range []string{"1", "2"} {
			if err := db.SignIn(t.Context(), who, models.Session{IDHash: []byte(who.UserName + id), UserID: who.UserID}, proof, nil, []byte("b")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.AddPasskey(t.Context(), ana, passkey("Laptop", "handle"), []string{"hash"}, []byte("ana1")); err != nil {
		t.Fatal(err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM sessions WHERE user_id = ?", ana.UserID); n != 1 { // S5
		t.Errorf("%d sessions go on", n)
	}
	addApp(t, db, ana)
	if err := db.RemoveFactors(t.Context(), operator, "nobody"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if err := db.RemoveFactors(t.Context(), operator, ana.UserID); err != nil {
		t.Fatal(err)
	}
	factors, err := db.Factors(t.Context(), ana.UserID)
	if err != nil || factors.Any() || factors.Codes != 0 || db.Number(t, "SELECT COUNT(*) FROM users WHERE second_factor") != 0 {
		t.Errorf("%+v, %v", factors, err)
	}
	if mine, theirs := db.Number(t, "SELECT COUNT(*) FROM sessions WHERE user_id = ?", ana.UserID), db.Number(t, "SELECT COUNT(*) FROM sessions WHERE user_id = ?", ben.UserID); mine != 0 || theirs != 2 {
		t.Errorf("%d sessions of hers go on, %d of another's", mine, theirs)
	}
	if event := db.Events(t, "")[0]; event.Action != models.AuditSecondFactorReset || event.TeamID != "" || event.TargetID != ana.UserID || event.ActorName != "op" {
		t.Errorf("recorded as %+v", event)
	}
}

// D8: recovery codes come once, and of 50 passkeys at once ten get in, of one handle.
func TestFactorsAtOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	var added, codes atomic.Int32
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			err := db.AddPasskey(t.Context(), ana, passkey(fmt.Sprint(i), "handle"), nil, []byte("keep"))
			if err == nil {
				added.Add(1)
			}
		})
		wait.Go(func() {
			err := db.AddAuthenticator(t.Context(), ana, models.Authenticator{Sealed: []byte("sealed")}, []string{"a", "b"}, []byte("keep"))
			if err == nil {
				codes.Add(1)
			} else if !errors.Is(err, models.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	factors, err := db.Factors(t.Context(), ana.UserID)
	if added.Load() != models.MaxPasskeys || len(factors.Passkeys) != models.MaxPasskeys || codes.Load() != 1 || factors.Codes != 2 || err != nil {
		t.Errorf("%d passkeys, %d sets of codes, %+v, %v", added.Load(), codes.Load(), factors, err)
	}
	if err := db.AddPasskey(t.Context(), ana, passkey("a", "another handle"), nil, []byte("keep")); err == nil {
		t.Error("an eleventh, under another handle")
	}
}

// S19: a counter is compared where it is stored, so that of two uses at once one counts.
func TestUsesOfOneCounter(t *testing.T) {
	db := storetest.New(t)
	ana, ben := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "ben", models.RoleViewer)
	key := passkey("Laptop", "handle")
	if err := db.AddPasskey(t.Context(), ana, key, nil, []byte("keep")); err != nil {
		t.Fatal(err)
	}
	key.UserID = ana.UserID
	for _, use := range []struct {
		count int64
		good  bool
	}{{0, true}, {0, true}, {3, true}, {3, false}, {2, false}, {0, false}, {4, true}} {
		key.SignCount = use.count
		if err := db.UsePasskey(t.Context(), key); (err == nil) != use.good || err != nil && !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%+v: %v", use, err)
		}
	}
	stolen := key
	stolen.UserID, stolen.SignCount = ben.UserID, 9
	if err := db.UsePasskey(t.Context(), stolen); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("of another: %v", err)
	}
	key.SignCount = 10
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if db.UsePasskey(t.Context(), key) == nil {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 50 counted", won.Load())
	}
	for _, bad := range [][2]string{{"credential Laptop", "another"}, {"another", "handle"}, {"", ""}} {
		if _, _, err := db.PasskeyOwner(t.Context(), []byte(bad[0]), []byte(bad[1])); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// S16: the last factor goes only where nobody asks for one, whatever team asks.
func TestTheLastFactorStays(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	addApp(t, db, eve)
	addApp(t, db, ana, "hash")
	if _, err := db.Raw(t).ExecContext(t.Context(), "INSERT INTO members (team_id, user_id, role, created_at) VALUES (?, ?, 'viewer', 1)", eve.TeamID, ana.UserID); err != nil {
		t.Fatal(err)
	}
	if err := db.RequireSecondFactor(t.Context(), eve, true); err != nil {
		t.Fatal(err)
	}
	event := db.Events(t, eve.TeamID)[0]
	var changes string
	if err := db.Raw(t).QueryRowContext(t.Context(), "SELECT changes FROM audit_events WHERE id = ?", event.ID).Scan(&changes); err != nil || changes != `[{"field":"second factor","before":"not required","after":"required"}]` {
		t.Errorf("recorded as %+v %s %v", event, changes, err)
	}
	if policy, err := db.SecondFactorPolicy(t.Context(), eve.TeamID); err != nil || !policy.Required || policy.Without != 0 {
		t.Errorf("%+v, %v", policy, err)
	}
	var refused models.FieldErrors
	err := db.RemoveAuthenticator(t.Context(), ana, store.Leaving{Keep: []byte("keep")})
	if !errors.As(err, &refused) || refused["factor"] != "The team contoso requires a second factor, and this is your last. Add another one first." {
		t.Fatalf("%v", err)
	}
	if factors, err := db.Factors(t.Context(), ana.UserID); err != nil || !factors.Any() || factors.CodesLeft != 1 {
		t.Errorf("%+v, %v", factors, err)
	}
	if err := db.AddPasskey(t.Context(), ana, passkey("Laptop", "handle"), nil, []byte("keep")); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveAuthenticator(t.Context(), ana, store.Leaving{Keep: []byte("keep"), Required: true}); err != nil {
		t.Errorf("another is left: %v", err)
	}
	if err := db.RequireSecondFactor(t.Context(), eve, false); err != nil {
		t.Fatal(err)
	}
	factors, _ := db.Factors(t.Context(), ana.UserID)
	if _, err := db.RemovePasskey(t.Context(), ana, factors.Passkeys[0].ID, store.Leaving{Keep: []byte("keep"), Required: true}); !errors.As(err, &refused) {
		t.Errorf("everybody needs one: %v", err)
	}
	if _, err := db.RemovePasskey(t.Context(), eve, factors.Passkeys[0].ID, store.Leaving{Keep: []byte("keep")}); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another's: %v", err)
	}
	if _, err := db.RemovePasskey(t.Context(), ana, factors.Passkeys[0].ID, store.Leaving{Keep: []byte("keep")}); err != nil {
		t.Error(err)
	}
	if err := db.RequireSecondFactor(t.Context(), ana, true); !errors.As(err, &refused) {
		t.Errorf("asked of others alone: %v", err)
	}
}

// An account without a password or a provider keeps its last passkey, and its only way in.
func TestTheOnlyWayInStays(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.AddPasskey(t.Context(), ana, passkey("Laptop", "handle"), []string{"hash"}, []byte("s")); err != nil {
		t.Fatal(err)
	}
	factors, err := db.Factors(t.Context(), ana.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET password_hash = ''"); err != nil {
		t.Fatal(err)
	}
	_, err = db.RemovePasskey(t.Context(), ana, factors.Passkeys[0].ID, store.Leaving{Keep: []byte("s")})
	wantFieldError(t, err, "factor")
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET password_hash = '-'"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.RemovePasskey(t.Context(), ana, factors.Passkeys[0].ID, store.Leaving{Keep: []byte("s")}); err != nil {
		t.Error(err)
	}
}
