package e2e

import (
	"net/url"
	"strings"
	"testing"
)

// plansPast makes plans, gives Northwind one, and fills its ledger.
func (w *world) plansPast(t testing.TB) {
	t.Helper()
	olga := signIn(t, w.s, operatorEmail)
	for _, plan := range []url.Values{
		{"name": {"Free"}, "points": {"1000"}, "period": {"month"}, "members": {"3"}},
		{"name": {strings.Repeat("W", 64)}, "points": {"1000000000000"}, "period": {"days"}, "days": {"366"}, "rate": {"1000000000"}, "streams": {"1000000000"}, "overage": {"yes"}},
		{"name": {"Pro"}, "points": {"100000"}, "period": {"days"}, "days": {"30"}, "rate": {"600"}, "streams": {"20"}},
		{"name": {"Old"}, "points": {"10"}, "period": {"month"}},
	} {
		olga.deed("/admin/plans/new", plan)
	}
	olga.deed(planCalled(t, olga, "Old")+"/retire", nil)
	olga.deed(w.admin.team+"/plan", url.Values{"plan": {idOf(planCalled(t, olga, "Pro"))}, "until": {"2099-12-31"}})
	olga.deed(w.admin.team+"/points", url.Values{"points": {"5000"}, "reference": {"evt_" + strings.Repeat("W", 60)}, "note": {strings.Repeat("W", 120)}})
	for range 25 {
		olga.deed(w.admin.team+"/correction", url.Values{"points": {"-12"}, "note": {"Refund"}})
	}
}

// planCalled is the path of a plan.
func planCalled(t testing.TB, olga *client, name string) string {
	t.Helper()
	before, _, ok := strings.Cut(olga.get("/admin/plans").body, `>Edit<span class="sr-only"> `+name+"<")
	if !ok {
		t.Fatalf("no plan %s", name)
	}
	path, _, _ := strings.Cut(before[strings.LastIndex(before, "/admin/plans/"):], "/edit")
	return path
}

// ofPlans is what operators see of plans and points, and what a team sees of its own.
func (w *world) ofPlans() []view {
	team := w.admin.team
	views := []view{
		{name: "admin plans", show: opened("/admin/plans")},
		{name: "admin new plan", show: opened("/admin/plans/new")},
		{name: "admin new plan errors", status: 422, show: func(p *tab) {
			p.open("/admin/plans/new")
			p.whole().fill("Name", "\u200b")
			for _, field := range []string{"Points in a period", "Days", "Requests a minute", "Streams open at once", "Members"} {
				p.whole().fill(field, "1e9")
			}
			p.whole().click("radio", "A number of days Counted from when a team gets the plan.")
			p.whole().follow("button", "Add plan")
			p.sees("Enter a name.")
		}},
		{name: "admin plan retire", show: func(p *tab) {
			p.open("/admin/plans")
			p.whole().dialog("link", "Retire Pro", "Retire Pro?")
		}},
		{name: "admin team", show: opened(team)},
		{name: "admin team ledger page 2", show: opened(team + "?page=2")},
		{name: "admin team plan", show: opened(team + "/plan")},
		{name: "admin team plan end", show: opened(team + "/plan/end")},
		{name: "admin team points", show: func(p *tab) {
			p.open(team)
			p.whole().dialog("link", "Add points", "Add points to Northwind")
		}},
		{name: "admin team points errors", status: 422, show: func(p *tab) {
			p.open(team + "/points")
			p.whole().fill("Points", "-1")
			p.whole().follow("button", "Add points")
			p.sees("Enter a whole number from 1")
		}},
		{name: "admin team correct", show: opened(team + "/correction")},
	}
	for i := range views {
		views[i].email = operatorEmail
	}
	return append(views, view{name: "points", email: viewerEmail, show: opened("/user/usage/points")})
}
