// Package api answers what programs ask about their team with a token, and takes what a
// shop reports. It speaks JSON, knows no session and renders no page.
package api

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// Owns tells whether a path is answered by this package, errors included.
func Owns(path string) bool {
	return strings.HasPrefix(path+"/", "/api/") || strings.HasPrefix(path+"/", "/hooks/")
}

// Deps is what the endpoints need.
type Deps struct {
	Store    *store.Store
	Verifier *tokens.Verifier
	Meter    *usage.Meter
	// Realm stands in WWW-Authenticate.
	Realm string
	// PointsSecret is what a shop signs its reports with; empty where none does.
	PointsSecret models.Secret
	Now          func() time.Time
	// Limiters makes what counts failures; nil for limiters of this process alone.
	Limiters middleware.Maker
}

// Handler holds the endpoints.
type Handler struct {
	Deps
	hookFailures *middleware.Limiter
	limits       usageLimits
}

// New makes the endpoints.
func New(deps Deps) *Handler {
	deps.Limiters = deps.Limiters.Or(deps.Now)
	return &Handler{Deps: deps, hookFailures: deps.Limiters("points: unsigned", hookFailures), limits: newUsageLimits(deps.Limiters)}
}

// Routes adds the endpoints to e.
func (h *Handler) Routes(e *echo.Echo) {
	h.usageRoutes(e)
	h.hookRoutes(e)
}
