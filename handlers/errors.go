package handlers

import (
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// ErrCrossSite is a change that another site's page sent.
var ErrCrossSite = errors.New("cross-site request refused")

// statusOf is the one table from errors to statuses of pages.
func statusOf(err error) int {
	var known *echo.HTTPError
	switch {
	case errors.Is(err, models.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	case errors.Is(err, models.ErrForbidden), errors.Is(err, ErrCrossSite):
		return http.StatusForbidden
	case errors.Is(err, models.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, models.ErrUnavailable), errors.Is(err, models.ErrBusy):
		return http.StatusServiceUnavailable
	case errors.As(err, &known):
		return known.Code
	}
	return http.StatusInternalServerError
}

// WriteError answers err as a page: in the shell where somebody is signed in.
func (h *Handlers) WriteError(c echo.Context, err error) error {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(1))
	}
	if status == http.StatusRequestTimeout {
		c.Response().Header().Set(echo.HeaderConnection, "close")
	}
	if status == http.StatusForbidden {
		middleware.Annotate(c, "refused", err.Error())
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if _, ok := c.Get(keyActor).(models.Actor); !ok {
		// Unknown paths and methods come here past the guard.
		if session, actor, signedIn, err := h.current(c); err == nil && signedIn {
			c.Set(keySession, session)
			c.Set(keyActor, actor)
			_ = h.readTeams(c.Request().Context(), c, actor) // without it, the page has no switcher
		}
	}
	if errors.Is(err, errNoTeam) {
		return h.showNoTeam(c)
	}
	h.noteRefused(c, status, err)
	page := h.plainPage(c)
	view := views.NewErrorView(status, page.Role, middleware.ID(c))
	if status == http.StatusForbidden {
		view = forbiddenView(c, view)
	}
	if errors.Is(err, ErrCrossSite) {
		view = views.NewCrossSiteView(middleware.ID(c))
	}
	return show(c, status, views.Error(page, view))
}
