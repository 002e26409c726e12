package views

import (
	"net/url"

	"github.com/latchkey/latchkey/views/layout"
)

// The pages of plans and points.
const (
	// PointsPath is the balance and the ledger of the team.
	PointsPath       = layout.UsagePath + "/points"
	AdminPlansPath   = AdminPath + "/plans"
	AdminNewPlanPath = AdminPlansPath + "/new"
)

// What operators do to a plan, and to a team's plan and points: the last part of the path.
const (
	PlanEdit       = "/edit"
	PlanRetire     = "/retire"
	TeamPlan       = "/plan"
	TeamPlanEnd    = TeamPlan + "/end"
	TeamPoints     = "/points"
	TeamCorrection = "/correction"
)

// AdminPlanPath is what the deeds on a plan stand below.
func AdminPlanPath(id string) string { return AdminPlansPath + "/" + url.PathEscape(id) }

// AdminTeamPath is a team's page for operators. Deeds stand below it.
func AdminTeamPath(id string) string { return AdminTeamsPath + "/" + url.PathEscape(id) }
