// Package oauth is the one room that speaks RFC: the token endpoint (RFC 6749),
// introspection (7662), revocation (7009), metadata (8414), client assertions
// (7523) and the check of bearer tokens for proxies (6750). It answers JSON,
// knows no session and no cookie, and renders no page.
package oauth

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tally"
	"github.com/latchkey/latchkey/tokens"
)

// TokenPath is where the token endpoint is.
const TokenPath = prefix + "token"

// MetadataPath is where Latchkey says what it serves.
const MetadataPath = "/.well-known/oauth-authorization-server"

const (
	prefix          = "/oauth2/"
	introspectPath  = prefix + "introspect"
	revokePath      = prefix + "revoke"
	revocationsPath = prefix + "revocations"
	verifyPath      = prefix + "verify"
	ticketsPath     = prefix + "tickets"

	maxBody = "16KiB"
)

// Owns tells whether a path is answered by this package, errors included.
func Owns(path string) bool {
	return strings.HasPrefix(path+"/", prefix) || strings.HasPrefix(path+"/", MetadataPath+"/")
}

// KeepsTime tells whether a path bounds by itself what it waits for. Answers that
// come from memory need no timer, and a stream goes on.
func KeepsTime(path string) bool {
	return path == verifyPath || path == introspectPath || path == revocationsPath
}

// Refusals keeps calls with a token that was not good for the token's team. Introspection
// is not noted: who asks there may well ask about tokens that have ended.
type Refusals interface {
	Note(refused tokens.RefusedError, route, address, agent string)
}

// Deps is what the endpoints need.
type Deps struct {
	Store    *store.Store
	Issuer   *tokens.Issuer
	Verifier *tokens.Verifier
	Clients  *tokens.Clients
	LastUsed *tokens.LastUsed
	Refusals Refusals
	Tickets  *tokens.Tickets
	// Revocations are what resource servers follow.
	Revocations *tokens.Revocations
	// Upstreams are the gateway's routes, which tickets are for.
	Upstreams []models.Upstream
	// IssuerURL is the public address without a slash at its end.
	IssuerURL string
	// Scopes is what applications may have, DocsURL what people read.
	Scopes  []string
	DocsURL string
	// Realm stands in WWW-Authenticate.
	Realm string
	Now   func() time.Time
}

// Handler holds the endpoints.
type Handler struct {
	Deps
	perClient  *middleware.Limiter
	perAddress *middleware.Limiter
	perToken   *middleware.Limiter
	// What Stats tells.
	unverified, inactive *tally.Names
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
		perToken:   newTicketLimit(deps.Now),
		unverified: refusals(), inactive: refusals(),
	}
}

// Routes adds the endpoints to e.
func (h *Handler) Routes(e *echo.Echo) {
	bodyLimit := echomiddleware.BodyLimit(maxBody)
	every(e, TokenPath, only(h.token, http.MethodPost), noStore, bodyLimit)
	every(e, introspectPath, only(h.introspect, http.MethodPost), noStore, bodyLimit)
	every(e, revokePath, only(h.revoke, http.MethodPost), noStore, bodyLimit)
	every(e, revocationsPath, only(h.revocations, http.MethodGet), noStore)
	every(e, verifyPath, h.verify, noStore)
	every(e, ticketsPath, only(h.ticket, http.MethodPost), noStore, bodyLimit)
	every(e, MetadataPath, only(h.metadata, http.MethodGet, http.MethodHead), noStore)
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

var noStoreHeaders = http.Header{echo.HeaderCacheControl: {"no-store"}, "Pragma": {"no-cache"}}

func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		maps.Copy(c.Response().Header(), noStoreHeaders)
		return next(c)
	}
}

// retry turns a wait into whole seconds, rounded up so that it holds.
func retry(wait time.Duration, of string) error {
	return retryError{wait: wholeSeconds(wait), of: "failures of " + of, text: "Too many failed attempts. Wait as long as Retry-After says."}
}

func wholeSeconds(wait time.Duration) time.Duration {
	return (wait + time.Second - 1).Truncate(time.Second)
}
