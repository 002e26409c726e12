package handlers

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/views"
)

// forbiddenView says more than the role does where there is more to say: that a page is
// for operators, or that the reader's team is suspended.
func (h *Handlers) forbiddenView(c echo.Context, view views.ErrorView) views.ErrorView {
	actor := actorOf(c)
	switch {
	case actor.UserID == "":
		return view
	case strings.HasPrefix(c.Path(), views.AdminPath):
		return views.NewOperatorsOnlyView(middleware.ID(c))
	case actor.TeamID != "":
		return view
	}
	teams, err := h.Store.SuspendedTeams(c.Request().Context(), actor.UserID)
	if err != nil || len(teams) == 0 {
		return view
	}
	return views.NewSuspendedView(teams[0], middleware.ID(c), h.clock(c))
}
