package middleware

import (
	"github.com/labstack/echo/v4"
)

const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	// dataPolicy is for JSON and text, which no browser should render.
	dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"

	permissions = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), " +
		"gyroscope=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), usb=()"
)

// SecurityHeaders sets the headers of every answer, errors and redirects
// included. isPage tells which paths answer with pages.
func SecurityHeaders(https bool, isPage func(path string) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			policy := dataPolicy
			if isPage(c.Request().URL.Path) {
				policy = pagePolicy
			}
			h := c.Response().Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", permissions)
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			return next(c)
		}
	}
}
