package middleware

import (
	"maps"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	policyHeader = "Content-Security-Policy"

	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	// DataPolicy is for JSON and text, which no browser should render.
	DataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"

	permissions = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), " +
		"gyroscope=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), usb=()"
)

// SecurityHeaders sets the headers of every answer, errors and redirects
// included. isPage tells which paths answer with pages. The forms of those lead to
// formTargets besides this site, which are origins.
func SecurityHeaders(https bool, isPage func(path string) bool, formTargets ...string) echo.MiddlewareFunc {
	page, data := securityHeaders(https, true), securityHeaders(https, false)
	for _, origin := range formTargets {
		page.Set(policyHeader, strings.Replace(page.Get(policyHeader), "form-action 'self'", "form-action 'self' "+origin, 1))
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			headers := data
			if isPage(c.Request().URL.Path) {
				headers = page
			}
			// The values are shared by all answers: whoever adds to one makes a copy,
			// for none has room.
			maps.Copy(c.Response().Header(), headers)
			return next(c)
		}
	}
}

func securityHeaders(https, page bool) http.Header {
	h := http.Header{}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	if !page {
		h.Set(policyHeader, DataPolicy)
		return h
	}
	h.Set(policyHeader, pagePolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	return h
}
