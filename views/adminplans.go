package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// AdminPlansList is the page Plans of operators.
type AdminPlansList struct{ Rows []AdminPlanItem }

// AdminPlanItem is a row. A retired plan has no RetireHref.
type AdminPlanItem struct {
	Name                   string
	Default, Retired       bool
	Points, Period         string
	Rate, Streams, Members string
	// Without says what happens to calls when there are no points.
	Without              string
	Teams                string
	EditHref, RetireHref string
}

var adminPlanColumns = []ui.Column{
	{Text: "Name"}, {Text: "Points"}, {Text: "Requests a minute"}, {Text: "Streams"}, {Text: "Members"}, {Text: "Teams"}, {Text: "Actions", Hidden: true},
}

// NewAdminPlansList shows all plans.
func NewAdminPlansList(plans []models.PlanRow) AdminPlansList {
	var page AdminPlansList
	for _, plan := range plans {
		item := AdminPlanItem{
			Name: plan.Name, Default: plan.IsDefault, Retired: !plan.RetiredAt.IsZero(),
			Points: models.FormatNumber(plan.Points), Period: eachPeriod(plan.Plan), Without: withoutPoints(plan.Plan),
			Rate: models.LimitText(plan.RateLimit), Streams: models.LimitText(plan.Streams), Members: models.LimitText(plan.Members),
			Teams: models.FormatNumber(plan.Teams), EditHref: AdminPlanPath(plan.ID) + PlanEdit,
		}
		if !item.Retired {
			item.RetireHref = AdminPlanPath(plan.ID) + PlanRetire
		}
		page.Rows = append(page.Rows, item)
	}
	return page
}

// eachPeriod is how often a plan gives its points.
func eachPeriod(plan models.Plan) string {
	switch plan.PeriodDays {
	case 0:
		return "each calendar month"
	case 1:
		return "each day"
	}
	return "every " + plan.PeriodText()
}

func withoutPoints(plan models.Plan) string {
	if plan.Overage {
		return "Without points calls go on"
	}
	return "Without points calls are refused"
}

// AdminPlanForm adds or changes a plan.
type AdminPlanForm struct {
	models.PlanInput
	Errs models.FieldErrors
	// EditName is the name that the plan has; empty for a new one.
	EditName, Lead string
	// Conflict tells that somebody else changed it since the form was opened.
	Conflict bool
	Retired  bool
	Periods  []ui.Choice
	Overages []ui.Choice
	Defaults []ui.Choice
	Hidden   []ui.Hidden
	Action   string
	Submit   string
}

// NewAddPlanForm shows what was typed, and what is wrong with it.
func NewAddPlanForm(in models.PlanInput, errs models.FieldErrors) AdminPlanForm {
	return newPlanForm(AdminPlanForm{
		PlanInput: in, Errs: errs, Action: AdminNewPlanPath, Submit: "Add plan",
		Lead: "What teams may use, and how many points they get for it. You give it to a team on the team’s page.",
	})
}

// NewEditPlanForm shows a plan, or what was typed over it; version is the one that the
// form was opened with.
func NewEditPlanForm(plan models.PlanRow, in models.PlanInput, version int64, errs models.FieldErrors, conflict bool) AdminPlanForm {
	form := AdminPlanForm{
		PlanInput: in, Errs: errs, EditName: plan.Name, Conflict: conflict, Retired: !plan.RetiredAt.IsZero(),
		Action: AdminPlanPath(plan.ID) + PlanEdit, Submit: "Save changes",
		Hidden: []ui.Hidden{{Name: "version", Value: strconv.FormatInt(version, 10)}},
		Lead:   "No team has it now.",
	}
	if plan.Teams > 0 {
		form.Lead = models.Count(plan.Teams, "team") + whoHave(plan.Teams) + " it. Limits and overage hold for their next call, points and period from the next period of each."
	}
	return newPlanForm(form)
}

func whoHave(n int64) string {
	if n == 1 {
		return " has"
	}
	return " have"
}

func newPlanForm(form AdminPlanForm) AdminPlanForm {
	form.Periods = []ui.Choice{
		{Value: models.PeriodMonth, Text: "A calendar month (UTC)", Hint: "A team that gets the plan within a month gets all points of that month.", Checked: form.Period != models.PeriodDays},
		{Value: models.PeriodDays, Text: "A number of days", Hint: "Counted from when a team gets the plan.", Checked: form.Period == models.PeriodDays},
	}
	form.Overages = []ui.Choice{{Value: "yes", Text: "Calls go on without points", Hint: "The balance falls below zero. At the end of the period what is missing is written down for you to bill.", Checked: form.Overage}}
	form.Defaults = []ui.Choice{{Value: "yes", Text: "Default", Hint: "New teams get this plan. It takes the place of the default plan of today.", Checked: form.Default}}
	return form
}

// NewConfirmRetirePlan asks before no team can get a plan any more.
func NewConfirmRetirePlan(plan models.PlanRow) AdminConfirm {
	confirm := AdminConfirm{
		ID: "pr", Verb: "Retire", Name: plan.Name, End: "?",
		Lead:   "You cannot undo this. No team can get the plan any more.",
		Submit: "Retire plan", Tone: "danger", Action: AdminPlanPath(plan.ID) + PlanRetire, Back: AdminPlansPath,
	}
	if plan.Teams == 1 {
		confirm.Facts = append(confirm.Facts, "1 team has it, and keeps it until you give it another one.")
	}
	if plan.Teams > 1 {
		confirm.Facts = append(confirm.Facts, models.Count(plan.Teams, "team")+" have it, and keep it until you give them another one.")
	}
	if plan.IsDefault {
		confirm.Facts = append(confirm.Facts, "It is the default plan. New teams get no plan until another one is the default.")
	}
	return confirm
}

// Title is the page's heading.
func (f AdminPlanForm) Title() string {
	if f.EditName == "" {
		return "New plan"
	}
	return "Edit " + f.EditName
}
