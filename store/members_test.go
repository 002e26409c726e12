package store_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func lastOwner(err error) bool {
	var errs models.FieldErrors
	return errors.As(err, &errs) && errs["role"] == models.LastOwner
}

func roleOf(t *testing.T, db *storetest.DB, who models.Actor) models.Role {
	t.Helper()
	row, err := db.Store.Member(t.Context(), who.TeamID, who.UserID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		t.Fatal(err)
	}
	return row.Role
}

// session signs somebody in and returns the hash of the session.
func session(t testing.TB, db *storetest.DB, who models.Actor, id string) []byte {
	t.Helper()
	row := models.Session{IDHash: []byte(id)}
	if err := db.SignIn(t.Context(), who, row, byPassword(who, "-"), []byte("none"), []byte("browser")); err != nil {
		t.Fatal(err)
	}
	return row.IDHash
}

func TestChangeRole(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	if _, err := db.ChangeRole(t.Context(), ana, jonas.UserID, models.RoleViewer); err != nil || roleOf(t, db, jonas) != models.RoleViewer {
		t.Fatalf("%v", err)
	}
	event := db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditRoleChanged || event.Target != "jonas" || event.TargetID != jonas.UserID || event.ActorID != ana.UserID {
		t.Errorf("recorded as %+v", event)
	}
	if n := db.Number(t, `SELECT COUNT(*) FROM audit_events WHERE changes = '[{"field":"Role","before":"Developer","after":"Viewer"}]'`); n != 1 {
		t.Errorf("before and after stand in %d events", n)
	}
	before := len(db.Events(t, ""))
	if _, err := db.ChangeRole(t.Context(), ana, jonas.UserID, models.RoleViewer); err != nil || len(db.Events(t, "")) != before {
		t.Errorf("the same role again: %v, or an event", err)
	}
	if _, err := db.ChangeRole(t.Context(), eve, jonas.UserID, models.RoleOwner); !errors.Is(err, models.ErrNotFound) { // D3
		t.Errorf("another team's owner: %v", err)
	}
	if _, err := db.ChangeRole(t.Context(), ana, ana.UserID, models.RoleViewer); !lastOwner(err) || roleOf(t, db, ana) != models.RoleOwner { // S13
		t.Errorf("the last owner: %v", err)
	}
	// Who has stopped being an owner changes nothing, however late the request comes.
	if _, err := db.ChangeRole(t.Context(), jonas, ana.UserID, models.RoleViewer); !errors.Is(err, models.ErrConflict) {
		t.Errorf("by a viewer: %v", err)
	}
}

// S13: an owner whose account is disabled keeps no team alive.
func TestADisabledOwnerIsNoLastOwner(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	bob := db.Member(t, "northwind", "bob", models.RoleOwner)
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET disabled_at = 1 WHERE id = ?", bob.UserID); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ChangeRole(t.Context(), ana, ana.UserID, models.RoleViewer); !lastOwner(err) {
		t.Errorf("demoted: %v", err)
	}
	if err := db.LeaveTeam(t.Context(), ana, nil); !lastOwner(err) {
		t.Errorf("left: %v", err)
	}
	if _, err := db.RemoveMember(t.Context(), ana, bob.UserID); err != nil {
		t.Errorf("removing the disabled one: %v", err)
	}
}

