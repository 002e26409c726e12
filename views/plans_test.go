package views

import (
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func planRow(id, name string, teams int64) models.PlanRow {
	return models.PlanRow{Teams: teams, Plan: models.Plan{ID: id, Name: name, Points: 100_000, RateLimit: 600, Streams: 20, Members: 10, Version: 3}}
}

func planRows() []models.PlanRow {
	free, hostile, daily, old := planRow("p1", "Free", 31), planRow("p2", hostileNames[0], 1), planRow("p3", hostileNames[5], 0), planRow("p4", "2019", 2)
	free.IsDefault, free.Points = true, 1000
	hostile.Overage, hostile.PeriodDays, hostile.Points, hostile.RateLimit = true, 30, models.MaxPoints, models.MaxPlanLimit
	daily.PeriodDays, daily.RateLimit, daily.Streams, daily.Members = 1, 0, 0, 0
	old.RetiredAt = before(time.Hour)
	return []models.PlanRow{free, hostile, daily, old}
}

func standingOf(plan models.Plan, balance int64) models.Standing {
	return models.Standing{
		HasPlan: true, Plan: plan, Balance: balance, Used: 37_550, Bought: 500,
		TeamPlan: models.TeamPlan{TeamID: "t1", PlanID: plan.ID, PeriodStartedAt: before(22 * 24 * time.Hour), PeriodEndsAt: now.Add(8 * 24 * time.Hour), Granted: 100_000},
	}
}

func ledgerList() models.LedgerList {
	return models.LedgerList{Total: 60, Rows: []models.LedgerEntry{
		{At: before(time.Minute), Kind: models.LedgerUse, Points: -1204, BalanceAfter: 62_450},
		{ID: "e1", At: before(2 * time.Hour), Kind: models.LedgerPurchase, Points: 500, BalanceAfter: 63_654, Reference: "evt_1NG8Du2eZvKYlo2CUI79vXWy", Note: hostileNames[1], ActorName: "Shop"},
		{ID: "e2", At: before(26 * time.Hour), Kind: models.LedgerCorrection, Points: -1_000_000, BalanceAfter: 63_154, Note: "Refund of order 114", ActorName: hostileNames[5]},
		{At: before(30 * time.Hour), Kind: models.LedgerUse, Points: 0, BalanceAfter: 1_063_154},
		{ID: "e3", At: date(2026, time.November, 1), Kind: models.LedgerPlan, Points: 100_000, BalanceAfter: 100_000},
		{ID: "e4", At: date(2026, time.November, 1), Kind: models.LedgerLapse, Points: -31, BalanceAfter: 0},
		{ID: "e5", At: date(2026, time.October, 1), Kind: models.LedgerOverage, Points: 12, BalanceAfter: 0},
	}}
}

func planGoldens() map[string]templ.Component {
	page, member := operatorPage(), pageOf(models.RoleViewer)
	plans := planRows()
	team := teamRow("t1", "Northwind", 0, "")
	off := teamRow("t2", hostileNames[0], before(26*time.Hour), hostileNames[2])
	good, grace, blocked, ended := standingOf(plans[0].Plan, 62_450), standingOf(plans[1].Plan, -12), standingOf(plans[2].Plan, 0), standingOf(plans[0].Plan, 5)
	good.EndsAt, ended.EndsAt = now.Add(40*24*time.Hour), before(time.Hour)
	wrong := models.PlanInput{Name: hostileNames[0], Points: "1,000", Period: models.PeriodDays, Days: "400", Rate: "-1", Streams: "x", Members: "201", Overage: true, Default: true}
	_, err := wrong.Validate()
	errs, _ := err.(models.FieldErrors) //nolint:errorlint // it is not wrapped
	pointsWrong := models.FieldErrors{"points": "Enter a whole number from 1 to 1,000,000,000,000, in digits alone.", "reference": "Use at most 200 characters.", "note": "Use at most 200 characters."}
	typed := models.PointsInput{Points: "x", Reference: hostileNames[0], Note: hostileNames[2]}
	adminTeam := func(team models.TeamRow, st models.Standing, list models.LedgerList) templ.Component {
		return AdminTeam(page, NewAdminTeamView(team, st, list, 1, clock))
	}
	return map[string]templ.Component{
		"plans":              AdminPlans(flashed(page, "The plan Free was added."), NewAdminPlansList(plans)),
		"plans-empty":        AdminPlans(page, NewAdminPlansList(nil)),
		"plan-new":           AdminPlan(page, NewAddPlanForm(models.PlanInput{Period: models.PeriodMonth}, nil)),
		"plan-errors":        AdminPlan(page, NewAddPlanForm(wrong, errs)),
		"plan-no-period":     AdminPlan(page, NewAddPlanForm(models.PlanInput{Name: "x", Points: "1"}, models.FieldErrors{"period": "Choose a calendar month or a number of days."})),
		"plan-edit":          AdminPlan(page, NewEditPlanForm(plans[1], plans[1].Input(), 3, nil, false)),
		"plan-edit-conflict": AdminPlan(page, NewEditPlanForm(plans[0], wrong, 4, nil, true)),
		"plan-edit-retired":  AdminPlan(page, NewEditPlanForm(plans[3], plans[3].Input(), 3, nil, false)),
		"plan-edit-unused":   AdminPlan(page, NewEditPlanForm(plans[2], plans[2].Input(), 3, nil, false)),
		"plan-retire":        AdminAsk(page, NewConfirmRetirePlan(plans[0])),
		"plan-retire-one":    AdminAsk(page, NewConfirmRetirePlan(plans[1])),
		"plan-retire-unused": AdminAsk(page, NewConfirmRetirePlan(plans[2])),

		"admin-team":           adminTeam(team, good, ledgerList()),
		"admin-team-suspended": adminTeam(off, grace, models.LedgerList{}),
		"admin-team-no-plan":   adminTeam(team, models.Standing{}, models.LedgerList{}),
		"admin-team-past-end":  adminTeam(team, blocked, models.LedgerList{Total: 3}),
		"team-plan":            GivePlan(page, NewGivePlanForm(team.Team, "p4", plans, "p4", "2026-12-31", nil)),
		"team-plan-none":       GivePlan(page, NewGivePlanForm(off.Team, "", nil, "", "", nil)),
		"team-plan-errors":     GivePlan(page, NewGivePlanForm(off.Team, "p1", plans, "x", "yesterday", models.FieldErrors{"plan": "Choose one of the plans shown.", "until": "Choose today or a later day, or leave it empty."})),
		"team-plan-end":        AdminAsk(page, NewConfirmEndPlan(off.Team, hostileNames[5])),
		"team-points":          AddPoints(page, NewPointsForm(team.Team, 62_450, TeamPoints, models.PointsInput{}, nil, "once-1")),
		"team-points-errors":   AddPoints(page, NewPointsForm(off.Team, -1, TeamPoints, typed, pointsWrong, "once-1")),
		"team-correct":         CorrectBalance(page, NewPointsForm(team.Team, 62_450, TeamCorrection, models.PointsInput{}, nil, "once-1")),
		"team-correct-errors":  CorrectBalance(page, NewPointsForm(off.Team, -1, TeamCorrection, typed, pointsWrong, "once-1")),

		"points":         Points(member, NewPointsView(good, ledgerList(), 1, clock)),
		"points-page-2":  Points(member, NewPointsView(grace, ledgerList(), 2, clock)),
		"points-blocked": Points(member, NewPointsView(blocked, models.LedgerList{}, 1, clock)),
		"points-ended":   Points(member, NewPointsView(ended, models.LedgerList{}, 1, clock)),
		"points-no-plan": Points(member, NewPointsView(models.Standing{Balance: 500}, models.LedgerList{Total: 3}, 9, clock)),
	}
}

// A day of the ledger is one of UTC, in whatever zone its reader is.
func TestLedgerDaysAreUTC(t *testing.T) {
	zone, err := time.LoadLocation("Pacific/Kiritimati")
	if err != nil {
		t.Fatal(err)
	}
	entry := models.LedgerEntry{Kind: models.LedgerUse, At: models.At(time.Date(2026, time.November, 22, 23, 59, 59, 0, time.UTC))}
	item := newLedgerItem(entry, Clock{Time: now, Zone: zone})
	if item.When.Text != "22 Nov 2026 (UTC)" || item.When.Machine != "2026-11-22" {
		t.Errorf("%+v", item.When)
	}
}
