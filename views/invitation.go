package views

import "github.com/latchkey/latchkey/models"

// InvitationView is the page behind an invitation link. One of Joins, Other and the form
// is shown.
type InvitationView struct {
	Code     string
	TeamName string
	// Lead says who invited, and as what.
	Lead  string
	Email string
	// Joins tells that the reader is signed in as the one who was invited; Other is the
	// address of a reader who is somebody else.
	Joins bool
	Other string
	// LoginHref leads there for whoever has an account, and back.
	LoginHref       string
	Return          string
	Name, NameError string
	PasswordError   string
	Error           string
}

// NewInvitationView decides which of the pages the reader gets. It says nothing about
// whether the invited address has an account: that would tell a stranger.
func NewInvitationView(open models.OpenInvitation, code string, reader models.Actor, name string, errs models.FieldErrors) InvitationView {
	here := OpenInvitationPath(code)
	view := InvitationView{
		Code: code, TeamName: open.TeamName, Email: open.Email, LoginHref: LoginTo(here), Return: here,
		Name: name, NameError: errs["name"], PasswordError: errs["password"], Error: errs["team"],
	}
	if errs["email"] != "" {
		view.Error = "An account with this email exists already. Sign in with it to join."
	}
	view.Lead = "You are invited as " + open.Role.Title() + "."
	if open.InvitedByName != "" {
		view.Lead = open.InvitedByName + " invites you as " + open.Role.Title() + "."
	}
	switch {
	case reader.UserID == "":
	case models.EmailKey(reader.Email) == open.EmailKey:
		view.Joins = true
	default:
		view.Other = reader.Email
	}
	return view
}
