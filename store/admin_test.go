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

// operator makes a member an operator too.
func operator(t testing.TB, db *storetest.DB, actor models.Actor) models.Actor {
	t.Helper()
	if err := db.MakeOperator(t.Context(), models.CommandLine, actor.UserID); err != nil {
		t.Fatal(err)
	}
	actor.Operator = true
	return actor
}

func wantFieldError(t *testing.T, err error, field string) {
	t.Helper()
	var errs models.FieldErrors
	if !errors.As(err, &errs) || errs[field] == "" {
		t.Errorf("%v, want an error of %s", err, field)
	}
}

// S13, D8: whatever races, an operator stays who may sign in.
func TestLastOperatorStays(t *testing.T) {
	db := storetest.New(t)
	var all []models.Actor
	for i := range 5 {
		all = append(all, operator(t, db, db.Member(t, "northwind", fmt.Sprintf("op%d", i), models.RoleOwner)))
	}
	var wg sync.WaitGroup
	var refused atomic.Int32
	for i := range 50 {
		by, target := all[i%5], all[(i+1+i/5%4)%5]
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				err = db.DisableUser(context.Background(), by, target.UserID)
			} else {
				err = db.UnmakeOperator(context.Background(), by, target.UserID)
			}
			if err != nil {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if n := db.Number(t, "SELECT COUNT(*) FROM users WHERE operator AND disabled_at = 0"); n != 1 {
		t.Errorf("%d operators are left", n)
	}
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
	// The command line, which is no operator of the list, takes the last one neither.
	for _, op := range all {
		if db.Number(t, "SELECT COUNT(*) FROM users WHERE id = ? AND operator AND disabled_at = 0", op.UserID) == 0 {
			continue
		}
		wantFieldError(t, db.DisableUser(t.Context(), models.CommandLine, op.UserID), "user")
		wantFieldError(t, db.UnmakeOperator(t.Context(), models.CommandLine, op.UserID), "user")
		wantFieldError(t, db.DisableUser(t.Context(), op, op.UserID), "user")
		wantFieldError(t, db.UnmakeOperator(t.Context(), op, op.UserID), "user")
		wantFieldError(t, db.RemoveFactors(t.Context(), op, op.UserID), "user")
	}
}

// Whoever is no operator, or is none any more since a moment ago, does nothing.
func TestOnlyOperatorsOperate(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	ben := operator(t, db, db.Member(t, "northwind", "ben", models.RoleDeveloper))
	gone := operator(t, db, db.Member(t, "northwind", "gone", models.RoleDeveloper))
	if err := db.DisableUser(t.Context(), ben, gone.UserID); err != nil {
		t.Fatal(err)
	}
	ana.Operator = true // what a request that began earlier still believes
	ctx, events := t.Context(), len(db.Events(t, ""))
	for _, actor := range []models.Actor{ana, gone} {
		for name, err := range map[string]error{
			"SuspendTeam": db.SuspendTeam(ctx, actor, ana.TeamID, ""), "ResumeTeam": db.ResumeTeam(ctx, actor, ana.TeamID),
			"DisableUser": db.DisableUser(ctx, actor, ben.UserID), "EnableUser": db.EnableUser(ctx, actor, gone.UserID),
			"UnmakeOperator": db.UnmakeOperator(ctx, actor, ben.UserID), "EndSessions": db.EndSessions(ctx, actor, ben.UserID),
			"RemoveFactors": db.RemoveFactors(ctx, actor, ben.UserID), "MakeResetLink": db.MakeResetLink(ctx, actor, ben.UserID, []byte("x"), time.Hour, false),
			"AddResourceServer": db.AddResourceServer(ctx, actor, models.ResourceServer{ID: "1", Name: "API", ClientID: "c", Hash: []byte("h")}),
			"TestMailSent":      db.TestMailSent(ctx, actor, "taken"), "RotateResourceServer": db.RotateResourceServer(ctx, actor, "1", []byte("h")),
		} {
			if !errors.Is(err, models.ErrForbidden) {
				t.Errorf("%s by %s: %v", name, actor.UserName, err)
			}
		}
		if _, err := db.AddTeam(ctx, actor, models.TeamInput{Team: "T", Name: "N", Email: "n@example.com"}); !errors.Is(err, models.ErrForbidden) {
			t.Errorf("AddTeam by %s: %v", actor.UserName, err)
		}
	}
	if n := len(db.Events(t, "")); n != events {
		t.Errorf("%d events more", n-events)
	}
}

// Where operators' deeds are recorded: in the team's log where they concern one, else
// in the installation's own, never in the operator's team's.
func TestDeedsOfOperatorsAreRecorded(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "contoso", "op", models.RoleOwner))
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	before := len(db.Events(t, op.TeamID))
	must(db.SuspendTeam(ctx, op, ana.TeamID, "Unpaid"))
	must(db.SuspendTeam(ctx, op, ana.TeamID, "Again")) // nothing to do
	event := db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditTeamSuspended || event.Detail != "Unpaid" || event.ActorID != op.UserID || event.Target != "northwind" || event.TargetType != "team" {
		t.Errorf("%+v", event)
	}
	must(db.ResumeTeam(ctx, op, ana.TeamID))
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditTeamResumed {
		t.Errorf("%+v", event)
	}
	must(db.MakeResetLink(ctx, op, ana.UserID, []byte("hash"), time.Hour, false))
	must(db.EndSessions(ctx, op, ana.UserID))
	must(db.DisableUser(ctx, op, ana.UserID))
	must(db.DisableUser(ctx, op, ana.UserID)) // nothing to do
	must(db.EnableUser(ctx, op, ana.UserID))
	must(db.EnableUser(ctx, op, ana.UserID)) // nothing to do
	must(db.MakeOperator(ctx, op, ana.UserID))
	must(db.MakeOperator(ctx, op, ana.UserID)) // nothing to do
	must(db.UnmakeOperator(ctx, op, ana.UserID))
	want := []models.AuditAction{models.AuditOperatorUnmade, models.AuditOperatorMade, models.AuditUserEnabled, models.AuditUserDisabled, models.AuditUserSignedOut, models.AuditResetLinkMade}
	var got []models.AuditEvent
	for _, event := range db.Events(t, "") {
		if event.TeamID == "" && event.ActorID == op.UserID {
			got = append(got, event)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, event := range got {
		if event.Action != want[i] || event.TargetID != ana.UserID || event.Target != "ana" || event.TargetType != "user" {
			t.Errorf("%d: %+v", i, event)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE actor_id = ? AND actor_role <> 'operator'", op.UserID); n != 0 {
		t.Errorf("%d events without the role", n)
	}
	if n := len(db.Events(t, op.TeamID)); n != before {
		t.Errorf("%d events more in the operator's team", n-before)
	}
}

func TestOperatorsSearch(t *testing.T) {
	db := storetest.New(t)
	for _, name := range []string{"ana", "Élodie", "100%_sure", "zoe"} {
		db.Member(t, "Team "+name, name, models.RoleOwner)
	}
	for search, want := range map[string]int64{"": 4, "ana": 1, "ANA": 1, "Élo": 1, "%": 1, "_": 1, `\`: 0, "example": 4, "nobody": 0, "team zoe.EXAMPLE": 1} {
		list, err := db.Users(t.Context(), models.ListQuery{Search: search})
		if err != nil || list.Total != want || int64(len(list.Rows)) != want {
			t.Errorf("users %q: %d, %d rows, %v", search, list.Total, len(list.Rows), err)
		}
	}
	for search, want := range map[string]int64{"": 4, "TEAM": 4, "élodie": 1, "%": 1, "nobody": 0} {
		list, err := db.Teams(t.Context(), models.ListQuery{Search: search})
		if err != nil || list.Total != want || int64(len(list.Rows)) != want {
			t.Errorf("teams %q: %d, %d rows, %v", search, list.Total, len(list.Rows), err)
		}
	}
	past, err := db.Users(t.Context(), models.ListQuery{Page: 9})
	if err != nil || past.Total != 4 || len(past.Rows) != 0 {
		t.Errorf("%+v %v", past, err)
	}
	user, err := db.UserDetail(t.Context(), "nobody")
	if !errors.Is(err, models.ErrNotFound) {
		t.Errorf("%+v %v", user, err)
	}
}

func TestUserDetail(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Member(t, "northwind", "ben", models.RoleOwner)
	owner, err := db.AddTeam(t.Context(), models.CommandLine, models.TeamInput{Team: "Contoso", Name: "Ignored", Email: "ANA@northwind.example"})
	if err != nil || owner.ID != ana.UserID || owner.FirstLink() {
		t.Fatalf("%+v %v", owner, err)
	}
	user, err := db.UserDetail(t.Context(), ana.UserID)
	if err != nil || len(user.Teams) != 2 || user.Teams[0].TeamName != "Contoso" || !user.Teams[0].OnlyOwner || user.Teams[1].OnlyOwner || !user.HasPassword || user.Operator {
		t.Errorf("%+v %v", user, err)
	}
}

// A team never comes without an owner, and takes no name or email that is not free.
func TestAddTeam(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "contoso", "op", models.RoleOwner))
	ben := db.Member(t, "contoso", "ben", models.RoleViewer)
	owner, err := db.AddTeam(t.Context(), op, models.TeamInput{Team: "Northwind", Name: "Ana", Email: "ana@northwind.example"})
	if err != nil || !owner.FirstLink() || owner.LinkLives() != models.FirstLinkLives {
		t.Fatalf("%+v %v", owner, err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM members m JOIN teams t ON t.id = m.team_id WHERE t.name = 'Northwind' AND m.user_id = ? AND m.role = 'owner'", owner.ID); n != 1 {
		t.Errorf("%d owners", n)
	}
	_, err = db.AddTeam(t.Context(), op, models.TeamInput{Team: "NORTHWIND", Name: "Eve", Email: "eve@example.com"})
	wantFieldError(t, err, "team")
	if err := db.DisableUser(t.Context(), op, ben.UserID); err != nil {
		t.Fatal(err)
	}
	_, err = db.AddTeam(t.Context(), op, models.TeamInput{Team: "Southwind", Name: "Ben", Email: ben.Email})
	wantFieldError(t, err, "email")
	if n := db.Number(t, "SELECT COUNT(*) FROM teams"); n != 2 {
		t.Errorf("%d teams", n)
	}
}

func TestOverviewAndCounts(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Tokens(t, app, 3, models.Token{})
	status, err := db.Overview(t.Context())
	if err != nil || status.Users != 1 || status.Teams != 1 || status.Applications != 2 || status.Bytes() == 0 || status.Tokens != nil {
		t.Errorf("%+v %v", status, err)
	}
	counts, err := db.TokenCounts(t.Context())
	if err != nil || len(counts) != 1 || counts[0].Active != 3 {
		t.Errorf("%+v %v", counts, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.TokenCounts(ended); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
