package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/views"
)

// theme keeps the choice of colours in a cookie, so that the first byte of the
// next page has it.
func (h *Handlers) theme(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	choice, maxAge := fields.Get("theme"), yearSeconds
	switch choice {
	case "light", "dark":
	case "system":
		choice, maxAge = "", -1
	default:
		return echo.ErrBadRequest
	}
	http.SetCookie(c.Response(), &http.Cookie{ //nolint:gosec // Secure follows the public address, as for every cookie here
		Name: h.sessions.prefix + themeCookie, Value: choice, Path: "/", MaxAge: maxAge,
		Secure: h.HTTPS, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return c.Redirect(http.StatusSeeOther, localPath(fields.Get("return")))
}

func (h *Handlers) themeOf(c echo.Context) string {
	cookie, err := c.Cookie(h.sessions.prefix + themeCookie)
	if err != nil || cookie.Value != "light" && cookie.Value != "dark" {
		return ""
	}
	return cookie.Value
}

func (h *Handlers) docs(c echo.Context) error {
	return show(c, http.StatusOK, views.Docs(h.plainPage(c), views.NewAuthorizationDocs(h.BaseURL, h.Limits.Scopes[0])))
}
