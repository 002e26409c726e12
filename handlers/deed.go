package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// deed is a change that was posted and waits for a fresh proof of identity. Its form
// holds no password and no code: forms that do prove themselves and are not Fresh.
type deed struct {
	ID      string     `json:"id"`
	Path    string     `json:"path"`
	Fields  url.Values `json:"fields"`
	Referer string     `json:"referer"`
}

// keepDeed stores what was posted with the session and returns its ID, empty for a
// page that was only asked for.
func (h *Handlers) keepDeed(c echo.Context) (string, error) {
	r := c.Request()
	if r.Method != http.MethodPost {
		return "", nil
	}
	fields, err := form(c)
	if err != nil {
		return "", err
	}
	waiting := deed{ID: secrets.Code().Reveal(), Path: r.URL.RequestURI(), Fields: fields, Referer: r.Referer()}
	text, err := json.Marshal(waiting)
	if err != nil {
		return "", err
	}
	return waiting.ID, h.Store.SetPending(r.Context(), sessionOf(c).IDHash, string(text))
}

// deedOf is the deed that waits in a session, where id names it.
func deedOf(session models.Session, id string) (deed, bool, error) {
	var waiting deed
	if session.Pending == "" || id == "" {
		return waiting, false, nil
	}
	if err := json.Unmarshal([]byte(session.Pending), &waiting); err != nil {
		return waiting, false, fmt.Errorf("reading the deed that waits: %w", err)
	}
	return waiting, waiting.ID == id, nil
}

// resume does the deed as if it had been posted now. Its route checks again who may.
func (h *Handlers) resume(c echo.Context, waiting deed) error {
	at, err := url.ParseRequestURI(waiting.Path)
	if err != nil {
		return fmt.Errorf("reading the deed that waits: %w", err)
	}
	r := c.Request().Clone(c.Request().Context())
	r.URL, r.RequestURI, r.Form, r.PostForm = at, waiting.Path, waiting.Fields, waiting.Fields
	r.Header.Set("Referer", waiting.Referer)
	// The proof may have come by a link of the OpenID provider. The deed itself passed
	// the cross-site check when it was posted.
	r.Method = http.MethodPost
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Del("Origin")
	c.SetRequest(r)
	h.router.Find(http.MethodPost, at.Path, c)
	return c.Handler()(c)
}
