// Package middleware holds what every request passes, whichever world it is for.
package middleware

import (
	"crypto/rand"
	"strings"

	"github.com/labstack/echo/v4"
)

// RequestID gives each request a random ID, by which a person who sees an error names
// the log line. What a client sends is not taken up.
func RequestID() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set(echo.HeaderXRequestID, rand.Text()[:16])
			return next(c)
		}
	}
}

// ID returns the request's ID.
func ID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// UserAgent is what the client calls itself, cut to 200 bytes.
func UserAgent(c echo.Context) string { return Clip(c.Request().UserAgent(), 200) }

// Clip cuts text to so many bytes of valid UTF-8.
func Clip(text string, length int) string {
	return strings.ToValidUTF8(text[:min(len(text), length)], "")
}
