// Package handlers is the one room that speaks HTML: it reads forms, asks the
// rules, makes one call to the store and redirects, or renders a page. A handler
// returns an error and never writes one.
package handlers

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/webhooks"
)

// Deps is what the pages need.
type Deps struct {
	Store     *store.Store
	Issuer    *tokens.Issuer
	Keys      *secrets.Keys
	Passwords *secrets.Passwords
	Mail      *mail.Mailer
	Log       *slog.Logger
	Now       func() time.Time
	// Limiters makes what counts failures; nil for limiters of this process alone.
	Limiters middleware.Maker
	// BaseURL is the public address without a slash at its end.
	BaseURL string
	// HTTPS tells that the public address is https: cookies are Secure.
	HTTPS bool
	// DocsURL is where the doc link leads.
	DocsURL string
	Limits  models.Limits
	// Webhooks says where those of teams may lead.
	Webhooks webhooks.Policy
	// SessionIdle and SessionMax end a session, unused and in all.
	SessionIdle, SessionMax time.Duration
	// KeepAudit is how long audit events are kept.
	KeepAudit time.Duration
	// SignUp lets anyone create an account with a team of their own.
	SignUp bool
	// RequireSecondFactor wants a second factor of everybody.
	RequireSecondFactor bool
	// Installation is what operators see of the program.
	Installation models.Installation
	// Provider is the OpenID provider by which people sign in too, nil for none.
	Provider *provider.Client
	// Gateway has the routes to the APIs and the streams that are open; Meter knows how teams stand.
	Gateway *gateway.Gateway
	Meter   *usage.Meter
}

// Handlers holds the pages.
type Handlers struct {
	Deps
	limits
	sessions *sessionStore
	passkeys *secrets.Passkeys
	// outbox is Mail.
	outbox outbox
	zones  zones
	// tokenCounts are those of the page Server, which take a while to count.
	tokenCounts tokenCounts
	// setUp remembers that an account exists, which never becomes untrue.
	setUp atomic.Bool
	// router finds the handler of a deed that waited for a proof of identity.
	router *echo.Router
	// rows are those of the table, by method and path; filled before the first request.
	rows map[string]Route
}

// New makes the pages.
func New(deps Deps) *Handlers {
	deps.Limiters = deps.Limiters.Or(deps.Now)
	return &Handlers{
		Deps: deps, limits: newLimits(deps.Limiters), sessions: newSessionStore(deps), passkeys: newPasskeys(deps), outbox: deps.Mail,
	}
}

func (h *Handlers) now() models.Time { return models.At(h.Now()) }

// clock is now, in the time zone of whoever reads the page.
func (h *Handlers) clock(c echo.Context) views.Clock {
	return views.Clock{Time: h.now(), Zone: h.zones.of(actorOf(c).TimeZone)}
}
