package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
)

// Error is an answer that says in one sentence what was wrong.
type Error struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// WriteError answers err as JSON. What it does not know becomes a server_error without
// detail; the caller logs it.
func WriteError(c echo.Context, err error) error {
	answer := answerFor(err)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if answer.Status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, "1")
	}
	return c.JSON(answer.Status, answer)
}

func answerFor(err error) *Error {
	var ours *Error
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, models.ErrUnavailable), errors.Is(err, models.ErrBusy):
		return &Error{http.StatusServiceUnavailable, "temporarily_unavailable", "Try again in a second."}
	case errors.As(err, &routing):
		return &Error{routing.Code, "invalid_request", http.StatusText(routing.Code) + "."}
	}
	return &Error{http.StatusInternalServerError, "server_error", "Something went wrong."}
}
