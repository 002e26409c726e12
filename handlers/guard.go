package handlers

import (
	"errors"
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

// guarded is a route behind its row of the table.
type guarded struct {
	*Handlers
	access Access
	handle echo.HandlerFunc
}

// answer lets a request through as the row says.
func (h guarded) answer(c echo.Context) error {
	session, actor, signedIn, err := h.current(c)
	if err != nil {
		return err
	}
	if signedIn {
		c.Set(keySession, session)
		c.Set(keyActor, actor)
		if err := h.sessions.resignBrowser(c); err != nil {
			return err
		}
		if err := h.readTeams(c.Request().Context(), c, actor); err != nil {
			return err
		}
	}
	switch {
	case h.access.Public:
		return h.handle(c)
	case !signedIn:
		return h.toLogin(c)
	case !h.access.Enrolling && h.requiredBy(actor) != "":
		return h.toEnrolment(c)
	case !h.access.allows(actor) && actor.TeamID == "" && !h.access.Operator:
		return errNoTeam
	case !h.access.allows(actor):
		return models.ErrForbidden
	case h.access.Fresh && !h.isFresh(session):
		return h.toConfirm(c)
	}
	if h.access.May == models.MayReveal {
		if _, wait := h.reveals.Take(actor.UserID); wait > 0 {
			return echo.NewHTTPError(slowDown(c, wait))
		}
	}
	return h.handle(c)
}

// isFresh tells whether a session's last proof of identity opens values.
func (h *Handlers) isFresh(session models.Session) bool {
	return h.now().Sub(session.ProvenAt) < freshFor
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
	return c.Redirect(http.StatusSeeOther, views.LoginPath+"?next="+url.QueryEscape(h.pageOf(c)))
}

// toConfirm asks for a proof of identity; a deed that was posted waits for it. The
// script, which asked for JSON, is told where.
func (h *Handlers) toConfirm(c echo.Context) error {
	deed, err := h.keepDeed(c)
	if err != nil && !errors.Is(err, errDeedTooLong) {
		return err
	}
	target := confirmPath(h.pageOf(c), deed)
	if err != nil {
		target += "&kept=no"
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusForbidden, map[string]string{"confirm": target})
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// pageOf is the page to come back to: the one asked for or, for a change, the
// page that it stands on.
func (h *Handlers) pageOf(c echo.Context) string {
	r := c.Request()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.RequestURI()
	}
	id := c.Param(paramApplication)
	switch {
	case id == "" || !strings.HasPrefix(c.Path(), views.ApplicationsPath):
		return h.openPage(c, r.URL.EscapedPath())
	case cameFromTokens(c):
		return views.TokensOfPath(id)
	}
	return views.ApplicationPath(id)
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
