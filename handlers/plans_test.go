package handlers_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// plan adds a plan and gives it to a team, if one is named.
func (s *site) plan(t testing.TB, team string, plan models.Plan) models.PlanRow {
	t.Helper()
	plan.NameKey = models.FoldName(plan.Name)
	if err := s.db.AddPlan(t.Context(), models.CommandLine, plan); err != nil {
		t.Fatal(err)
	}
	row, err := s.db.Plan(t.Context(), plan.Name)
	if err != nil {
		t.Fatal(err)
	}
	if team != "" {
		if err := s.db.GivePlan(t.Context(), models.CommandLine, team, row.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	return row
}

func TestPlanPages(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.operator(t, "contoso", "op"))
	b.get("/admin/plans").expect(t, http.StatusOK, "No plans yet", "New Plan")
	bad := b.post("/admin/plans/new", "name", "\u202e", "points", "1,000", "period", "days", "days", "400", "rate", "-1", "streams", "x", "members", "201", "overage", "yes")
	bad.expect(t, http.StatusUnprocessableEntity)
	for field, typed := range map[string]string{"name": "\u202e", "points": "1,000", "days": "400", "rate": "-1", "streams": "x", "members": "201"} {
		if value, problem := bad.field(field); value != typed || problem == "" {
			t.Errorf("%s: %q %q", field, value, problem)
		}
	}
	b.post("/admin/plans/new", "name", "x", "points", "1").expect(t, http.StatusUnprocessableEntity, "Choose a calendar month or a number of days.")
	for range 2 { // a form that is posted twice
		if got := b.post("/admin/plans/new", "name", "Pro", "points", "1000", "period", "days", "days", "30", "rate", "60", "default", "yes"); got.to() != "/admin/plans" {
			t.Fatalf("%s to %q", got.Status, got.to())
		}
	}
	b.get("/admin/plans").expect(t, http.StatusOK, "The plan Pro was added.", "Pro Default Without points calls are refused 1,000 every 30 days 60 No limit No limit 0")
	b.post("/admin/plans/new", "name", "PRO", "points", "1", "period", "month").expect(t, http.StatusUnprocessableEntity, "There is a plan called PRO already.")

	plan, err := s.db.Plan(t.Context(), "Pro")
	if err != nil {
		t.Fatal(err)
	}
	path := "/admin/plans/" + plan.ID
	b.get(path+"/edit").expect(t, http.StatusOK, "Edit Pro", "No team has it now.")
	b.get("/admin/plans/Pro/edit").expect(t, http.StatusNotFound)
	if got := b.post(path+"/edit", "name", "Pro", "points", "2000", "period", "month", "overage", "yes", "version", "1"); got.to() != "/admin/plans" {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.get("/admin/plans").expect(t, http.StatusOK, "The changes to Pro were saved.", "Pro Without points calls go on 2,000 each calendar month No limit")
	late := b.post(path+"/edit", "name", "Pro", "points", "3000", "period", "month", "version", "1")
	late.expect(t, http.StatusConflict, "Someone else changed it meanwhile")
	if value, _ := late.field("points"); value != "3000" || !strings.Contains(late.body, `name="version" value="2"`) {
		t.Errorf("points %q", value)
	}
	b.post(path+"/edit", "name", "", "points", "3000", "period", "month", "version", "2").expect(t, http.StatusUnprocessableEntity, "Enter a name.")
	b.get(path+"/retire").expect(t, http.StatusOK, "Retire Pro ?")
	if got := b.post(path + "/retire"); got.to() != "/admin/plans" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get("/admin/plans").expect(t, http.StatusOK, "The plan Pro is retired.", "Pro Retired")
	if strings.Contains(b.get("/admin/plans").body, path+"/retire") || strings.Contains(b.get(path+"/edit").body, `name="default"`) {
		t.Error("a retired plan can be retired, or be the default")
	}
}

var onceField = regexp.MustCompile(`name="once" value="([^"]+)"`)

func TestPlanAndPointsOfATeam(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.operator(t, "contoso", "op"))
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	owner := s.signedIn(t, ana)
	path := "/admin/teams/" + ana.TeamID
	b.get("/admin/teams").expect(t, http.StatusOK, "northwind")
	b.get(path).expect(t, http.StatusOK, "Status Active Balance 0 Plan None", "No entries yet", "Give plan", "There is no plan: the team is not limited and pays no points.")
	b.get(path+"/plan").expect(t, http.StatusOK, "There is no plan to give.")
	b.get(path+"/plan/end").expect(t, http.StatusNotFound)
	owner.get("/user/usage/points").expect(t, http.StatusOK, "Points", "Balance 0 Plan None", "No entries yet")

	pro, old := s.plan(t, "", models.Plan{Name: "Pro", Points: 1000, Overage: true}), s.plan(t, "", models.Plan{Name: "Old", Points: 1})
	if err := s.db.RetirePlan(t.Context(), models.CommandLine, old.ID); err != nil {
		t.Fatal(err)
	}
	form := b.get(path + "/plan")
	form.expect(t, http.StatusOK, "Plan of northwind", "Pro, 1,000 points each calendar month")
	if strings.Contains(form.body, old.ID) {
		t.Error("a retired plan is offered")
	}
	b.post(path+"/plan", "plan", old.ID).expect(t, http.StatusUnprocessableEntity, "The plan Old is retired. Choose another one.")
	b.post(path+"/plan", "plan", "x").expect(t, http.StatusUnprocessableEntity, "Choose one of the plans shown.")
	got := b.post(path+"/plan", "plan", pro.ID, "until", "2026-11-22")
	got.expect(t, http.StatusUnprocessableEntity, "Choose today or a later day")
	if value, _ := got.field("until"); value != "2026-11-22" || !strings.Contains(got.body, `value="`+pro.ID+`" selected`) {
		t.Errorf("until %q", value)
	}
	for range 2 {
		if got := b.post(path+"/plan", "plan", pro.ID, "until", "2026-12-31"); got.to() != path {
			t.Fatalf("%s %s", got.Status, got.text())
		}
	}
	b.get(path).expect(t, http.StatusOK, "The plan of northwind was set.", "Status Active Balance 1,000 Plan Pro Last day of the plan 31 Dec 2026 (UTC)", "Change plan", "Take plan away", "Points of the plan Just now op +1,000 1,000")

	add := b.get(path + "/points")
	add.expect(t, http.StatusOK, "Add points to northwind", "Its balance is 1,000.")
	once := onceField.FindStringSubmatch(add.body)[1]
	for range 2 {
		if got := b.post(path+"/points", "points", "500", "reference", "INV-1", "note", "<b>Thanks</b>", "once", once); got.to() != path {
			t.Fatalf("%s %s", got.Status, got.text())
		}
	}
	b.get(path).expect(t, http.StatusOK, "The balance of northwind is now 1,500 points.", "Added <b>Thanks</b> Reference INV-1 Just now op +500 1,500")
	b.post(path+"/points", "points", "500", "reference", "INV-1", "note", "<b>Thanks</b>", "once", "another")
	b.get(path).expect(t, http.StatusOK, "This purchase was added before. Nothing was changed.", "Balance 1,500")
	got = b.post(path+"/points", "points", "501", "reference", "INV-1", "once", "third")
	got.expect(t, http.StatusUnprocessableEntity, "Another purchase has this reference already, of 500 points.")
	if value, _ := got.field("points"); value != "501" {
		t.Errorf("points %q", value)
	}
	b.post(path+"/points", "points", "-5").expect(t, http.StatusUnprocessableEntity, "Enter a whole number from 1 to 1,000,000,000,000")

	b.get(path+"/correction").expect(t, http.StatusOK, "Correct the balance of northwind", "It is 1,500.")
	b.post(path+"/correction", "points", "-5", "note", " ").expect(t, http.StatusUnprocessableEntity, "Enter why the balance is corrected.")
	for range 2 {
		if got := b.post(path+"/correction", "points", "-1501", "note", "Refund", "once", "fourth"); got.to() != path {
			t.Fatalf("%s %s", got.Status, got.text())
		}
	}
	b.get(path).expect(t, http.StatusOK, "The balance of northwind is now -1 points.", "Status Grace Balance -1", "Corrected Refund Just now op -1,501 -1", "Calls go on, and what they cost is billed.")
	owner.get("/user/usage/points").expect(t, http.StatusOK, "Status Grace Balance -1 Plan Pro", "Corrected Refund Just now op -1,501 -1", "Added <b>Thanks</b> Reference INV-1")
	if body := owner.get("/user/usage/points").body; strings.Contains(body, "/admin/") || strings.Contains(body, "<b>Thanks") {
		t.Error("the team's page leads to Administration, or holds what was typed as it is")
	}

	b.get(path+"/plan/end").expect(t, http.StatusOK, "Take the plan of northwind away?", "The plan is Pro.")
	if got := b.post(path + "/plan/end"); got.to() != path {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(path).expect(t, http.StatusOK, "northwind has no plan now.", "Plan None", "Give plan")
	if n := s.db.Number(t, "SELECT COUNT(*) FROM ledger_entries WHERE kind IN ('plan', 'purchase', 'correction')"); n != 3 {
		t.Errorf("%d entries", n)
	}
}

// D3: a team sees its own ledger and no other, whatever the address says.
func TestPointsAreTheTeamsOwn(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	for i := range 30 {
		if _, err := s.db.AddPoints(t.Context(), models.Shop, models.PointsChange{TeamID: ana.TeamID, Points: int64(i) + 1, Note: "Order"}, ""); err != nil {
			t.Fatal(err)
		}
		s.db.Wait(time.Minute)
	}
	viewer, other := s.signedIn(t, vic), s.signedIn(t, eve)
	viewer.get("/user/usage/points").expect(t, http.StatusOK, "Balance 465", "1 to 25 of 30", "Added Order 1 minute ago Shop +30 465")
	viewer.get("/user/usage/points?page=2").expect(t, http.StatusOK, "26 to 30 of 30")
	viewer.get("/user/usage/points?page=9").expect(t, http.StatusOK, "Nothing on this page")
	for _, address := range []string{"/user/usage/points", "/user/usage/points?team=" + ana.TeamID} {
		got := other.get(address)
		got.expect(t, http.StatusOK, "Balance 0", "No entries yet")
	}
	op := s.operator(t, "contoso", "op")
	b := s.signedIn(t, op)
	b.get("/admin/teams/"+ana.TeamID+"?page=2").expect(t, http.StatusOK, "26 to 30 of 30")
	var named []string
	for _, event := range s.db.Log(t, ana.TeamID, models.AuditQuery{}) {
		named = append(named, event.ActorName)
	}
	if !slices.Contains(named, "Shop") {
		t.Error(named)
	}
}

// A plan that bounds the members says so to whoever invites one more.
func TestInvitingBeyondThePlan(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	s.plan(t, ana.TeamID, models.Plan{Name: "Solo", Members: 1})
	got := s.signedIn(t, ana).post("/user/team/invitations", "email", "ben@northwind.example", "role", "developer")
	got.expect(t, http.StatusUnprocessableEntity)
	if _, problem := got.field("email"); problem != "The team’s plan, Solo, allows 1 member, pending invitations counted. An owner can remove one first, or whoever runs Latchkey can give the team another plan." {
		t.Error(problem)
	}
}
