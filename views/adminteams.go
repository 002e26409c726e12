package views

import (
	"slices"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// AdminTeamsList is the page Teams of operators.
type AdminTeamsList struct {
	List ListState
	Rows []AdminTeamItem
}

// AdminTeamItem is a row. One of SuspendHref and ResumeAction is empty.
type AdminTeamItem struct {
	Name, Href                string
	Members, Applications     string
	Plan                      string // empty for none
	Created                   ui.Moment
	Suspended                 bool
	Since                     ui.Moment
	Reason                    string
	SuspendHref, ResumeAction string
}

var adminTeamColumns = []ui.Column{{Text: "Name"}, {Text: "Members"}, {Text: "Applications"}, {Text: "Plan"}, {Text: "Created"}, {Text: "Actions", Hidden: true}}

// NewAdminTeamsList shows one page of all teams.
func NewAdminTeamsList(list models.TeamList, query models.ListQuery, now Clock) AdminTeamsList {
	page := AdminTeamsList{List: newListState(AdminTeamsPath, query, list.Total, len(list.Rows))}
	for _, team := range list.Rows {
		page.Rows = append(page.Rows, newAdminTeamItem(team, now))
	}
	return page
}

func newAdminTeamItem(team models.TeamRow, now Clock) AdminTeamItem {
	item := AdminTeamItem{
		Name: team.Name, Href: AdminTeamPath(team.ID), Members: models.FormatNumber(team.Members), Applications: models.FormatNumber(team.Applications), Plan: team.PlanName,
		Created: day(team.CreatedAt, now), Suspended: !team.SuspendedAt.IsZero(), Reason: team.SuspendedReason,
	}
	if item.Suspended {
		item.Since, item.ResumeAction = day(team.SuspendedAt, now), ResumeTeamPath(team.ID)
	} else {
		item.SuspendHref = SuspendTeamPath(team.ID)
	}
	return item
}

// NewConfirmSuspend asks before everything of a team is refused. streams is as StreamsClose
// says it.
func NewConfirmSuspend(team models.Team, reason, problem, streams string) AdminConfirm {
	confirm := AdminConfirm{
		ID: "ts", Verb: "Suspend", Name: team.Name, End: "?",
		Lead: "You can resume it at any time. Nothing is deleted.",
		Facts: []string{
			"All its tokens and client credentials are refused at once.",
			"Its members cannot open its pages. They read that it is suspended, and the reason.",
		},
		Reason: &ui.Input{ID: "ts-reason", Name: "reason", Label: "Reason (optional)", Value: reason, Hint: "Members and the team’s audit log show it. Up to 200 characters.", Error: problem, MaxLength: "400", Autocomplete: "off", Autofocus: true},
		Submit: "Suspend team", Tone: "danger", Action: SuspendTeamPath(team.ID), Back: AdminTeamsPath,
	}
	if streams != "" {
		confirm.Facts = slices.Insert(confirm.Facts, 1, streams)
	}
	return confirm
}

// AdminTeamForm makes a team with its first owner.
type AdminTeamForm struct {
	Team, TeamError   string
	Name, NameError   string
	Email, EmailError string
	// Mails tells that the link can be mailed.
	Mails bool
}

// NewAdminTeamForm shows what was typed, and what is wrong with it.
func NewAdminTeamForm(in models.TeamInput, errs models.FieldErrors, mails bool) AdminTeamForm {
	return AdminTeamForm{
		Team: in.Team, TeamError: errs["team"], Name: in.Name, NameError: errs["name"], Email: in.Email, EmailError: errs["email"], Mails: mails,
	}
}
