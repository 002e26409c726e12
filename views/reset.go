package views

import "github.com/latchkey/latchkey/models"

// ForgotForm asks for a link that sets a new password.
type ForgotForm struct {
	Email, EmailError string
	// Error is a sentence or empty.
	Error string
}

// ResetForm sets a new password.
type ResetForm struct {
	Name, Email   string
	Action        string
	PasswordError string
}

// PasswordMail is the text of the mail with a link to set a password.
func PasswordMail(name string, link models.Secret, ends models.Time, baseURL string) models.Secret {
	return models.NewSecret("Hello " + name + ",\n\n" +
		"open this link to set a password for your Latchkey account. It works once, until " + exact(ends, Clock{}).Text + ".\n\n" +
		link.Reveal() + "\n\n" +
		"If you did not ask for it, you need not do anything: nothing changes.\n\n" + baseURL + "\n")
}