// D8, S13: however two owners demote, remove and leave at once, one stays.
func TestATeamKeepsAnOwnerInARace(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	bob := db.Member(t, "northwind", "bob", models.RoleOwner)
	demote := func(by, whom models.Actor) error {
		_, err := db.ChangeRole(t.Context(), by, whom.UserID, models.RoleDeveloper)
		return err
	}
	deeds := []func() error{
		func() error { return demote(ana, bob) },
		func() error { return demote(bob, ana) },
		func() error { return demote(ana, ana) },
		func() error { return db.LeaveTeam(t.Context(), bob, []byte("b")) },
		func() error { _, err := db.RemoveMember(t.Context(), ana, bob.UserID); return err },
	}
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			err := deeds[i%len(deeds)]()
			if err != nil && !lastOwner(err) && !errors.Is(err, models.ErrConflict) && !errors.Is(err, models.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := db.Number(t, "SELECT COUNT(*) FROM members WHERE role = 'owner'"); n != 1 {
		t.Errorf("%d owners", n)
	}
}

// Of two owners who demote each other at the same moment one wins, in 50 tries.
func TestTwoOwnersDemoteEachOther(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	bob := db.Member(t, "northwind", "bob", models.RoleOwner)
	var won atomic.Int32
	var wait sync.WaitGroup
	for i := range 50 {
		by, whom := ana, bob
		if i%2 == 1 {
			by, whom = bob, ana
		}
		wait.Go(func() {
			before := won.Load()
			if _, err := db.ChangeRole(t.Context(), by, whom.UserID, models.RoleViewer); err == nil && before == 0 {
				won.Add(1)
			} else if err != nil && !errors.Is(err, models.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	events := slices.DeleteFunc(db.Events(t, ana.TeamID), func(e models.AuditEvent) bool { return e.Action != models.AuditRoleChanged })
	if len(events) != 1 || won.Load() == 0 {
		t.Errorf("%d changes", len(events))
	}
	if (roleOf(t, db, ana) == models.RoleOwner) == (roleOf(t, db, bob) == models.RoleOwner) {
		t.Error("not one owner")
	}
}

// T4, S3: a removed member's sessions in the team end at once, those in others go on.
func TestRemoveMember(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	other := join(t, db, eve, jonas, models.RoleViewer)
	app := db.Application(t, jonas, "Bot")
	token := db.Token(t, jonas, app, models.KindManual, "value")
	here, there := session(t, db, jonas, "here"), session(t, db, jonas, "there")
	if _, err := db.SwitchTeam(t.Context(), other, here, ana.TeamID); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SwitchTeam(t.Context(), other, there, eve.TeamID); err != nil {
		t.Fatal(err)
	}
	if _, err := db.RemoveMember(t.Context(), eve, ana.UserID); !errors.Is(err, models.ErrNotFound) { // D3
		t.Errorf("another team's member: %v", err)
	}
	if row, err := db.RemoveMember(t.Context(), ana, jonas.UserID); err != nil || row.Name != "jonas" {
		t.Fatal(row, err)
	}
	if _, _, err := db.Session(t.Context(), here); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the session in the team: %v", err)
	}
	if _, actor, err := db.Session(t.Context(), there); err != nil || actor.TeamID != eve.TeamID || actor.Role != models.RoleViewer || actor.Teams != 1 {
		t.Errorf("the session in another team: %+v, %v", actor, err)
	}
	if got, err := db.TokenByHash(t.Context(), token.Hash); err != nil || got.Status(db.Now()) != models.StatusActive {
		t.Errorf("the token that they made: %v", err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditMemberRemoved || event.Target != "jonas" || event.Detail != "Developer" {
		t.Errorf("recorded as %+v", event)
	}
	if _, err := db.RemoveMember(t.Context(), ana, jonas.UserID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := db.SwitchTeam(t.Context(), other, there, ana.TeamID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("back into the team: %v", err)
	}
}

// join makes somebody a member of another team by an invitation.
func join(t *testing.T, db *storetest.DB, owner, who models.Actor, role models.Role) models.Actor {
	t.Helper()
	hash := []byte("code for " + who.UserID + " of " + owner.TeamID)
	invite(t, db, owner, who.Email, role, hash)
	id := session(t, db, who, store.NewID())
	if _, err := db.JoinTeam(t.Context(), who, id, hash); err != nil {
		t.Fatal(err)
	}
	who.TeamID, who.TeamName, who.Role = owner.TeamID, owner.TeamName, role
	return who
}

func TestLeaveTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	if err := db.LeaveTeam(t.Context(), ana, nil); !lastOwner(err) {
		t.Errorf("the last owner left: %v", err)
	}
	mine, elsewhere := session(t, db, jonas, "mine"), session(t, db, jonas, "elsewhere")
	if err := db.LeaveTeam(t.Context(), jonas, mine); err != nil {
		t.Fatal(err)
	}
	if _, actor, err := db.Session(t.Context(), mine); err != nil || actor.TeamID != "" || actor.Role != "" || actor.Teams != 0 {
		t.Errorf("this session: %+v, %v", actor, err)
	}
	if _, _, err := db.Session(t.Context(), elsewhere); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the other session: %v", err)
	}
	if err := db.LeaveTeam(t.Context(), jonas, mine); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
}

// The session that leaves goes on in the team that is left to it.
func TestLeavingLeadsIntoTheOtherTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "contoso", "jonas", models.RoleOwner)
	join(t, db, ana, jonas, models.RoleDeveloper)
	in := session(t, db, jonas, "in")
	if _, actor, err := db.Session(t.Context(), in); err != nil || actor.TeamID != ana.TeamID || actor.Teams != 2 {
		t.Fatalf("signed in to %+v, %v, want the team of last time", actor, err)
	}
	left := jonas
	left.TeamID = ana.TeamID
	if err := db.LeaveTeam(t.Context(), left, in); err != nil {
		t.Fatal(err)
	}
	if _, actor, err := db.Session(t.Context(), in); err != nil || actor.TeamID != jonas.TeamID || actor.Role != models.RoleOwner {
		t.Errorf("in %+v, %v", actor, err)
	}
}

func TestRenameTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Member(t, "contoso", "eve", models.RoleOwner)
	if err := db.RenameTeam(t.Context(), ana, "Contoso"); err != nil { // names are not unique
		t.Fatal(err)
	}
	if n := db.Number(t, `SELECT COUNT(*) FROM audit_events WHERE action = 'Team renamed' AND target = 'Contoso' AND changes = '[{"field":"Name","before":"northwind","after":"Contoso"}]'`); n != 1 {
		t.Errorf("before and after stand in %d events", n)
	}
	before := len(db.Events(t, ""))
	if err := db.RenameTeam(t.Context(), ana, "Contoso"); err != nil || len(db.Events(t, "")) != before {
		t.Errorf("the same name again: %v, or an event", err)
	}
}

func TestMembers(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Member(t, "northwind", "Bob", models.RoleViewer)
	db.Member(t, "contoso", "eve", models.RoleOwner)
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET second_factor = TRUE, last_seen_at = 7 WHERE id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Members(t.Context(), ana.TeamID)
	if err != nil || len(rows) != 2 || rows[0].Name != "ana" || !rows[0].SecondFactor || rows[0].LastSeenAt != 7 || rows[1].Name != "Bob" || rows[1].SecondFactor || rows[1].Role != models.RoleViewer {
		t.Errorf("%+v, %v", rows, err)
	}
}

// S2: where a sign-in begins, with one team, the one of last time, and none.
func TestSwitchTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "contoso", "jonas", models.RoleOwner)
	join(t, db, ana, jonas, models.RoleViewer)
	first := session(t, db, jonas, "first")
	if _, err := db.SwitchTeam(t.Context(), jonas, first, "nowhere"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a team that is none: %v", err)
	}
	lone := db.Member(t, "fabrikam", "lone", models.RoleOwner)
	if _, err := db.SwitchTeam(t.Context(), jonas, first, lone.TeamID); !errors.Is(err, models.ErrNotFound) { // D3
		t.Errorf("a stranger's team: %v", err)
	}
	acting := jonas
	acting.TeamID = ana.TeamID
	if got, err := db.SwitchTeam(t.Context(), acting, first, jonas.TeamID); err != nil || got.TeamName != "contoso" || got.Role != models.RoleOwner {
		t.Fatalf("%+v, %v", got, err)
	}
	if event := db.Events(t, jonas.TeamID)[0]; event.Action != models.AuditTeamSwitched || event.ActorID != jonas.UserID || event.Target != "contoso" {
		t.Errorf("recorded as %+v", event)
	}
	if _, actor, _ := db.Session(t.Context(), session(t, db, jonas, "second")); actor.TeamID != jonas.TeamID {
		t.Errorf("the next sign-in begins in %q", actor.TeamName)
	}
	if _, err := db.SwitchTeam(t.Context(), lone, first, lone.TeamID); err != nil { // its own team: nothing to do
		t.Error(err)
	}
	if _, actor, _ := db.Session(t.Context(), first); actor.TeamID != jonas.TeamID {
		t.Error("somebody else's session was moved")
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1 WHERE id = ?", jonas.TeamID); err != nil {
		t.Fatal(err)
	}
	if _, actor, _ := db.Session(t.Context(), session(t, db, jonas, "third")); actor.TeamID != ana.TeamID {
		t.Errorf("with that team suspended, the next sign-in begins in %q", actor.TeamName)
	}
	acting.TeamID = ""
	if _, err := db.SwitchTeam(t.Context(), acting, first, jonas.TeamID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("into a suspended team: %v", err)
	}
}

