package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) confirmPage(c echo.Context) error {
	return show(c, http.StatusOK, views.ConfirmIdentity(h.plainPage(c), views.ConfirmIdentityForm{Next: localPath(c.QueryParam("next"))}))
}

// confirm takes the password again and opens values for a while, under a new
// session ID.
func (h *Handlers) confirm(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	page := views.ConfirmIdentityForm{Next: localPath(fields.Get("next"))}
	ctx, actor, session := c.Request().Context(), actorOf(c), sessionOf(c)
	user, err := h.Store.User(ctx, actor.UserID)
	if err != nil {
		return err
	}
	gate := h.confirmGate(user)
	if wait := gate.enter(); wait > 0 {
		page.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.ConfirmIdentity(h.plainPage(c), page))
	}
	ok, err := h.proves(c, &user, user.PasswordHash, models.NewSecret(fields.Get("password")))
	if err != nil {
		gate.leave()
		return err
	}
	if !ok {
		page.Error = views.WrongPassword
		return h.refuse(c, actor, models.AuditConfirmFailed, user, views.ConfirmIdentity(h.plainPage(c), page))
	}
	gate.succeed()
	err = h.begin(c, session, func(renewed models.Session, _, _ []byte) error {
		if err := h.Store.Confirm(ctx, actor, renewed, session.IDHash); err != nil {
			return err
		}
		c.Set(keySession, models.Session{IDHash: renewed.IDHash})
		return nil
	})
	if err != nil {
		return err
	}
	return h.say(c, page.Next, flash{Text: "Confirmed. Values can be shown for the next 15 minutes."})
}
