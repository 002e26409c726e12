package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// outbox is where mail goes; *mail.Mailer is one.
type outbox interface {
	Enabled() bool
	Send(message mail.Message)
}

// notify tells a person by mail, where there is any, what happened to their account.
func (h *Handlers) notify(user models.User, subject, text string) {
	h.tell(user, subject, text+"\n\nIf this was not you, change your password and end the other sessions on your profile:\n"+h.BaseURL+views.ProfilePath)
}

// tell mails a person what concerns them, where there is mail.
func (h *Handlers) tell(user models.User, subject, text string) {
	if !h.outbox.Enabled() {
		return
	}
	text = "Hello " + user.Name + ",\n\n" + text + "\n"
	h.outbox.Send(mail.Message{To: user.Email, Subject: subject, Text: models.NewSecret(text)})
}

// whereAndWhen says from where this request came, in lines of a mail.
func (h *Handlers) whereAndWhen(c echo.Context, user models.User) string {
	now := views.Clock{Time: h.now(), Zone: h.zones.of(user.TimeZone)}
	return "Browser: " + models.BrowserName(middleware.UserAgent(c)) + "\nAddress: " + c.RealIP() + "\nTime: " + now.Exact().Text
}
