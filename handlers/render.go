package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

// flash is the message for the next page of a session. It names a token by ID;
// a value never stands in it.
type flash struct {
	Tone  string `json:"tone"`
	Text  string `json:"text,omitempty"`
	Token string `json:"token,omitempty"`
	// Invitation is the ID of one that was just made.
	Invitation string `json:"invitation,omitempty"`
}

// page fills in the shell for whoever is signed in and takes the message that
// waits for this session.
func (h *Handlers) page(c echo.Context) (layout.Page, flash) {
	page := h.plainPage(c)
	session := sessionOf(c)
	if session.Flash == "" || c.Request().Method == http.MethodHead {
		return page, flash{}
	}
	if err := h.Store.SetFlash(c.Request().Context(), session.IDHash, ""); err != nil {
		// A database that takes no writes still shows its pages.
		h.Log.Warn("message not removed", "error", err)
	}
	var message flash
	if err := json.Unmarshal([]byte(session.Flash), &message); err != nil {
		h.Log.Warn("message not read", "error", err)
	}
	if message.Text != "" {
		page.Flash = &layout.Flash{Tone: message.Tone, Text: message.Text}
	}
	return page, message
}

// plainPage is page without the message.
func (h *Handlers) plainPage(c echo.Context) layout.Page {
	actor := actorOf(c)
	path := c.Request().URL.RequestURI()
	if c.Request().Method == http.MethodPost {
		path = h.pageOf(c)
	}
	return layout.Page{
		User: layout.User{Name: actor.UserName, Email: actor.Email}, TeamName: actor.TeamName, Role: actor.Role, Operator: actor.Operator,
		Teams: teamsOf(c, actor),
		Theme: h.themeOf(c), DocsURL: h.DocsURL, Path: path,
	}
}

// say stores a message and leads to path.
func (h *Handlers) say(c echo.Context, path string, message flash) error {
	if message.Tone == "" {
		message.Tone = "success"
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := h.Store.SetFlash(c.Request().Context(), sessionOf(c).IDHash, string(text)); err != nil {
		// The deed is done and stored; only its message is lost.
		h.Log.Warn("message not stored", "error", err)
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// show renders a page whole before the first byte leaves, so that an error in it
// is still an error page.
func show(c echo.Context, status int, component templ.Component) error {
	buffer := templ.GetBuffer()
	defer templ.ReleaseBuffer(buffer)
	ctx := c.Request().Context()
	if err := component.Render(ctx, buffer); err != nil {
		return err
	}
	header, page := c.Response().Header(), buffer
	if writers, ok := c.Get(keyCompressor).(compressor); ok && buffer.Len() >= minCompressed {
		page = templ.GetBuffer()
		defer templ.ReleaseBuffer(page)
		if err := writers.compress(ctx, page, buffer.Bytes()); err != nil {
			return err
		}
		header.Set(echo.HeaderContentEncoding, "gzip")
	}
	header.Set(echo.HeaderContentLength, strconv.Itoa(page.Len()))
	return c.HTMLBlob(status, page.Bytes())
}

// showWithCode keeps a code that stands in the address out of the Referer of what the
// page loads: proxies write that down.
func showWithCode(c echo.Context, status int, page templ.Component) error {
	c.Response().Header().Set("Referrer-Policy", "strict-origin")
	return show(c, status, page)
}

// applicationOf finds the application that the path names, in the actor's team.
func (h *Handlers) applicationOf(c echo.Context) (models.ApplicationDetail, error) {
	return h.findApplication(c, c.Param(paramApplication))
}

// ownApplicationOf is applicationOf for what the team made: what is built in has no
// credentials, settings and manual tokens, so what is asked for is not there.
func (h *Handlers) ownApplicationOf(c echo.Context) (models.ApplicationDetail, error) {
	app, err := h.applicationOf(c)
	if err == nil && app.BuiltIn() {
		err = models.ErrNotFound
	}
	return app, err
}

// findApplication shows the lifespan that new tokens get: the operator may have
// lowered the longest one since the application was made.
func (h *Handlers) findApplication(c echo.Context, id string) (models.ApplicationDetail, error) {
	app, err := h.Store.Application(c.Request().Context(), actorOf(c).TeamID, id)
	app.Lifespan = min(app.Lifespan, h.Limits.MaxLifespan)
	return app, err
}
