package handlers

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

const paramPlan = "plan"

// planPages let operators give plans and points, and show a team its own. Plans and
// points are money: what changes them wants a fresh proof.
func (h *Handlers) planPages() []Route {
	const (
		plan = views.AdminPlansPath + "/:" + paramPlan
		team = views.AdminTeamsPath + "/:" + paramTeam
	)
	add := pointsDeed{h, views.TeamPoints, views.AddPoints, models.PointsInput.Purchase, h.Store.AddPoints}
	correct := pointsDeed{h, views.TeamCorrection, views.CorrectBalance, models.PointsInput.Correction, h.Store.CorrectPoints}
	return []Route{
		{get, views.PointsPath, view, h.points},

		{get, views.AdminPlansPath, operate, h.adminPlans},
		{get, views.AdminNewPlanPath, operateFresh, h.newPlan},
		{post, views.AdminNewPlanPath, operateFresh, h.addPlan},
		{get, plan + views.PlanEdit, operateFresh, h.editPlan},
		{post, plan + views.PlanEdit, operateFresh, h.changePlan},
		{get, plan + views.PlanRetire, operateFresh, h.retirePlanPage},
		{post, plan + views.PlanRetire, operateFresh, h.retirePlan},

		{get, team, operate, h.adminTeam},
		{get, team + views.TeamPlan, operateFresh, h.givePlanPage},
		{post, team + views.TeamPlan, operateFresh, h.givePlan},
		{get, team + views.TeamPlanEnd, operateFresh, h.endPlanPage},
		{post, team + views.TeamPlanEnd, operateFresh, h.endPlan},
		{get, team + views.TeamPoints, operateFresh, add.ask},
		{post, team + views.TeamPoints, operateFresh, add.done},
		{get, team + views.TeamCorrection, operateFresh, correct.ask},
		{post, team + views.TeamCorrection, operateFresh, correct.done},
	}
}
