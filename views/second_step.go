package views

import "github.com/latchkey/latchkey/models"

// SecondStepForm is the page that asks for the second factor after the password.
type SecondStepForm struct {
	// App, Recovery and Passkeys tell which ways there are.
	App, Recovery, Passkeys bool
	// AsksRecovery tells that the page asks for a recovery code.
	AsksRecovery bool
	// Error is beside the field, or over all where there is none.
	Error string
	// PasskeyError belongs to the passkey.
	PasskeyError string
}

// UseRecovery is the value of "use" that asks for a recovery code instead of an app's code.
const UseRecovery = "recovery"

// passkeyLook leaves the primary look to the first way on a page.
func passkeyLook(second bool) string {
	if second {
		return ""
	}
	return "btn-primary"
}

// NewSecondStepForm offers the ways that a person has, and first the one that use names.
func NewSecondStepForm(factors models.Factors, passkeys bool, use string) SecondStepForm {
	form := SecondStepForm{
		App: factors.Authenticator != nil, Recovery: factors.CodesLeft > 0, Passkeys: passkeys && len(factors.Passkeys) > 0,
	}
	form.AsksRecovery = form.Recovery && (use == UseRecovery || !form.App && !form.Passkeys)
	return form
}
