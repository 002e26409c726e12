package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) confirmPage(c echo.Context) error {
	page := views.ConfirmIdentityForm{Next: localPath(c.QueryParam("next")), Deed: c.QueryParam("deed")}
	user, err := h.Store.User(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return err
	}
	if err := h.offerProvider(c, &page, user); err != nil {
		return err
	}
	return show(c, http.StatusOK, views.ConfirmIdentity(h.plainPage(c), page))
}

// confirm takes the password again and opens values for a while, under a new
// session ID. A deed that waited is done now.
func (h *Handlers) confirm(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	page := views.ConfirmIdentityForm{Next: localPath(fields.Get("next")), Deed: fields.Get("deed")}
	ctx, actor := c.Request().Context(), actorOf(c)
	user, err := h.Store.User(ctx, actor.UserID)
	if err != nil {
		return err
	}
	if err := h.offerProvider(c, &page, user); err != nil {
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
	return h.confirmed(c, page.Next, page.Deed)
}

// confirmed renews the session of somebody who has just proved again who they are,
// and goes on: to the deed that waits under this ID, else to the page next.
func (h *Handlers) confirmed(c echo.Context, next, deedID string) error {
	ctx, actor, session := c.Request().Context(), actorOf(c), sessionOf(c)
	waiting, waits, err := deedOf(session, deedID)
	if err != nil {
		return err
	}
	session.Pending = ""
	err = h.begin(c, session, func(renewed models.Session, _, _ []byte) error {
		if err := h.Store.Confirm(ctx, actor, renewed, session.IDHash); err != nil {
			return err
		}
		renewed.ProvenAt = h.now()
		c.Set(keySession, renewed)
		return nil
	})
	if err != nil {
		return err
	}
	if waits {
		return h.resume(c, waiting)
	}
	return h.say(c, next, flash{Text: "Confirmed. Values can be shown for the next 15 minutes."})
}
