package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// deed is a change that was posted and waits for a fresh proof of identity. Its form
// holds no password and no code: forms that do prove themselves and are not Fresh.
type deed struct {
	ID   string `json:"id"`
	Path string `json:"path"`
	// Team is the one in which it was asked for: it is done in no other.
	Team    string     `json:"team"`
	Fields  url.Values `json:"fields"`
	Referer string     `json:"referer"`
}

// maxDeed bounds a deed as it is stored, in bytes.
const maxDeed = 16 << 10

var errDeedTooLong = errors.New("too long to wait for a proof of identity")

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
	waiting := deed{ID: secrets.Code().Reveal(), Path: r.URL.RequestURI(), Team: actorOf(c).TeamID, Fields: fields, Referer: r.Referer()}
	text, err := json.Marshal(waiting)
	if err != nil {
		return "", err
	}
	if len(text) > maxDeed {
		return "", errDeedTooLong
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
	h.router.Find(http.MethodPost, pathIn(at), c)
	return c.Handler()(c)
}

// elsewhere tells whether a deed was asked for in another team than the one that its
// doer has changed to meanwhile. What belongs to no team is done all the same.
func (h *Handlers) elsewhere(c echo.Context, waiting deed) bool {
	row, _ := h.rowAt(c, http.MethodPost, waiting.Path)
	return row.May != "" && waiting.Team != actorOf(c).TeamID
}

// rowAt finds the row of the table that answers a path, with the path's parameters.
func (h *Handlers) rowAt(c echo.Context, method, path string) (Route, echo.Context) {
	at := c.Echo().NewContext(nil, nil)
	parsed, err := url.ParseRequestURI(path)
	if err != nil {
		return Route{}, at
	}
	h.router.Find(method, pathIn(parsed), at)
	return h.rows[method+" "+at.Path()], at
}

// pathIn is the path that the router looks at.
func pathIn(at *url.URL) string {
	if at.RawPath != "" {
		return at.RawPath
	}
	return at.Path
}

// openPage is the nearest page, at path or above it, that wants no fresh proof.
func (h *Handlers) openPage(c echo.Context, path string) string {
	at := path
	for at != "" {
		if row, _ := h.rowAt(c, http.MethodGet, at); row.handle != nil && !row.Fresh && row.Path != "/" {
			return at
		}
		at, _, _ = strings.Cut(at, "?")
		at = at[:max(0, strings.LastIndexByte(at, '/'))]
	}
	return views.ApplicationsPath
}

// asked says what waits under an ID, for the page that asks for the proof.
func (h *Handlers) asked(c echo.Context, id string) (views.AskedFor, error) {
	waiting, waits, err := deedOf(sessionOf(c), id)
	if err != nil || !waits {
		return views.AskedFor{}, err
	}
	row, at := h.rowAt(c, http.MethodPost, waiting.Path)
	asked := views.AskedFor{Waits: true, Words: deedWords[row.Path]}
	if asked.Words == "" || !strings.HasPrefix(row.Path, views.ApplicationsPath) {
		return asked, nil
	}
	app, err := h.findApplication(c, at.Param(paramApplication))
	if errors.Is(err, models.ErrNotFound) {
		return views.AskedFor{Waits: true}, nil
	}
	asked.Name = app.Name
	return asked, err
}
