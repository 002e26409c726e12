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

func tryInvite(t *testing.T, db *storetest.DB, owner models.Actor, email string, role models.Role, hash []byte) (string, error) {
	t.Helper()
	return db.Invite(t.Context(), owner, models.Invitation{
		ID: store.NewID(), Email: email, EmailKey: models.EmailKey(email), Role: role, CodeHash: hash, Sealed: []byte("sealed"),
	}, "")
}

func invite(t *testing.T, db *storetest.DB, owner models.Actor, email string, role models.Role, hash []byte) string {
	t.Helper()
	id, err := tryInvite(t, db, owner, email, role, hash)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func problem(err error, field string) string {
	var errs models.FieldErrors
	if !errors.As(err, &errs) {
		return fmt.Sprint(err)
	}
	return errs[field]
}

// S14: bound to one address, team and role, one use.
func TestInvitation(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	code := []byte("code")
	id := invite(t, db, ana, "Sam@Example.com", models.RoleViewer, code)
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditMemberInvited || event.Target != "Sam@Example.com" || event.Detail != "Viewer" || event.TargetID != id {
		t.Errorf("recorded as %+v", event)
	}
	rows, err := db.Invitations(t.Context(), ana.TeamID)
	if err != nil || len(rows) != 1 || rows[0].CreatedByName != "ana" || rows[0].Sealed != nil || rows[0].CodeHash != nil {
		t.Errorf("%+v, %v", rows, err)
	}
	open, err := db.InvitationByCode(t.Context(), code)
	if err != nil || open.TeamName != "northwind" || open.InvitedByName != "ana" || open.Role != models.RoleViewer || open.CodeHash != nil {
		t.Errorf("%+v, %v", open, err)
	}
	user, err := db.AcceptInvitation(t.Context(), models.Actor{}, code, store.Account{Name: "Sam", PasswordHash: "-", Email: "eve@example.com", Operator: false})
	if err != nil || user.Email != "Sam@Example.com" || user.Operator {
		t.Fatalf("%+v, %v", user, err)
	}
	if row, err := db.Store.Member(t.Context(), ana.TeamID, user.ID); err != nil || row.Role != models.RoleViewer {
		t.Errorf("%+v, %v", row, err)
	}
	event := db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditMemberJoined || event.ActorID != user.ID || event.ActorName != "Sam" || event.Detail != "Viewer, invited by ana" {
		t.Errorf("recorded as %+v", event)
	}
	if _, err := db.AcceptInvitation(t.Context(), models.Actor{}, code, store.Account{Name: "Sam", PasswordHash: "-"}); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM invitations"); n != 0 {
		t.Errorf("%d invitations are left", n)
	}
}

func TestInvitationsThatAreRefused(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	invite(t, db, ana, "sam@example.com", models.RoleViewer, []byte("first"))
	if _, err := tryInvite(t, db, ana, "SAM@example.com", models.RoleOwner, []byte("again")); !strings.HasPrefix(problem(err, "email"), "This address has an invitation already.") {
		t.Errorf("twice: %v", err)
	}
	if _, err := tryInvite(t, db, ana, "JONAS@northwind.example", models.RoleOwner, []byte("member")); problem(err, "email") != "JONAS@northwind.example is a member of this team already." {
		t.Errorf("a member: %v", err)
	}
	if _, err := tryInvite(t, db, jonas, "kim@example.com", models.RoleOwner, []byte("kim")); !errors.Is(err, models.ErrConflict) {
		t.Errorf("by a developer: %v", err)
	}
	for i := range models.MaxInvitations - 1 { // R1
		invite(t, db, ana, fmt.Sprintf("p%d@example.com", i), models.RoleViewer, fmt.Append(nil, i))
	}
	if _, err := tryInvite(t, db, ana, "more@example.com", models.RoleViewer, []byte("more")); !strings.HasPrefix(problem(err, "email"), "The team has 50 pending invitations") {
		t.Errorf("too many: %v", err)
	}
	db.Wait(models.InvitationLife) // all have expired, and make room
	if _, err := tryInvite(t, db, ana, "sam@example.com", models.RoleViewer, []byte("later")); err != nil {
		t.Error(err)
	}
}

