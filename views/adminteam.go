package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// AdminTeamView is a team's page for operators.
type AdminTeamView struct {
	AdminTeamItem
	ID     string
	Facts  PointsFacts
	Ledger LedgerCard
	// Hrefs of the deeds. EndHref is empty where there is no plan.
	PlanHref, EndHref, PointsHref, CorrectHref string
}

// NewAdminTeamView shows a team with its plan and its points.
func NewAdminTeamView(team models.TeamRow, st models.Standing, list models.LedgerList, page int, now Clock) AdminTeamView {
	path := AdminTeamPath(team.ID)
	st.SuspendedAt = team.SuspendedAt
	view := AdminTeamView{
		AdminTeamItem: newAdminTeamItem(team, now), ID: team.ID,
		Facts: newPointsFacts(st, now), Ledger: newLedgerCard(list, path, page, now),
		PlanHref: path + TeamPlan, PointsHref: path + TeamPoints, CorrectHref: path + TeamCorrection,
	}
	if st.HasPlan {
		view.EndHref = path + TeamPlanEnd
	}
	return view
}

// GivePlanForm gives a team a plan.
type GivePlanForm struct {
	Team   string
	Plans  []ui.Option
	Until  string
	Errs   models.FieldErrors
	Action string
	Back   string
}

// NewGivePlanForm offers the plans that the team can have; chosen is the ID of the one
// that is selected.
func NewGivePlanForm(team models.Team, has string, plans []models.PlanRow, chosen, lastDay string, errs models.FieldErrors) GivePlanForm {
	form := GivePlanForm{Team: team.Name, Until: lastDay, Errs: errs, Action: AdminTeamPath(team.ID) + TeamPlan, Back: AdminTeamPath(team.ID)}
	for _, plan := range plans {
		if !plan.RetiredAt.IsZero() && plan.ID != has {
			continue
		}
		text := plan.Name + ", " + models.FormatNumber(plan.Points) + " points " + eachPeriod(plan.Plan)
		if plan.ID == has {
			text += " (as it is)"
		}
		form.Plans = append(form.Plans, ui.Option{Value: plan.ID, Text: text, Selected: plan.ID == chosen})
	}
	return form
}

// NewConfirmEndPlan asks before a team's plan is taken away.
func NewConfirmEndPlan(team models.Team, plan string) AdminConfirm {
	return AdminConfirm{
		ID: "pe", Verb: "Take the plan of", Name: team.Name, End: " away?",
		Lead: "The plan is " + plan + ". You can give it again; a new period begins then.",
		Facts: []string{
			"The team is not limited any more, and its calls cost no points.",
			"What is left of the plan’s points lapses. Points that were bought stay.",
		},
		Submit: "Take plan away", Tone: "danger", Action: AdminTeamPath(team.ID) + TeamPlanEnd, Back: AdminTeamPath(team.ID),
	}
}

// PointsForm adds points or corrects a balance.
type PointsForm struct {
	models.PointsInput
	Team, Balance string
	Errs          models.FieldErrors
	Hidden        []ui.Hidden
	Action, Back  string
}

// NewPointsForm shows what was typed, and what is wrong with it; deed is the last part of
// the path, once makes a second press do nothing.
func NewPointsForm(team models.Team, balance int64, deed string, in models.PointsInput, errs models.FieldErrors, once string) PointsForm {
	return PointsForm{
		PointsInput: in, Team: team.Name, Balance: models.FormatNumber(balance), Errs: errs, Hidden: []ui.Hidden{{Name: "once", Value: once}},
		Action: AdminTeamPath(team.ID) + deed, Back: AdminTeamPath(team.ID),
	}
}
