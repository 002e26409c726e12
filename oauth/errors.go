package oauth

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

// Error is an answer of RFC 6749 section 5.2. Descriptions are our own fixed
// ASCII sentences: nothing of the request or of an inner error stands in them.
type Error struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
	// Challenge is the WWW-Authenticate header, if any.
	Challenge string `json:"-"`
	// reason is for the log, where it says more than Description.
	reason string
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(description string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: description}
}

func (h *Handler) invalidClient(description string) *Error {
	return &Error{
		Status: http.StatusUnauthorized, Code: "invalid_client", Description: description,
		Challenge: `Basic realm="` + h.Realm + `", charset="UTF-8"`,
	}
}

var (
	errUnsupportedGrant   = &Error{Status: http.StatusBadRequest, Code: "unsupported_grant_type", Description: "Use grant_type=client_credentials."}
	errUnauthorizedClient = &Error{Status: http.StatusBadRequest, Code: "unauthorized_client", Description: "A resource server only introspects tokens."}
	errTooSlow            = &Error{Status: http.StatusRequestTimeout, Code: "invalid_request", Description: "The request took too long to arrive."}
	errInvalidScope       = &Error{Status: http.StatusBadRequest, Code: "invalid_scope", Description: "The application does not have a scope that was asked for."}
)

// retryError means that the caller is being slowed down and may come back after
// wait. of says what there was too much of, text tells the caller.
type retryError struct {
	wait     time.Duration
	of, text string
}

func (e retryError) Error() string {
	return "too many " + e.of + ", wait " + e.wait.String()
}

// retryAfter is what a client is told while the database is away.
const retryAfter = time.Second

// WriteError answers err as JSON. What it does not know becomes a server_error
// without detail; the caller logs it.
func WriteError(c echo.Context, err error) error {
	answer := answerFor(err)
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("Pragma", "no-cache")
	var slow retryError
	switch {
	case errors.As(err, &slow):
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(int(slow.wait.Seconds())))
	case answer.Status == http.StatusServiceUnavailable:
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(int(retryAfter.Seconds())))
	}
	if answer.Challenge != "" {
		h.Set(echo.HeaderWWWAuthenticate, answer.Challenge)
	}
	if answer.Status == http.StatusRequestTimeout {
		h.Set(echo.HeaderConnection, "close")
	}
	middleware.Annotate(c, "error", answer.Code)
	if answer.Status < http.StatusInternalServerError {
		middleware.Annotate(c, "refused", cmp.Or(answer.reason, answer.Description))
	}
	return c.JSON(answer.Status, answer)
}

func answerFor(err error) *Error {
	var own *Error
	var slow retryError
	var http400 *echo.HTTPError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &slow):
		return &Error{Status: http.StatusTooManyRequests, Code: "too_many_requests", Description: slow.text, reason: "too many " + slow.of}
	case errors.Is(err, models.ErrUnavailable), errors.Is(err, models.ErrBusy):
		return &Error{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Description: "The service cannot answer right now. Try again."}
	case !errors.As(err, &http400):
		return &Error{Status: http.StatusInternalServerError, Code: "server_error", Description: "Something went wrong. Nothing was issued."}
	}
	switch http400.Code {
	case http.StatusNotFound:
		return &Error{Status: http.StatusNotFound, Code: "not_found", Description: "There is no such endpoint."}
	case http.StatusMethodNotAllowed:
		return &Error{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "This endpoint does not take that method."}
	case http.StatusRequestEntityTooLarge:
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Description: "The body is over 16 KiB."}
	}
	return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "The request could not be read."}
}
