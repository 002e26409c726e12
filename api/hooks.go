package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

const (
	pointsHookPath = "/hooks/points"
	maxHookBody    = "16KiB"
	// purchased is the one type of event that there is: what else a shop reports, such as
	// a refund, must not be taken for it.
	purchased = "points.purchased"
)

// hookFailures slows down whoever sends what is not signed. What is signed always passes,
// so that others at the address of a shop, or of a proxy, cannot lock it out.
var hookFailures = middleware.Policy{Free: 30, Window: time.Minute, Size: 4096}

// hookRoutes adds POST /hooks/points, where a secret is set.
func (h *Handler) hookRoutes(e *echo.Echo) {
	if h.PointsSecret.IsEmpty() {
		return
	}
	only := func(c echo.Context) error {
		if c.Request().Method != http.MethodPost {
			c.Response().Header().Set(echo.HeaderAllow, http.MethodPost)
			return echo.ErrMethodNotAllowed
		}
		return h.addPoints(c)
	}
	limit := echomiddleware.BodyLimit(maxHookBody)
	e.Any(pointsHookPath, only, limit)
	e.RouteNotFound(pointsHookPath, only, limit) // methods that echo has no name for
}

// pointsEvent is what a shop reports. Fields besides these are not looked at.
type pointsEvent struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Team   string `json:"team"`
	Points int64  `json:"points"`
	Note   string `json:"note"`
}

type pointsAnswer struct {
	Balance   int64 `json:"balance"`
	Duplicate bool  `json:"duplicate"`
}

// addPoints adds what a shop has sold, once for each event.
func (h *Handler) addPoints(c echo.Context) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return unreadable(err)
	}
	if problem := checkSignature(h.PointsSecret, c.Request().Header.Values(signatureHeader), body, h.Now()); problem != "" {
		middleware.Annotate(c, "refused", problem)
		return h.unsigned(c)
	}
	event, err := parsePointsEvent(body)
	if err != nil {
		return err
	}
	actor := models.Shop
	actor.Address, actor.UserAgent, actor.RequestID = c.RealIP(), middleware.UserAgent(c), middleware.ID(c)
	receipt, err := h.Store.AddPoints(c.Request().Context(), actor, event, "")
	if err != nil {
		return refusedEvent(err)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, pointsAnswer{Balance: receipt.Balance, Duplicate: receipt.Duplicate})
}

// unsigned says nothing of what was wrong: the log does.
func (h *Handler) unsigned(c echo.Context) error {
	if wait := h.hookFailures.Fail(middleware.AddressKey(c.RealIP())); wait > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return &Error{http.StatusTooManyRequests, "too_many_requests", "Wait as long as Retry-After says."}
	}
	return &Error{http.StatusUnauthorized, "invalid_signature", "The signature is not good."}
}

// unreadable passes on that the body is too long; what else goes wrong is the connection.
func unreadable(err error) error {
	var tooLong *echo.HTTPError
	if errors.As(err, &tooLong) {
		return err
	}
	return &Error{http.StatusBadRequest, "invalid_request", "The body ended early."}
}

func parsePointsEvent(body []byte) (models.PointsChange, error) {
	var event pointsEvent
	if !utf8.Valid(body) || json.Unmarshal(body, &event) != nil {
		return models.PointsChange{}, &Error{http.StatusBadRequest, "invalid_request", `Send a JSON object such as {"id":"evt_1","team":"…","points":1000}: id, team, type and note are strings, points is a whole number.`}
	}
	if event.Type != "" && event.Type != purchased {
		return models.PointsChange{}, &Error{http.StatusUnprocessableEntity, "unknown_type", "Only " + purchased + " can be reported. An operator corrects a balance after a refund."}
	}
	typed := models.PointsInput{Points: strconv.FormatInt(event.Points, 10), Reference: event.ID, Note: event.Note}
	change, err := typed.Purchase()
	change.TeamID = event.Team
	var fields models.FieldErrors
	switch {
	case errors.As(err, &fields):
		return change, eventError(fields)
	case change.Reference == "":
		return change, eventError(models.FieldErrors{"reference": "Name the event, so that it is added once."})
	}
	return change, err
}

// eventError names the fields as the event has them.
func eventError(fields models.FieldErrors) *Error {
	for _, field := range []struct{ ours, theirs string }{{"reference", "id"}, {"points", "points"}, {"note", "note"}} {
		if problem := fields[field.ours]; problem != "" {
			return &Error{http.StatusUnprocessableEntity, "invalid_request", field.theirs + ": " + problem}
		}
	}
	return &Error{http.StatusUnprocessableEntity, "invalid_request", fields.Error()}
}

func refusedEvent(err error) error {
	var fields models.FieldErrors
	switch {
	case errors.Is(err, models.ErrNotFound):
		return &Error{http.StatusNotFound, "unknown_team", "There is no team with this ID."}
	case errors.As(err, &fields) && fields["reference"] != "":
		return &Error{http.StatusConflict, "conflict", "Another purchase has this id already, with another team, other points or another note."}
	case fields != nil:
		return eventError(fields)
	}
	return err
}