// Wrong, expired, cancelled, of a suspended team, of another address: nobody joins.
func TestInvitationsThatDoNotWork(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	sam := db.Member(t, "fabrikam", "sam", models.RoleOwner)
	mine := session(t, db, sam, "sam")
	dead := func(what string, code string) {
		t.Helper()
		if _, err := db.InvitationByCode(t.Context(), []byte(code)); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: shown, %v", what, err)
		}
		if _, err := db.AcceptInvitation(t.Context(), models.Actor{}, []byte(code), store.Account{Name: "X", PasswordHash: "-"}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: accepted, %v", what, err)
		}
		if _, err := db.JoinTeam(t.Context(), sam, mine, []byte(code)); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: joined, %v", what, err)
		}
	}
	dead("wrong", "wrong")
	dead("empty", "")
	cancelled := invite(t, db, ana, sam.Email, models.RoleViewer, []byte("cancelled"))
	if _, err := db.CancelInvitation(t.Context(), eve, cancelled); !errors.Is(err, models.ErrNotFound) { // D3
		t.Errorf("another team cancels: %v", err)
	}
	if _, err := db.RevealInvitation(t.Context(), eve, cancelled); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another team reads: %v", err)
	}
	if got, err := db.RevealInvitation(t.Context(), ana, cancelled); err != nil || string(got.Sealed) != "sealed" || db.Events(t, ana.TeamID)[0].Action != models.AuditInvitationShown {
		t.Errorf("revealing: %v", err)
	}
	if _, err := db.CancelInvitation(t.Context(), ana, cancelled); err != nil {
		t.Fatal(err)
	}
	dead("cancelled", "cancelled")
	invite(t, db, ana, "kim@example.com", models.RoleOwner, []byte("kim's"))
	if _, err := db.JoinTeam(t.Context(), sam, mine, []byte("kim's")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("by another address: %v", err)
	}
	if _, err := db.InvitationByCode(t.Context(), []byte("kim's")); err != nil {
		t.Errorf("and it was used up: %v", err)
	}
	expired := invite(t, db, ana, sam.Email, models.RoleViewer, []byte("expired"))
	db.Wait(models.InvitationLife - time.Millisecond)
	if _, err := db.InvitationByCode(t.Context(), []byte("expired")); err != nil {
		t.Errorf("in its last moment: %v", err)
	}
	db.Wait(time.Millisecond)
	mine = session(t, db, sam, "sam again")
	dead("expired", "expired")
	if _, err := db.RevealInvitation(t.Context(), ana, expired); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("revealing an expired one: %v", err)
	}
	if err := db.Sweep(t.Context(), time.Hour, time.Hour); err != nil || db.Number(t, "SELECT COUNT(*) FROM invitations") != 0 { // T7
		t.Errorf("expired ones stay: %v", err)
	}
	invite(t, db, ana, sam.Email, models.RoleViewer, []byte("suspended"))
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1 WHERE id = ?", ana.TeamID); err != nil {
		t.Fatal(err)
	}
	dead("of a suspended team", "suspended")
	if n := db.Number(t, "SELECT COUNT(*) FROM members"); n != 3 {
		t.Errorf("%d members", n)
	}
}

