package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

func (h *Handlers) confirmPage(c echo.Context) error {
	user, err := h.Store.User(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return err
	}
	query := c.QueryParams()
	page, form, err := h.confirmForm(c, user, query.Get("next"), query.Get("deed"))
	if err != nil {
		return err
	}
	form.TooLong = query.Get("kept") == "no"
	return show(c, http.StatusOK, views.ConfirmIdentity(page, form))
}

// confirmForm is the page that asks for a proof, before it goes on to next or to a deed.
// It offers a passkey and the provider to those who have them.
func (h *Handlers) confirmForm(c echo.Context, user models.User, next, deedID string) (layout.Page, views.ConfirmIdentityForm, error) {
	next = localPath(next)
	page := h.plainPage(c)
	page.Path = confirmPath(next, deedID)
	form := views.ConfirmIdentityForm{Next: next, Deed: deedID, Back: h.openPage(c, next)}
	var err error
	if form.Asked, err = h.asked(c, deedID); err != nil {
		return page, form, err
	}
	err = h.offerProvider(c, &form, user)
	if err != nil || !h.passkeys.Available() || !user.SecondFactor {
		return page, form, err
	}
	factors, err := h.Store.Factors(c.Request().Context(), user.ID)
	form.Passkey = len(factors.Passkeys) > 0
	return page, form, err
}

func confirmPath(next, deedID string) string {
	path := views.ConfirmPath + "?next=" + url.QueryEscape(next)
	if deedID != "" {
		path += "&deed=" + url.QueryEscape(deedID)
	}
	return path
}

// confirm takes the password again and opens values for a while, under a new
// session ID. A deed that waited is done now.
func (h *Handlers) confirm(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	user, err := h.Store.User(ctx, actor.UserID)
	if err != nil {
		return err
	}
	page, form, err := h.confirmForm(c, user, fields.Get("next"), fields.Get("deed"))
	if err != nil {
		return err
	}
	wait, ok, err := h.provesAgain(c, &user, models.NewSecret(fields.Get("password")))
	switch {
	case err != nil:
		return err
	case wait > 0:
		form.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.ConfirmIdentity(page, form))
	case !ok:
		form.Error = views.WrongPassword
		return h.refuse(c, actor, models.AuditConfirmFailed, user, views.ConfirmIdentity(page, form))
	}
	return h.confirmed(c, form.Next, form.Deed)
}

// confirmed renews the session of somebody who has just proved again who they are,
// and goes on: to the deed that waits under this ID, else to the page next.
func (h *Handlers) confirmed(c echo.Context, next, deedID string) error {
	ctx, actor := c.Request().Context(), actorOf(c)
	waiting, waits, err := deedOf(sessionOf(c), deedID)
	if err != nil {
		return err
	}
	err = h.renew(c, func(renewal *store.Renewal) error {
		if waits {
			renewal.Session.Pending = ""
		}
		return h.Store.Confirm(ctx, actor, renewal.Session, renewal.Before)
	})
	switch {
	case errors.Is(err, models.ErrNotFound):
		return h.toLogin(c) // it ended while the password was checked
	case err != nil:
		return err
	}
	session := sessionOf(c)
	session.ProvenAt = h.now()
	c.Set(keySession, session)
	switch {
	case waits && h.elsewhere(c, waiting):
		return h.say(c, views.ApplicationsPath, flash{Tone: "warning", Text: "Nothing was done: you asked for it in another team. Change back to that team and ask again."})
	case waits:
		return h.resume(c, waiting)
	case deedID != "":
		return h.say(c, next, flash{Tone: "warning", Text: "Confirmed, but nothing was done: what you asked for does not wait any more. Ask for it again."})
	}
	return h.say(c, next, flash{Text: "Confirmed. You are not asked again for 15 minutes."})
}
