package views

import "github.com/latchkey/latchkey/models"

// SetupForm is the page that makes the first account.
type SetupForm struct {
	Code string

	Name, NameError   string
	Email, EmailError string
	Team, TeamError   string
	PasswordError     string
}

// NewSetupForm shows what was typed, all but the password, and what is wrong
// with it. code goes along hidden.
func NewSetupForm(code string, in models.AccountInput, errs models.FieldErrors) SetupForm {
	return SetupForm{
		Code: code,
		Name: in.Name, NameError: errs["name"],
		Email: in.Email, EmailError: errs["email"],
		Team: in.Team, TeamError: errs["team"],
		PasswordError: errs["password"],
	}
}

// SetupClosed is the page that says where the setup address stands. Wrong means
// that a code came along and was not the right one.
type SetupClosed struct{ Wrong bool }
