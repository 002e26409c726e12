package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
)

// serve answers one request with an instance that runs the middleware given.
func serve(r *http.Request, routes func(e *echo.Echo), use ...echo.MiddlewareFunc) *httptest.ResponseRecorder {
	e := echo.New()
	e.Use(use...)
	routes(e)
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, r)
	return answer
}

// answers has a route for each kind of answer.
func answers(e *echo.Echo) {
	for _, side := range []string{"/page", "/data"} {
		e.GET(side+"/ok", func(c echo.Context) error { return c.String(http.StatusOK, "ok") })
		e.GET(side+"/moved", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/") })
		e.GET(side+"/error", func(echo.Context) error { return errors.New("odd") })
		e.GET(side+"/forbidden", func(echo.Context) error { return echo.ErrForbidden })
		e.GET(side+"/panic", func(echo.Context) error { panic("odd") })
		e.GET(side+"/unchanged", func(c echo.Context) error { return c.NoContent(http.StatusNotModified) })
	}
}

func isPage(path string) bool { return strings.HasPrefix(path, "/page") }

func TestSecurityHeaders(t *testing.T) {
	const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"
	for path, status := range map[string]int{
		"/ok": 200, "/moved": 303, "/unchanged": 304, "/forbidden": 403, "/none": 404, "/error": 500, "/panic": 500,
	} {
		for _, side := range []string{"/page", "/data"} {
			for _, https := range []bool{false, true} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, side+path, nil)
				answer := serve(r, answers, middleware.SecurityHeaders(https, isPage), middleware.Recover())
				if answer.Code != status {
					t.Errorf("%s%s answers %d, want %d", side, path, answer.Code, status)
				}
				want := map[string]string{
					"Content-Security-Policy": dataPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
					"Cross-Origin-Opener-Policy": "", "Cross-Origin-Resource-Policy": "", "Strict-Transport-Security": "",
				}
				if side == "/page" {
					want["Content-Security-Policy"] = pagePolicy
					want["Cross-Origin-Opener-Policy"], want["Cross-Origin-Resource-Policy"] = "same-origin", "same-origin"
				}
				if https {
					want["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
				}
				for name, value := range want {
					if got := answer.Header().Values(name); strings.Join(got, "|") != value {
						t.Errorf("%s%s, https %v: %s is %q", side, path, https, name, got)
					}
				}
			}
		}
	}
}

// P3: forms may lead on to the OpenID provider, and nothing else may.
func TestFormsLeadToTheProviderToo(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/page/ok", nil)
	policy := serve(r, answers, middleware.SecurityHeaders(false, isPage, "https://id.example")).Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "; form-action 'self' https://id.example;") || strings.Count(policy, "id.example") != 1 {
		t.Error(policy)
	}
	r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/data/ok", nil)
	if policy := serve(r, answers, middleware.SecurityHeaders(false, isPage, "https://id.example")).Header().Get("Content-Security-Policy"); strings.Contains(policy, "id.example") {
		t.Error(policy)
	}
}

func TestPermissionsPolicy(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/page/ok", nil)
	policy := serve(r, answers, middleware.SecurityHeaders(false, isPage)).Header().Get("Permissions-Policy")
	allowed := map[string]bool{"publickey-credentials-get": true}
	for feature := range strings.SplitSeq(policy, ", ") {
		name, list, _ := strings.Cut(feature, "=")
		want := "()"
		if allowed[name] {
			want = "(self)"
		}
		if list != want {
			t.Errorf("%s is for %s, want %s", name, list, want)
		}
	}
	for _, name := range []string{"camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"} {
		if !strings.Contains(policy, name) {
			t.Errorf("%s is missing in %s", name, policy)
		}
	}
}
