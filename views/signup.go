package views

import "github.com/latchkey/latchkey/models"

// SignUpForm is the page Create account.
type SignUpForm struct {
	Name, NameError   string
	Email, EmailError string
	Team, TeamError   string
	PasswordError     string
	// Mailed means that a link is mailed, behind which the password is chosen.
	Mailed bool
	// Error is a sentence about the whole of it, or empty.
	Error string
}

// NewSignUpForm shows what was typed, all but the password, and what is wrong with it.
func NewSignUpForm(in models.AccountInput, errs models.FieldErrors, mailed bool) SignUpForm {
	return SignUpForm{
		Name: in.Name, NameError: errs["name"],
		Email: in.Email, EmailError: errs["email"],
		Team: in.Team, TeamError: errs["team"],
		PasswordError: errs["password"],
		Mailed:        mailed,
	}
}

// FinishSignUpForm chooses the password of an account whose address is confirmed.
type FinishSignUpForm struct {
	Code              string
	Name, Email, Team string
	PasswordError     string
}

// NewFinishSignUpForm shows what was typed before the link was mailed. code goes along hidden.
func NewFinishSignUpForm(code string, in models.AccountInput, problem string) FinishSignUpForm {
	return FinishSignUpForm{Code: code, Name: in.Name, Email: in.Email, Team: in.Team, PasswordError: problem}
}

// EmailTaken is said where no mail goes out that could say it to the owner of the address alone.
const EmailTaken = "This email cannot be used for a new account. If it is yours, sign in."