// S14, T4: whoever stops being an owner does not come back by an invitation of their own
// making, or by one whose link they were shown. Those of others go on.
func TestInvitationsOfAnOwnerWhoIsOneNoMore(t *testing.T) {
	for name, end := range map[string]func(db *storetest.DB, ana, bob models.Actor) error{
		"removed": func(db *storetest.DB, ana, bob models.Actor) error {
			_, err := db.RemoveMember(t.Context(), ana, bob.UserID)
			return err
		},
		"demoted": func(db *storetest.DB, ana, bob models.Actor) error {
			_, err := db.ChangeRole(t.Context(), ana, bob.UserID, models.RoleDeveloper)
			return err
		},
		"left": func(db *storetest.DB, _, bob models.Actor) error {
			return db.LeaveTeam(t.Context(), bob, []byte("none"))
		},
		"disabled": func(db *storetest.DB, _, bob models.Actor) error {
			return db.DisableUser(t.Context(), models.CommandLine, bob.UserID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.New(t)
			ana, bob := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "bob", models.RoleOwner)
			invite(t, db, bob, "back@example.com", models.RoleOwner, []byte("made by bob"))
			shown := invite(t, db, ana, "shown@example.com", models.RoleOwner, []byte("shown to bob"))
			invite(t, db, ana, "sam@example.com", models.RoleViewer, []byte("made by ana"))
			if _, err := db.RevealInvitation(t.Context(), bob, shown); err != nil {
				t.Fatal(err)
			}
			if err := end(db, ana, bob); err != nil {
				t.Fatal(err)
			}
			for _, code := range []string{"made by bob", "shown to bob"} {
				if _, err := db.InvitationByCode(t.Context(), []byte(code)); !errors.Is(err, models.ErrNotFound) {
					t.Errorf("%s still works: %v", code, err)
				}
			}
			if _, err := db.InvitationByCode(t.Context(), []byte("made by ana")); err != nil {
				t.Errorf("one that bob has not seen: %v", err)
			}
			if got := db.Events(t, ana.TeamID)[0]; name == "removed" && got.Detail != "Owner, 2 pending invitations cancelled" {
				t.Errorf("recorded as %q", got.Detail)
			}
		})
	}
}