// D8, S14: of 50 who use an invitation at once, one does.
func TestAnInvitationIsUsedOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	sam := db.Member(t, "contoso", "sam", models.RoleOwner)
	mine := session(t, db, sam, "sam")
	invite(t, db, ana, "kim@example.com", models.RoleViewer, []byte("new"))
	invite(t, db, ana, sam.Email, models.RoleViewer, []byte("known"))
	var made, joined atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := db.AcceptInvitation(t.Context(), models.Actor{}, []byte("new"), store.Account{Name: "Kim", PasswordHash: "-"}); err == nil {
				made.Add(1)
			}
		})
		wait.Go(func() {
			if _, err := db.JoinTeam(t.Context(), sam, mine, []byte("known")); err == nil {
				joined.Add(1)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 || joined.Load() != 1 {
		t.Errorf("%d accounts, %d joined", made.Load(), joined.Load())
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM members WHERE team_id = ?", ana.TeamID); n != 3 {
		t.Errorf("%d members", n)
	}
}

// An account that exists is never made anew, and its invitation stays for its owner.
func TestAcceptingForAnAccountThatExists(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	sam := db.Member(t, "contoso", "sam", models.RoleOwner)
	code := []byte("code")
	invite(t, db, ana, strings.ToUpper(sam.Email), models.RoleDeveloper, code)
	if _, err := db.AcceptInvitation(t.Context(), models.Actor{}, code, store.Account{Name: "Eve", PasswordHash: "eve's"}); problem(err, "email") == "" {
		t.Fatalf("%v", err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM users WHERE password_hash = 'eve''s' OR name = 'Eve'"); n != 0 {
		t.Error("the account was changed")
	}
	id := session(t, db, sam, "sam")
	if _, err := db.JoinTeam(t.Context(), sam, id, code); err != nil {
		t.Fatal(err)
	}
	row, actor, err := db.Session(t.Context(), id)
	if err != nil || actor.TeamID != ana.TeamID || actor.Role != models.RoleDeveloper || actor.Teams != 2 {
		t.Errorf("%+v, %v", actor, err)
	}
	if row.ProvenAt != db.Now() {
		t.Error("the clock of the test moved")
	}
	// In the team already, by an invitation that is older: the role stays.
	if _, err := db.Raw(t).ExecContext(t.Context(), `INSERT INTO invitations (id, team_id, email, email_key, role, code_hash, sealed, created_at, expires_at)
		VALUES ('i', ?1, ?2, ?3, 'owner', ?4, ?4, 1, ?5)`, ana.TeamID, sam.Email, models.EmailKey(sam.Email), []byte{1}, int64(db.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if _, err := db.JoinTeam(t.Context(), sam, id, []byte{1}); err != nil || roleOf(t, db, actor) != models.RoleDeveloper {
		t.Errorf("a second invitation gives %q, %v", roleOf(t, db, actor), err)
	}
}

// R1: a team and a person have bounds.
func TestHowManyMembersAndTeams(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	many := db.Raw(t)
	for i := range models.MaxMembers - 1 {
		id := fmt.Sprintf("u%d", i)
		for _, statement := range []string{
			"INSERT INTO users (id, email, email_key, name, password_hash, created_at) VALUES (?1, ?1, ?1, ?1, '-', 1)",
			"INSERT INTO members (team_id, user_id, role, created_at) SELECT id, ?1, 'viewer', 1 FROM teams",
		} {
			if _, err := many.ExecContext(t.Context(), statement, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	invite(t, db, ana, "kim@example.com", models.RoleViewer, []byte("full"))
	if _, err := db.AcceptInvitation(t.Context(), models.Actor{}, []byte("full"), store.Account{Name: "Kim", PasswordHash: "-"}); !strings.HasPrefix(problem(err, "team"), "The team has 200 members") {
		t.Errorf("a full team: %v", err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM users WHERE name = 'Kim'"); n != 0 {
		t.Error("an account was made all the same")
	}
	if _, err := db.InvitationByCode(t.Context(), []byte("full")); err != nil {
		t.Errorf("the invitation was used up: %v", err)
	}
	sam := db.Member(t, "t0", "sam", models.RoleOwner)
	for i := range models.MaxTeams - 1 {
		join(t, db, db.Member(t, fmt.Sprintf("t%d", i+1), fmt.Sprintf("o%d", i+1), models.RoleOwner), sam, models.RoleViewer)
	}
	last := db.Member(t, "last", "last", models.RoleOwner)
	invite(t, db, last, sam.Email, models.RoleViewer, []byte("last"))
	if _, err := db.JoinTeam(t.Context(), sam, session(t, db, sam, "s"), []byte("last")); !strings.HasPrefix(problem(err, "team"), "This account is in 20 teams") {
		t.Errorf("too many teams: %v", err)
	}
}

// Signing up gives a team of one's own, whatever it is called.
func TestSignUp(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	user, err := db.SignUp(t.Context(), models.Actor{}, store.Account{Name: "Eve", Email: "eve@example.com", PasswordHash: "-", Team: "northwind", Role: models.RoleViewer})
	if err != nil || user.Operator {
		t.Fatal(user, err)
	}
	own, err := db.Memberships(t.Context(), user.ID)
	if err != nil || len(own) != 1 || own[0].TeamID == ana.TeamID || own[0].TeamName != "northwind" || own[0].Role != models.RoleOwner {
		t.Errorf("%+v, %v", own, err)
	}
	if event := db.Events(t, own[0].TeamID)[0]; event.Action != models.AuditSignedUp || event.ActorID != user.ID {
		t.Errorf("recorded as %+v", event)
	}
	if _, err := db.SignUp(t.Context(), models.Actor{}, store.Account{Name: "Eve", Email: "ANA@northwind.example", PasswordHash: "-", Team: "x"}); problem(err, "email") == "" {
		t.Errorf("an address that has an account: %v", err)
	}
}
