package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// plan adds one and returns it.
func plan(t testing.TB, db *storetest.DB, plan models.Plan) models.PlanRow {
	t.Helper()
	plan.NameKey = models.FoldName(plan.Name)
	if err := db.AddPlan(t.Context(), models.CommandLine, plan); err != nil {
		t.Fatal(err)
	}
	row, err := db.Plan(t.Context(), plan.Name)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func give(t testing.TB, db *storetest.DB, team string, plan models.PlanRow, until models.Time) {
	t.Helper()
	if err := db.GivePlan(t.Context(), models.CommandLine, team, plan.ID, until); err != nil {
		t.Fatal(err)
	}
}

func standing(t testing.TB, db *storetest.DB, team string) models.Standing {
	t.Helper()
	st, err := db.Standing(t.Context(), team)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// wantBooks checks that the balance is the sum of the entries, and the last one's.
func wantBooks(t testing.TB, db *storetest.DB, team string) {
	t.Helper()
	sum := db.Number(t, "SELECT COALESCE(SUM(points), 0) FROM ledger_entries WHERE team_id = ?", team)
	last := db.Number(t, "SELECT COALESCE((SELECT balance_after FROM ledger_entries WHERE team_id = ? ORDER BY "+db.Written()+" DESC LIMIT 1), 0)", team)
	if balance := standing(t, db, team).Balance; balance != sum || balance != last {
		t.Errorf("the balance is %d, the sum %d, the last entry says %d", balance, sum, last)
	}
}

// The default is one plan's.
func TestOneDefault(t *testing.T) {
	db := storetest.New(t)
	free := plan(t, db, models.Plan{Name: "Free", Points: 100, IsDefault: true})
	pro := plan(t, db, models.Plan{Name: "Pro", Points: 1000, PeriodDays: 30, RateLimit: 60, Streams: 5, Members: 9, Overage: true, IsDefault: true})
	if got, _ := db.Plan(t.Context(), free.ID); got.IsDefault || !pro.IsDefault || pro.Version != 1 || pro.CreatedAt != db.Now() {
		t.Errorf("%+v %+v", got, pro)
	}
}

// A name is one plan's; the same plan again is no error and no event.
func TestPlanNames(t *testing.T) {
	db := storetest.New(t)
	terms := models.Plan{Name: "Free", NameKey: models.FoldName("Free"), Points: 100}
	for range 2 {
		if err := db.AddPlan(t.Context(), models.CommandLine, terms); err != nil {
			t.Fatal(err)
		}
	}
	if events := db.Events(t, ""); len(events) != 1 || events[0].Action != models.AuditPlanAdded || events[0].TeamID != "" || events[0].Target != "Free" {
		t.Errorf("%+v", events)
	}
	other := terms
	other.Points = 101
	wantFieldError(t, db.AddPlan(t.Context(), models.CommandLine, other), "name")
	pro := plan(t, db, models.Plan{Name: "Pro"})
	renamed := pro.Plan
	renamed.Name, renamed.NameKey = "fREE", models.FoldName("fREE")
	wantFieldError(t, db.ChangePlan(t.Context(), models.CommandLine, pro.ID, renamed, 0), "name")
}

// A change reaches live tokens by a notice for each team that has the plan, and waits
// with points and period for the next one.
func TestChangingAPlan(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	db.Member(t, "fabrikam", "fay", models.RoleOwner)
	pro := plan(t, db, models.Plan{Name: "Pro", Points: 1000, RateLimit: 60})
	give(t, db, ana.TeamID, pro, 0)
	give(t, db, eve.TeamID, pro, 0)
	var told []string
	db.Subscribe(func(n models.Notice) { told = append(told, n.TeamID) })
	changed := pro.Plan
	changed.Points, changed.RateLimit, changed.Overage = 5, 6, true
	if err := db.ChangePlan(t.Context(), models.CommandLine, pro.ID, changed, pro.Version); err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	want := []string{ana.TeamID, eve.TeamID}
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if st := standing(t, db, ana.TeamID); st.Plan.RateLimit != 6 || !st.Plan.Overage || st.Balance != 1000 || st.Granted != 1000 {
		t.Errorf("%+v", st)
	}
	// The same again, as a form that is posted twice, is done already.
	if err := db.ChangePlan(t.Context(), models.CommandLine, pro.ID, changed, pro.Version); err != nil {
		t.Error(err)
	}
	changed.Points = 7
	if err := db.ChangePlan(t.Context(), models.CommandLine, pro.ID, changed, pro.Version); !errors.Is(err, models.ErrConflict) {
		t.Errorf("over somebody's change: %v", err)
	}
	if err := db.ChangePlan(t.Context(), models.CommandLine, "x", changed, 0); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	if events := db.Events(t, ""); events[0].Action != models.AuditPlanChanged || events[0].TargetID != pro.ID {
		t.Errorf("%+v", events[0])
	}
}

// A retired plan is given to nobody, and stays with those who have it.
func TestRetiringAPlan(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	old := plan(t, db, models.Plan{Name: "Old", Points: 10, IsDefault: true})
	give(t, db, ana.TeamID, old, 0)
	for range 2 {
		if err := db.RetirePlan(t.Context(), models.CommandLine, old.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantFieldError(t, db.GivePlan(t.Context(), models.CommandLine, eve.TeamID, old.ID, 0), "plan")
	wantFieldError(t, db.GivePlan(t.Context(), models.CommandLine, eve.TeamID, "x", 0), "plan")
	give(t, db, ana.TeamID, old, db.Now().Add(time.Hour))
	if st := standing(t, db, ana.TeamID); !st.HasPlan || st.EndsAt != db.Now().Add(time.Hour) || st.Balance != 10 {
		t.Errorf("%+v", st)
	}
	db.Wait(time.Hour) // it has ended: to give it again would be to give it anew
	wantFieldError(t, db.GivePlan(t.Context(), models.CommandLine, ana.TeamID, old.ID, 0), "plan")
	if fay := db.Member(t, "fabrikam", "fay", models.RoleOwner); standing(t, db, fay.TeamID).HasPlan {
		t.Error("a new team got a retired plan")
	}
	again := old.Plan
	again.IsDefault, again.Points = true, 11
	wantFieldError(t, db.ChangePlan(t.Context(), models.CommandLine, old.ID, again, 0), "default")
	rows, err := db.Plans(t.Context())
	if err != nil || len(rows) != 1 || rows[0].Teams != 1 || rows[0].RetiredAt.IsZero() {
		t.Errorf("%+v %v", rows, err)
	}
}

// Another plan begins a period; the same one keeps it and changes its end alone.
func TestGivingAPlan(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "operations", "op", models.RoleOwner))
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	free, pro := plan(t, db, models.Plan{Name: "Free", Points: 100}), plan(t, db, models.Plan{Name: "Pro", Points: 1000, PeriodDays: 30})
	var told []string
	db.Subscribe(func(n models.Notice) { told = append(told, n.TeamID) })
	give(t, db, ana.TeamID, free, 0)
	if _, err := db.AddPoints(t.Context(), op, models.PointsChange{TeamID: ana.TeamID, Points: 50}, ""); err != nil {
		t.Fatal(err)
	}
	db.Wait(time.Hour)
	began := db.Now()
	if err := db.GivePlan(t.Context(), op, ana.TeamID, pro.ID, began.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	st := standing(t, db, ana.TeamID)
	if st.Plan.Name != "Pro" || st.Balance != 1050 || st.PeriodStartedAt != began || st.PeriodEndsAt != began.Add(30*24*time.Hour) || st.EndsAt != began.Add(48*time.Hour) {
		t.Errorf("%+v", st)
	}
	teams, err := db.Teams(t.Context(), models.ListQuery{Search: "north"})
	if err != nil || len(teams.Rows) != 1 || teams.Rows[0].PlanName != "Pro" {
		t.Errorf("%+v, %v", teams, err)
	}
	db.Wait(time.Hour)
	for range 2 {
		give(t, db, ana.TeamID, pro, 0)
	}
	if st := standing(t, db, ana.TeamID); st.Balance != 1050 || st.PeriodStartedAt != began || !st.EndsAt.IsZero() {
		t.Errorf("%+v", st)
	}
	wantFieldError(t, db.GivePlan(t.Context(), op, ana.TeamID, pro.ID, db.Now()), "until")
	var actions []models.AuditAction
	for _, event := range db.Log(t, ana.TeamID, models.AuditQuery{}) {
		actions = append(actions, event.Action)
	}
	want := []models.AuditAction{models.AuditPlanGiven, models.AuditPlanGiven, models.AuditPointsAdded, models.AuditPlanGiven}
	if len(actions) < 4 || !slices.Equal(actions[:4], want) {
		t.Errorf("%v", actions)
	}
	for range 2 {
		if err := db.EndPlan(t.Context(), op, ana.TeamID); err != nil {
			t.Fatal(err)
		}
	}
	if st := standing(t, db, ana.TeamID); st.HasPlan || st.Balance != 50 {
		t.Errorf("%+v", st)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditPlanEnded || event.Target != "Pro" || event.ActorName != op.UserName {
		t.Errorf("%+v", event)
	}
	if len(told) != 5 || slices.ContainsFunc(told, func(team string) bool { return team != ana.TeamID }) {
		t.Errorf("told %v", told)
	}
	wantBooks(t, db, ana.TeamID)
	for _, err := range []error{db.GivePlan(t.Context(), op, "x", pro.ID, 0), db.EndPlan(t.Context(), op, "x")} {
		if !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	}
}

// Whichever way a team comes to be, it begins with the default plan.
func TestNewTeamsGetTheDefaultPlan(t *testing.T) {
	db := storetest.New(t)
	plan(t, db, models.Plan{Name: "Free", Points: 100, IsDefault: true})
	account := func(email, team string) store.Account {
		return store.Account{Name: "Ana", Email: email, PasswordHash: "-", Team: team}
	}
	if _, err := db.Setup(t.Context(), models.Actor{}, account("ana@a.example", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddUser(t.Context(), models.CommandLine, account("ben@b.example", "b")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SignUp(t.Context(), models.Actor{}, account("cid@c.example", "c")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddTeam(t.Context(), models.CommandLine, models.TeamInput{Team: "d", Name: "Dan", Email: "dan@d.example"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		teams, err := db.FindTeams(t.Context(), name)
		if err != nil || len(teams) != 1 {
			t.Fatal(name, teams, err)
		}
		if st := standing(t, db, teams[0].ID); st.Plan.Name != "Free" || st.Balance != 100 {
			t.Errorf("%s: %+v", name, st)
		}
		if event := db.Log(t, teams[0].ID, models.AuditQuery{})[0]; event.Changes != `[{"field":"Plan","before":"","after":"Free"}]` {
			t.Errorf("%s: %+v", name, event)
		}
		wantBooks(t, db, teams[0].ID)
	}
}

// D8: a plan bounds the members of a team, whatever races; who is in it stays.
func TestMembersOfAPlan(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Member(t, "northwind", "ben", models.RoleDeveloper)
	small := plan(t, db, models.Plan{Name: "Small", Members: 3})
	give(t, db, ana.TeamID, small, 0)
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() {
			account := store.Account{Name: "Cid", Email: fmt.Sprintf("cid%d@northwind.example", i), PasswordHash: "-", Team: "northwind"}
			_, errs[i] = db.AddUser(context.Background(), models.CommandLine, account)
		})
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
			continue
		}
		var fields models.FieldErrors
		if !errors.As(err, &fields) || fields["team"] != "The team’s plan, Small, allows 3 members, and the team has as many. An owner can remove one first, or whoever runs Latchkey can give the team another plan." {
			t.Error(err)
		}
	}
	if in != 1 {
		t.Errorf("%d came in", in)
	}
	invitation := models.Invitation{ID: store.NewID(), Email: "dan@northwind.example", EmailKey: "dan", Role: models.RoleViewer, CodeHash: []byte("x"), Sealed: []byte("x")}
	_, err := db.Invite(t.Context(), ana, invitation, "")
	wantFieldError(t, err, "email")
	more := small.Plan
	more.Members = 4
	if err := db.ChangePlan(t.Context(), models.CommandLine, small.ID, more, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Invite(t.Context(), ana, invitation, ""); err != nil {
		t.Fatal(err)
	}
	invitation.ID, invitation.EmailKey, invitation.CodeHash = store.NewID(), "eve", []byte("y")
	_, err = db.Invite(t.Context(), ana, invitation, "") // the one that is pending counts
	wantFieldError(t, err, "email")
	more.Members = 1
	if err := db.ChangePlan(t.Context(), models.CommandLine, small.ID, more, 0); err != nil {
		t.Fatal(err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM members WHERE team_id = ?", ana.TeamID); n != 3 {
		t.Errorf("%d members", n)
	}
}

// D2: whoever is no operator, or none any more, does nothing about plans and points.
func TestPlansAndPointsAreForOperators(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	free := plan(t, db, models.Plan{Name: "Free", Points: 100})
	change := models.PointsChange{TeamID: ana.TeamID, Points: 1, Note: "why"}
	changed := free.Plan
	changed.Points = 5
	_, added := db.AddPoints(t.Context(), ana, change, "")
	_, corrected := db.CorrectPoints(t.Context(), ana, change, "")
	for i, err := range []error{
		db.AddPlan(t.Context(), ana, models.Plan{Name: "x", NameKey: "x"}), db.ChangePlan(t.Context(), ana, free.ID, changed, 0), db.RetirePlan(t.Context(), ana, free.ID),
		db.GivePlan(t.Context(), ana, ana.TeamID, free.ID, 0), db.EndPlan(t.Context(), ana, ana.TeamID), added, corrected,
	} {
		if !errors.Is(err, models.ErrForbidden) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM ledger_entries") + db.Number(t, "SELECT COUNT(*) FROM team_plans"); n != 0 {
		t.Errorf("%d rows", n)
	}
}
