package views

import (
	"time"

	"github.com/latchkey/latchkey/models"
)

// What the sign-in and confirm pages say when they are shown again.
const (
	WrongCredentials = "That email and password do not match. Check both and try again."
	WrongPassword    = "That is not your password. Check it and try again."
	SignedOut        = "You were signed out. Sign in again to go on."
)

// LoginForm is the page Sign in. Error and Notice are sentences or empty.
type LoginForm struct {
	Email string
	// Next is the page to go to afterwards; the handler checks it.
	Next   string
	Error  string
	Notice string
	// SignUp tells that anyone may create an account.
	SignUp bool
	// Passkeys tells that the site can have passkeys; PasskeyError is a sentence or empty.
	Passkeys     bool
	PasskeyError string
	// Mails tells that a link for a new password can be mailed.
	Mails bool
	// Provider is the button beside the password.
	Provider ProviderSignIn
}

// ConfirmIdentityForm asks for the password again. Error is a sentence or empty.
type ConfirmIdentityForm struct {
	Next string
	// Deed is the ID of what waits to be done, empty for a page to go on to.
	Deed string
	// Back is where Cancel leads.
	Back  string
	Asked AskedFor
	// TooLong tells that what was posted does not wait, because it is too long to be kept.
	TooLong bool
	// NoPassword tells that the account has none to give.
	NoPassword bool
	Error      string
	// Passkey tells that the person has one; PasskeyError is a sentence or empty.
	Passkey      bool
	PasskeyError string
	// Provider is the button of those who sign in there.
	Provider ProviderSignIn
}

// NoWay tells that the page has nothing to confirm by.
func (f ConfirmIdentityForm) NoWay() bool {
	return f.NoPassword && !f.Passkey && f.Provider.Name == ""
}

// AskedFor is what waits for a proof of identity. Words go on after "You asked to", and
// Name after them; both may be empty.
type AskedFor struct {
	Waits bool
	Words string
	Name  string
}

// TooManyAttempts tells when to try again, rounded up so that it holds.
func TooManyAttempts(wait time.Duration) string {
	if wait < time.Minute {
		return "Too many attempts. Try again in " + models.Count(max(1, roundUp(wait, time.Second)), "second") + "."
	}
	return "Too many attempts. Try again in " + models.Count(roundUp(wait, time.Minute), "minute") + "."
}

func roundUp(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
