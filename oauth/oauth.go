// Package oauth is the one room that speaks RFC: the token endpoint (RFC 6749)
// and the check of bearer tokens (RFC 6750). It answers JSON, knows no session
// and no cookie, and renders no page.
package oauth

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

const (
	prefix  = "/oauth2/"
	maxBody = "16KiB"
)

// Owns tells whether a path is answered by this package, errors included.
func Owns(path string) bool { return path == "/oauth2" || strings.HasPrefix(path, prefix) }

// Deps is what the endpoints need.
type Deps struct {
	Store    *store.Store
	Issuer   *tokens.Issuer
	Verifier *tokens.Verifier
	LastUsed *tokens.LastUsed
	// Realm stands in WWW-Authenticate.
	Realm string
	Now   func() time.Time
}

// Handler holds the endpoints.
type Handler struct {
	Deps
	perClient  *middleware.Limiter
	perAddress *middleware.Limiter
}

// New makes the endpoints.
func New(deps Deps) *Handler {
	minute := middleware.Policy{Window: time.Minute, Size: 65_536}
	perClient, perAddress := minute, minute
	perClient.Free, perAddress.Free = 30, 300
	return &Handler{
		Deps:       deps,
		perClient:  middleware.NewLimiter(perClient, deps.Now),
		perAddress: middleware.NewLimiter(perAddress, deps.Now),
	}
}

// Routes adds the endpoints to e.
func (h *Handler) Routes(e *echo.Echo) {
	every(e, prefix+"token", only(h.token, http.MethodPost), noStore, echomiddleware.BodyLimit(maxBody))
	every(e, prefix+"verify", h.verify, noStore)
}

// every answers any method, those included that echo has no name for: behind a
// proxy, verify sees the method of the original request.
func every(e *echo.Echo, path string, handler echo.HandlerFunc, passed ...echo.MiddlewareFunc) {
	e.Any(path, handler, passed...)
	e.RouteNotFound(path, handler, passed...)
}

// only refuses every method but those given, and says which they are.
func only(handler echo.HandlerFunc, methods ...string) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !slices.Contains(methods, c.Request().Method) {
			c.Response().Header().Set(echo.HeaderAllow, strings.Join(methods, ", "))
			return echo.ErrMethodNotAllowed
		}
		return handler(c)
	}
}

func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderCacheControl, "no-store")
		h.Set("Pragma", "no-cache")
		return next(c)
	}
}

// retry turns a wait into whole seconds, rounded up so that it holds.
func retry(wait time.Duration) error {
	return retryError{wait: (wait + time.Second - 1).Truncate(time.Second)}
}
