package handlers

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/views"
)

// forbiddenView says more than the role does where a page is for operators.
func forbiddenView(c echo.Context, view views.ErrorView) views.ErrorView {
	if actorOf(c).UserID != "" && strings.HasPrefix(c.Path(), views.AdminPath) {
		return views.NewOperatorsOnlyView(middleware.ID(c))
	}
	return view
}
