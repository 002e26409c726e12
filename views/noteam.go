package views

import "github.com/latchkey/latchkey/models"

// NoTeamView is shown instead of a page of a team to whoever is in none.
type NoTeamView struct {
	Heading string
	Text    string
	// Others are teams that the reader can go to.
	Others []TeamLink
	Return string
}

// TeamLink is a team to switch to.
type TeamLink struct{ ID, Name string }

// NewNoTeamView says why the reader acts in no team: memberships are all teams that they are in.
func NewNoTeamView(memberships []models.Membership, now Clock) NoTeamView {
	view := NoTeamView{Heading: "You are not in a team", Text: "Ask an owner of a team for an invitation. Your account stays as it is.", Return: ApplicationsPath}
	var suspended models.Membership
	for _, m := range memberships {
		if m.SuspendedAt.IsZero() {
			view.Others = append(view.Others, TeamLink{ID: m.TeamID, Name: m.TeamName})
		} else if suspended.TeamID == "" {
			suspended = m
		}
	}
	switch {
	case len(view.Others) > 0:
		view.Heading, view.Text = "Choose a team", "You are not in the team of this session any more, or it is suspended. Go on in another one."
	case len(memberships) > 1:
		view.Heading, view.Text = "Your teams are suspended", "Their pages are closed and their tokens are refused until whoever runs Latchkey resumes them."
	case suspended.TeamID != "":
		view.Heading = suspended.TeamName + " is suspended"
		view.Text = "Since " + exact(suspended.SuspendedAt, now).Text + " its pages are closed and its tokens are refused, until whoever runs Latchkey resumes it. Nothing was deleted."
		if suspended.SuspendedReason != "" {
			view.Text += " The reason given: " + suspended.SuspendedReason
		}
	}
	return view
}
