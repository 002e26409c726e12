package handlers

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// accountEvents is how many events Profile lists.
const accountEvents = 10

func (h *Handlers) profile(c echo.Context) error {
	ctx := c.Request().Context()
	user, err := h.Store.User(ctx, actorOf(c).UserID)
	if err != nil {
		return err
	}
	failures, err := h.Store.NewFailures(ctx, user)
	if err != nil {
		return err
	}
	if failures.Count > 0 && c.Request().Method == http.MethodGet {
		// A database that takes no writes still shows its pages.
		h.sessions.note(h.Store.SeeFailures(ctx, user.ID, failures.LastAt))
	}
	page, _ := h.page(c)
	facts := views.ProfileFacts{User: user, Failures: failures.Count, FailedAt: failures.LastAt}
	return h.showProfile(c, http.StatusOK, page, facts, views.ProfileTyped{})
}

// profileAgain shows the page with one of its forms as typed.
func (h *Handlers) profileAgain(c echo.Context, status int, user models.User, typed views.ProfileTyped) error {
	return h.showProfile(c, status, h.plainPage(c), views.ProfileFacts{User: user}, typed)
}

func (h *Handlers) showProfile(c echo.Context, status int, page layout.Page, facts views.ProfileFacts, typed views.ProfileTyped) error {
	ctx, actor, here := c.Request().Context(), actorOf(c), sessionOf(c)
	sessions, err := h.Store.Sessions(ctx, actor.UserID)
	if err != nil {
		return err
	}
	sessions = slices.DeleteFunc(sessions, func(session models.Session) bool { return h.sessions.ended(session, actor) })
	if at := slices.IndexFunc(sessions, func(session models.Session) bool { return session.Ref == here.Ref }); at > 0 {
		sessions = slices.Concat(sessions[at:at+1], sessions[:at], sessions[at+1:])
	}
	facts.Sessions = sessions
	if facts.Events, err = h.Store.AccountEvents(ctx, actor.UserID, accountEvents); err != nil {
		return err
	}
	if facts.Provider, err = h.providerCard(c); err != nil {
		return err
	}
	facts.Ref, facts.ByMail, facts.Fresh = here.Ref, h.outbox.Enabled(), h.isFresh(here)
	return show(c, status, views.ProfilePage(page, views.NewProfile(facts, typed, h.clock(c))))
}

// ownForm reads what was posted about the poster's own account.
func (h *Handlers) ownForm(c echo.Context) (fields func(name string) string, user models.User, err error) {
	values, err := form(c)
	if err != nil {
		return nil, models.User{}, err
	}
	user, err = h.Store.User(c.Request().Context(), actorOf(c).UserID)
	return values.Get, user, err
}

func (h *Handlers) changeName(c echo.Context) error {
	fields, user, err := h.ownForm(c)
	if err != nil {
		return err
	}
	name, problem := models.CheckName(fields("name"))
	if problem != "" {
		typed := views.ProfileTyped{Form: views.FormName, Value: fields("name"), Errs: models.FieldErrors{"name": problem}}
		return h.profileAgain(c, http.StatusUnprocessableEntity, user, typed)
	}
	if err := h.Store.RenameUser(c.Request().Context(), actorOf(c), name); err != nil {
		return err
	}
	return h.say(c, views.ProfilePath, flash{Text: "Your name is " + name + "."})
}

func (h *Handlers) changeTimeZone(c echo.Context) error {
	fields, user, err := h.ownForm(c)
	if err != nil {
		return err
	}
	zone, problem := models.CheckTimeZone(fields("time_zone"))
	if problem != "" {
		typed := views.ProfileTyped{Form: views.FormTimeZone, Value: fields("time_zone"), Errs: models.FieldErrors{"time_zone": problem}}
		return h.profileAgain(c, http.StatusUnprocessableEntity, user, typed)
	}
	if err := h.Store.SetTimeZone(c.Request().Context(), actorOf(c), zone); err != nil {
		return err
	}
	return h.say(c, views.ProfilePath, flash{Text: "Times are shown in " + views.ZoneName(zone) + "."})
}

// proven checks the password that came with a form, or for an account without one how
// long ago its owner proved who they are. Where that is not enough, again shows the form
// with what is wrong, and ok is false.
func (h *Handlers) proven(c echo.Context, user *models.User, password models.Secret, again func(status int, problem string) error) (ok bool, err error) {
	if user.PasswordHash == "" {
		if h.isFresh(sessionOf(c)) {
			return true, nil
		}
		return false, c.Redirect(http.StatusSeeOther, confirmPath(views.ProfilePath, ""))
	}
	var wait time.Duration
	wait, ok, err = h.provesAgain(c, user, password)
	switch {
	case err != nil || ok:
		return ok, err
	case wait > 0:
		return false, again(slowDown(c, wait), views.TooManyAttempts(wait))
	}
	middleware.Annotate(c, "refused", "wrong password")
	if err := h.Store.ProofFailed(c.Request().Context(), actorOf(c), models.AuditConfirmFailed, *user); err != nil {
		return false, err
	}
	return false, again(http.StatusUnprocessableEntity, views.WrongPassword)
}
