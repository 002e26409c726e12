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

func identityOf(actor models.Actor, subject string) models.Identity {
	return models.Identity{Issuer: "https://id.example", Subject: subject, Email: actor.Email}
}

// S21: a person at the provider is one account's, and an account has one there.
func TestAnIdentityIsLinkedOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "northwind", "eve", models.RoleViewer)
	if err := db.LinkIdentity(t.Context(), eve, identityOf(ana, "ana-7")); !errors.Is(err, models.ErrConflict) {
		t.Errorf("with the address of another: %v", err)
	}
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if db.LinkIdentity(t.Context(), ana, identityOf(ana, "ana-7")) == nil {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 50 linked it", won.Load())
	}
	for name, link := range map[string]struct {
		actor   models.Actor
		subject string
	}{"another's": {eve, "ana-7"}, "a second one": {ana, "ana-8"}} {
		if err := db.LinkIdentity(t.Context(), link.actor, identityOf(link.actor, link.subject)); !errors.Is(err, models.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, user, err := db.Identity(t.Context(), "https://id.example", "ana-7"); err != nil || user.ID != ana.UserID {
		t.Errorf("found %q, %v", user.ID, err)
	}
	if _, _, err := db.Identity(t.Context(), "https://other.example", "ana-7"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("of another issuer: %v", err)
	}
	if err := db.UnlinkIdentity(t.Context(), eve, "https://id.example", nil); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("unlinking what is not there: %v", err)
	}
}

func TestPeopleJoinOnce(t *testing.T) { // D8
	db := storetest.New(t)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	place := models.Newcomers{Team: "NorthWind", Role: models.RoleViewer}
	nia := models.Identity{Issuer: "https://id.example", Subject: "nia-1", Email: "nia@northwind.example"}
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			_, err := db.JoinByProvider(t.Context(), models.Actor{UserName: "Unknown"}, nia, "Nia", place)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, models.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if users := db.Number(t, "SELECT COUNT(*) FROM users"); won.Load() != 1 || users != 2 {
		t.Errorf("%d of 50 joined, %d users", won.Load(), users)
	}
	taken := models.Identity{Issuer: "https://id.example", Subject: "nia-2", Email: "NIA@northwind.example"}
	if _, err := db.JoinByProvider(t.Context(), models.Actor{}, taken, "Nia", place); !errors.Is(err, models.ErrConflict) {
		t.Errorf("with an address that has an account: %v", err)
	}
	byID := models.Newcomers{Team: db.Events(t, "")[0].TeamID, Role: models.RoleDeveloper}
	if _, err := db.JoinByProvider(t.Context(), models.Actor{}, models.Identity{Issuer: "https://id.example", Subject: "tom-1", Email: "tom@northwind.example"}, "Tom", byID); err != nil {
		t.Errorf("by the ID of the team: %v", err)
	}
}

// D3, S21: newcomers do not come into the team of a stranger who has taken the name, or even
// the ID, of the one that the operator named.
func TestNewcomersAreNotDivertedByAName(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	join := func(named, subject string) error {
		_, err := db.JoinByProvider(t.Context(), models.Actor{}, models.Identity{Issuer: "https://id.example", Subject: subject, Email: subject + "@northwind.example"},
			subject, models.Newcomers{Team: named, Role: models.RoleViewer})
		return err
	}
	for _, name := range []string{ana.TeamID, ana.TeamID, ana.TeamID} {
		signUp(t, db, name)
	}
	if err := join(ana.TeamID, "nia"); err != nil {
		t.Errorf("by the ID, which others are called: %v", err)
	}
	signUp(t, db, "Northwind")
	if err := db.SuspendTeam(t.Context(), models.CommandLine, ana.TeamID, ""); err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{"northwind", ana.TeamID} {
		if err := join(named, "tom"); err == nil || problem(err, "team") == "" {
			t.Errorf("while %s is suspended: %v", named, err)
		}
	}
}

func signUp(t *testing.T, db *storetest.DB, team string) {
	t.Helper()
	account := store.Account{Name: "Eve", Email: store.NewID() + "@evil.example", PasswordHash: "-", Team: team}
	if _, err := db.SignUp(t.Context(), models.Actor{}, account); err != nil {
		t.Fatal(err)
	}
}

// S7, S22: a session is as fresh as the provider says, and never fresher than now.
func TestSessionsByProvider(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	signIn := func(id string, at models.Time) error {
		proof := models.Proof{UserID: ana.UserID, Method: models.ByProvider, At: at}
		return db.SignIn(t.Context(), ana, models.Session{IDHash: []byte(id)}, proof, nil, []byte("browser"))
	}
	if err := signIn("unlinked", db.Now()); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("without a link: %v", err)
	}
	if err := db.LinkIdentity(t.Context(), ana, identityOf(ana, "ana-7")); err != nil {
		t.Fatal(err)
	}
	for id, test := range map[string]struct{ at, want models.Time }{
		"unknown": {0, 0}, "earlier": {db.Now().Add(-time.Hour), db.Now().Add(-time.Hour)}, "ahead": {db.Now().Add(time.Hour), db.Now()},
	} {
		if err := signIn(id, test.at); err != nil {
			t.Fatal(err)
		}
		session, _, err := db.Session(t.Context(), []byte(id))
		if err != nil || session.ProvenAt != test.want || session.Method != models.ByProvider {
			t.Errorf("%s: %+v, %v", id, session, err)
		}
	}
	identity := identityOf(ana, "ana-7")
	for _, email := range []string{"new@northwind.example", ""} {
		if err := db.SeeIdentity(t.Context(), identity, email); err != nil {
			t.Fatal(err)
		}
		if got, err := db.IdentityOf(t.Context(), ana.UserID, "https://id.example"); err != nil || got.Email != "new@northwind.example" || got.LastUsedAt != db.Now() {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
