package views

import "github.com/latchkey/latchkey/models"

// SignUpForm is the page Create account.
type SignUpForm struct {
	Name, NameError   string
	Email, EmailError string
	Team, TeamError   string
	PasswordError     string
	// Error is a sentence about the whole of it, or empty.
	Error string
}

// NewSignUpForm shows what was typed, all but the password, and what is wrong with it.
func NewSignUpForm(in models.AccountInput, errs models.FieldErrors) SignUpForm {
	return SignUpForm{
		Name: in.Name, NameError: errs["name"],
		Email: in.Email, EmailError: errs["email"],
		Team: in.Team, TeamError: errs["team"],
		PasswordError: errs["password"],
	}
}

// EmailTaken is said where no mail goes out that could say it to the owner of the address alone.
const EmailTaken = "This email cannot be used for a new account. If it is yours, sign in."
