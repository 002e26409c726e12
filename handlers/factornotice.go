package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

// tellOfFactor mails a person what happened to their second factor. what is a sentence
// without its full stop.
func (h *Handlers) tellOfFactor(c echo.Context, user models.User, what string) {
	if !h.Mail.Enabled() {
		return
	}
	text := "Hello " + user.Name + ",\n\n" + what + ".\n\nWhen: " + h.Now().UTC().Format("2 Jan 2006, 15:04 MST") + "\nFrom: " + c.RealIP() +
		"\n\nIf that was not you, set a new password and look at your sessions: " + h.BaseURL + layout.ProfilePath + "\n"
	h.Mail.Send(mail.Message{To: user.Email, Subject: "Your second factor at Latchkey", Text: models.NewSecret(text)})
}
