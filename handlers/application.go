package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

func (h *Handlers) application(c echo.Context) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	return h.showApplication(c, app, views.Revealed{})
}

// showApplication renders the page of an application, with a value where one was
// asked for.
func (h *Handlers) showApplication(c echo.Context, app models.ApplicationDetail, revealed views.Revealed) error {
	if app.BuiltIn() {
		return h.showBuiltIn(c, app)
	}
	page, message := h.page(c)
	state, tokens, err := h.tokensState(c, app.ID, message, revealed, app.Secrets...)
	if err != nil {
		return err
	}
	view := views.NewApplicationView(app, tokens, state, h.BaseURL, h.Limits.Scopes, h.clock(c))
	if view.Activity, err = h.activity(c, app.ID); err != nil {
		return err
	}
	if view.Refused, err = h.lastRefused(c, app.ID); err != nil {
		return err
	}
	if view.Use, err = h.useToday(c, app.Application); err != nil {
		return err
	}
	return show(c, http.StatusOK, views.Application(page, view))
}

func (h *Handlers) editApplication(c echo.Context) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.EditApplication(h.plainPage(c), views.NewEditApplication(app, nil, h.Limits, nil, false, h.clock(c))))
}

func (h *Handlers) changeApplication(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	typed := applicationForm(fields)
	version, _ := strconv.ParseInt(fields.Get("version"), 10, 64)
	values, err := typed.Input().Validate(h.Limits)
	err = h.withName(c, err, values.Name, app.ID)
	if !fields.Has(views.ScopesShown) {
		values.Scopes = "" // as they are
	}
	if err == nil {
		err = h.Store.ChangeApplication(c.Request().Context(), actorOf(c), app.ID, values, version)
	}
	if errors.Is(err, models.ErrConflict) {
		return h.showConflict(c, typed)
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		if version != 0 {
			app.Version = version // the one that the form was opened with
		}
		page := views.NewEditApplication(app, &typed, h.Limits, errs, false, h.clock(c))
		return show(c, http.StatusUnprocessableEntity, views.EditApplication(h.plainPage(c), page))
	}
	return h.say(c, views.ApplicationPath(app.ID), flash{Text: "The changes to " + values.Name + " were saved."})
}

// showConflict keeps what was typed and says what somebody else stored meanwhile.
func (h *Handlers) showConflict(c echo.Context, typed views.ApplicationTyped) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	page := views.NewEditApplication(app, &typed, h.Limits, nil, true, h.clock(c))
	return show(c, http.StatusConflict, views.EditApplication(h.plainPage(c), page))
}

// ask renders a page that asks before a deed on the application of the path, one of the
// team's own.
func (h *Handlers) ask(c echo.Context, build func(page layout.Page, app models.ApplicationDetail) templ.Component) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, build(h.plainPage(c), app))
}

func (h *Handlers) revokeAllPage(c echo.Context) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	confirm := views.NewConfirmRevokeAll(app.ApplicationRow)
	confirm.Streams = h.closingWith(app)
	return show(c, http.StatusOK, views.RevokeAll(h.plainPage(c), confirm))
}

func (h *Handlers) revokeAll(c echo.Context) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	revoked, err := h.Store.RevokeTokens(c.Request().Context(), actorOf(c), app.ID)
	if err != nil {
		return err
	}
	return h.say(c, backTo(c, views.ApplicationsPath, views.ApplicationPath(app.ID)), flash{Text: revokedText(app.Name, revoked)})
}

func revokedText(app string, revoked int64) string {
	switch revoked {
	case 0:
		return app + " had no active tokens."
	case 1:
		return "1 token of " + app + " was revoked."
	}
	return models.CountTokens(revoked, "token") + " of " + app + " were revoked."
}

func (h *Handlers) deletePage(c echo.Context) error {
	return h.ask(c, func(page layout.Page, app models.ApplicationDetail) templ.Component {
		confirm := views.NewConfirmDelete(app.ApplicationRow, "", false)
		confirm.Streams = h.closingWith(app)
		return views.DeleteApplication(page, confirm)
	})
}

func (h *Handlers) deleteApplication(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	if typed := strings.TrimSpace(fields.Get("confirm")); typed != app.Name {
		confirm := views.NewConfirmDelete(app.ApplicationRow, typed, true)
		confirm.Streams = h.closingWith(app)
		return show(c, http.StatusUnprocessableEntity, views.DeleteApplication(h.plainPage(c), confirm))
	}
	deleted, err := h.Store.DeleteApplication(c.Request().Context(), actorOf(c), app.ID)
	if err != nil {
		return err
	}
	return h.say(c, backTo(c, views.ApplicationsPath, views.HygienePath), flash{Text: deleted.Name + " was deleted."})
}

func (h *Handlers) switchOffPage(c echo.Context) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	confirm := views.NewConfirmSwitchOff(app.ApplicationRow)
	confirm.Streams = h.closingWith(app)
	return show(c, http.StatusOK, views.SwitchOff(h.plainPage(c), confirm))
}

func (h *Handlers) switchOff(c echo.Context) error { return h.switchTo(c, false, " was switched off.") }

func (h *Handlers) switchOn(c echo.Context) error { return h.switchTo(c, true, " was switched on.") }

func (h *Handlers) switchTo(c echo.Context, on bool, done string) error {
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.SwitchApplication(c.Request().Context(), actorOf(c), app.ID, on); err != nil {
		return err
	}
	return h.say(c, backTo(c, views.ApplicationPath(app.ID), views.HygienePath), flash{Text: app.Name + done})
}
