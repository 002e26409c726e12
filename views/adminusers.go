package views

import (
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// AdminUsersList is the page Users of operators.
type AdminUsersList struct {
	List ListState
	Rows []AdminUserItem
}

// AdminUserItem is a row.
type AdminUserItem struct {
	Name, Email, Href  string
	Operator, Disabled bool
	Teams              []AdminMembership
	SecondFactor       string
	LastSeen           ui.Moment
}

// AdminMembership is a team with the role in it.
type AdminMembership struct {
	Team, Role string
	Suspended  bool
}

var adminUserColumns = []ui.Column{{Text: "Name"}, {Text: "Teams"}, {Text: "Second factor"}, {Text: "Last seen"}}

// NewAdminUsersList shows one page of all users.
func NewAdminUsersList(list models.UserList, query models.ListQuery, now Clock) AdminUsersList {
	page := AdminUsersList{List: newListState(AdminUsersPath, query, list.Total, len(list.Rows))}
	for _, user := range list.Rows {
		page.Rows = append(page.Rows, newAdminUserItem(user, now))
	}
	return page
}

func newAdminUserItem(user models.UserRow, now Clock) AdminUserItem {
	item := AdminUserItem{
		Name: user.Name, Email: user.Email, Href: AdminUserPath(user.ID), Operator: user.Operator, Disabled: !user.DisabledAt.IsZero(),
		SecondFactor: onOff(user.SecondFactor), LastSeen: ago(user.LastSeenAt, now),
	}
	for _, m := range user.Teams {
		item.Teams = append(item.Teams, AdminMembership{Team: m.TeamName, Role: m.Role.Title(), Suspended: !m.SuspendedAt.IsZero()})
	}
	return item
}

func onOff(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// AdminUserView is a user's page for operators.
type AdminUserView struct {
	AdminUserItem
	Created    ui.Moment
	DisabledAt ui.Moment
	Password   string
	Sessions   string
	Deeds      []AdminDeed
	// Self tells that it is the operator's own account, which has fewer deeds.
	Self bool
}

// AdminDeed is one thing to do: a page that asks first, or a form.
type AdminDeed struct {
	ID, Title, Text, Button string
	Href, Action            string
	Danger                  bool
}

// NewAdminUserView shows a user to an operator.
func NewAdminUserView(user models.UserRow, operatorID string, now Clock) AdminUserView {
	view := AdminUserView{
		AdminUserItem: newAdminUserItem(user, now), Created: day(user.CreatedAt, now), Password: "Set", Sessions: models.FormatNumber(user.Sessions),
		Self: user.ID == operatorID,
	}
	if !user.HasPassword {
		view.Password = "Not set"
	}
	if !user.DisabledAt.IsZero() {
		view.DisabledAt = exact(user.DisabledAt, now)
	}
	view.Deeds = userDeeds(user, view.Self)
	return view
}

func userDeeds(user models.UserRow, self bool) []AdminDeed {
	path, off := AdminUserPath(user.ID), !user.DisabledAt.IsZero()
	var deeds []AdminDeed
	add := func(shown bool, deed AdminDeed) {
		if shown {
			deeds = append(deeds, deed)
		}
	}
	add(!off, AdminDeed{ID: "link", Title: "New password link", Text: "A link with which they set a password of their own. It works once.", Button: "Make link", Href: path + UserLink})
	add(!self && user.Sessions > 0, AdminDeed{ID: "sessions", Title: "End all sessions", Text: "They are signed out everywhere and may sign in again.", Button: "End sessions", Href: path + UserSessions})
	add(!self && user.SecondFactor, AdminDeed{ID: "factors", Title: "Remove the second factor", Text: "For somebody who has lost it. Make sure first that it is them.", Button: "Remove second factor", Href: path + UserFactors, Danger: true})
	add(!self && !off && !user.Operator, AdminDeed{ID: "operator", Title: "Make them an operator", Text: "They see these pages and may do all that you may do here.", Button: "Make operator", Href: path + UserOperator})
	add(!self && user.Operator, AdminDeed{ID: "operator", Title: "Operator", Text: "They see these pages and may do all that you may do here.", Button: "Take away", Href: path + UserOperator, Danger: true})
	add(!self && !off, AdminDeed{ID: "disable", Title: "Disable this account", Text: "They are signed out and cannot sign in. Applications and tokens of their teams go on.", Button: "Disable account", Href: path + UserDisable, Danger: true})
	add(!self && off, AdminDeed{ID: "disable", Title: "Enable this account", Text: "They may sign in again, with the password they had.", Button: "Enable account", Action: path + UserEnable})
	return deeds
}

// NewConfirmDisable names the teams that are left without an owner.
func NewConfirmDisable(user models.UserRow, problem string) AdminConfirm {
	confirm := AdminConfirm{
		ID: "ud", Verb: "Disable", Name: user.Name, End: "?", Error: problem,
		Lead:   "You can enable the account again at any time.",
		Facts:  []string{"All their sessions end at once, and they cannot sign in.", "Applications and tokens of their teams keep working."},
		Submit: "Disable account", Tone: "danger", Action: AdminUserPath(user.ID) + UserDisable, Back: AdminUserPath(user.ID),
	}
	for _, m := range user.Teams {
		if m.OnlyOwner {
			confirm.Facts = append(confirm.Facts, m.TeamName+" has no other owner.")
		}
	}
	return confirm
}

// NewConfirmEndSessions asks before a user is signed out everywhere.
func NewConfirmEndSessions(user models.UserRow, problem string) AdminConfirm {
	return AdminConfirm{
		ID: "us", Verb: "End all sessions of", Name: user.Name, End: "?", Error: problem,
		Lead:   "They are signed out everywhere at once. They may sign in again.",
		Submit: "End sessions", Tone: "danger", Action: AdminUserPath(user.ID) + UserSessions, Back: AdminUserPath(user.ID),
	}
}

// NewConfirmRemoveFactors reminds to check the person.
func NewConfirmRemoveFactors(user models.UserRow, problem string) AdminConfirm {
	return AdminConfirm{
		ID: "uf", Verb: "Remove the second factor of", Name: user.Name, End: "?", Error: problem,
		Lead: "From then on the password alone lets them in, until they set up another one.",
		Facts: []string{
			"Make sure that it is them who asks: by a call to a number you know, or in person. A mail is not enough.",
			"All their sessions end at once.",
		},
		Submit: "Remove second factor", Tone: "danger", Action: AdminUserPath(user.ID) + UserFactors, Back: AdminUserPath(user.ID),
	}
}

// NewConfirmOperator asks before somebody becomes an operator, or stops being one.
func NewConfirmOperator(user models.UserRow, problem string) AdminConfirm {
	confirm := AdminConfirm{
		ID: "uo", Verb: "Make", Name: user.Name, End: " an operator?", Error: problem,
		Lead:   "They see Administration and may do all that you may do there: suspend teams, disable accounts, make operators.",
		Facts:  []string{"They do not see token values or secrets of teams that they are not a member of.", "Their sessions end after 1 hour unused, and after 24 hours in all."},
		Hidden: []ui.Hidden{{Name: "operator", Value: "yes"}},
		Submit: "Make operator", Tone: "primary", Action: AdminUserPath(user.ID) + UserOperator, Back: AdminUserPath(user.ID),
	}
	if user.Operator {
		confirm.Verb, confirm.End = "Take Administration away from", "?"
		confirm.Lead, confirm.Facts = "They are no operator from their next page load. Their teams and roles stay.", nil
		confirm.Submit, confirm.Tone, confirm.Hidden = "Take away", "danger", nil
	}
	return confirm
}

// PasswordLinkForm makes a link with which a user sets a password.
type PasswordLinkForm struct {
	Name, Email string
	Lives       string
	Mails       bool
	Action      string
	Back        string
}

// NewPasswordLinkForm says how long the link works. mails tells that it can be mailed.
func NewPasswordLinkForm(user models.UserRow, mails bool) PasswordLinkForm {
	return PasswordLinkForm{
		Name: user.Name, Email: user.Email, Lives: linkLives(user.LinkLives()), Mails: mails,
		Action: AdminUserPath(user.ID) + UserLink, Back: AdminUserPath(user.ID),
	}
}

func linkLives(d time.Duration) string { return models.FormatLifespan(int64(d.Seconds())) }

// NewPasswordLinkShown is the answer with the link.
func NewPasswordLinkShown(user models.UserRow, link models.Secret, back string) AdminShown {
	return AdminShown{
		Heading: "Password link", Name: user.Name,
		Text:   "sets a password with this link. Hand it over so that nobody else reads it. It works once, for " + linkLives(user.LinkLives()) + ".",
		Values: []ShownValue{{Label: "Link", Secret: link}}, Back: back,
	}
}
