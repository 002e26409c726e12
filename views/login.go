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
	// Provider is the button beside the password.
	Provider ProviderSignIn
}

// ConfirmIdentityForm asks for the password again. Error is a sentence or empty.
type ConfirmIdentityForm struct {
	Next string
	// Deed is the ID of what waits to be done, empty for a page to go on to.
	Deed  string
	Error string
	// Provider is the button beside the password, or alone where the account has NoPassword.
	Provider   ProviderSignIn
	NoPassword bool
}

// Lead says what is asked for.
func (f ConfirmIdentityForm) Lead() string {
	if f.NoPassword {
		return "It has been a while since you signed in. Prove once more who you are to go on to what is secret."
	}
	return "It has been a while since you signed in. Give your password once more to go on to what is secret."
}

// TooManyAttempts tells when to try again, rounded up so that it holds.
func TooManyAttempts(wait time.Duration) string {
	if wait < time.Minute {
		return "Too many attempts. Try again in " + models.Count(max(1, roundUp(wait, time.Second)), "second") + "."
	}
	return "Too many attempts. Try again in " + models.Count(roundUp(wait, time.Minute), "minute") + "."
}

func roundUp(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
