package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// freshFor is how long a proof of identity opens values.
const freshFor = 15 * time.Minute

const (
	keyActor   = "actor"
	keySession = "session"
)

// guard lets a request through to handle as its row of the table says.
func (h *Handlers) guard(access Access, handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		session, actor, signedIn, err := h.current(c)
		if err != nil {
			return err
		}
		if signedIn {
			c.Set(keySession, session)
			c.Set(keyActor, actor)
		}
		switch {
		case access.Public:
			return handle(c)
		case !signedIn:
			return h.toLogin(c)
		case !access.allows(actor):
			return models.ErrForbidden
		case access.Fresh && h.now().Sub(session.ProvenAt) >= freshFor:
			return h.toConfirm(c)
		}
		if access.May == models.MayReveal {
			if _, wait := h.reveals.Take(actor.UserID); wait > 0 {
				return echo.NewHTTPError(slowDown(c, wait))
			}
		}
		return handle(c)
	}
}

// actorOf is who acts; its fields are empty where nobody is signed in.
func actorOf(c echo.Context) models.Actor {
	actor, _ := c.Get(keyActor).(models.Actor)
	return actor
}

func sessionOf(c echo.Context) models.Session {
	session, _ := c.Get(keySession).(models.Session)
	return session
}

// toLogin leads to the sign-in page and from there back to the page asked for.
// A change that was posted is not done again: its page is shown instead.
func (h *Handlers) toLogin(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, views.LoginPath+"?next="+url.QueryEscape(pageOf(c)))
}

// toConfirm asks for a proof of identity; a deed that was posted waits for it. The
// script, which asked for JSON, is told where.
func (h *Handlers) toConfirm(c echo.Context) error {
	target := views.ConfirmPath + "?next=" + url.QueryEscape(pageOf(c))
	deed, err := h.keepDeed(c)
	if err != nil {
		return err
	}
	if deed != "" {
		target += "&deed=" + url.QueryEscape(deed)
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusForbidden, map[string]string{"confirm": target})
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// pageOf is the page to come back to: the one asked for or, for a change, the
// page that it stands on.
func pageOf(c echo.Context) string {
	r := c.Request()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.RequestURI()
	}
	id := c.Param(paramApplication)
	switch {
	case id != "" && cameFromTokens(c):
		return views.TokensOfPath(id)
	case id != "":
		return views.ApplicationPath(id)
	case strings.HasPrefix(r.URL.Path, views.WarningsPath):
		return views.WarningsPath
	}
	return views.ApplicationsPath
}

// cameFromTokens tells whether a deed was asked for on the Tokens page, by its
// form or, for a form that does not say, by the page that held it.
func cameFromTokens(c echo.Context) bool {
	if c.FormValue("from") == views.FromTokens {
		return true
	}
	referer, err := url.Parse(c.Request().Referer())
	return err == nil && c.FormValue("from") == "" && referer.Path == views.TokensPath
}

// backTo is the page of pages that a deed was asked for on, with its search and
// page number, and the first of them where it was none.
func backTo(c echo.Context, pages ...string) string {
	referer, err := url.Parse(c.Request().Referer())
	if err != nil || !slices.Contains(pages, referer.Path) {
		return pages[0]
	}
	return localPath(referer.RequestURI())
}

func wantsJSON(c echo.Context) bool {
	return strings.HasPrefix(c.Request().Header.Get(echo.HeaderAccept), echo.MIMEApplicationJSON)
}

// localPath returns path where it is an address on this site: one slash at the
// start, no second slash or backslash after it, no control character, also
// after one decoding. Else it returns the Applications page.
func localPath(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil || !plainPath(path) || !plainPath(decoded) {
		return views.ApplicationsPath
	}
	parsed, err := url.Parse(path)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" {
		return views.ApplicationsPath
	}
	return path
}

func plainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || len(path) > 2048 {
		return false
	}
	return !strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' })
}
