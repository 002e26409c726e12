// Package handlers is the one room that speaks HTML: it reads forms, asks the
// rules, makes one call to the store and redirects, or renders a page. A handler
// returns an error and never writes one.
package handlers

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
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
	// SetupCode opens the setup page while no account exists.
	SetupCode models.Secret
	// SignUp lets anyone create an account with a team of their own.
	SignUp bool
	// RequireSecondFactor wants a second factor of everybody.
	RequireSecondFactor bool
	// Installation is what operators see of the program.
	Installation models.Installation
	// Provider is the OpenID provider by which people sign in too, nil for none.
	Provider *provider.Client
}

// Handlers holds the pages.
type Handlers struct {
	Deps
	sessions *sessionStore
	signIns  signInLimits
	// reveals bounds how many values one person sees in a minute.
	reveals *middleware.Limiter
	// refusals and exports bound what one person writes into the audit log and reads of it.
	refusals, exports *middleware.Limiter
	warned            warningLimits
	// setUp remembers that an account exists, which never becomes untrue.
	setUp atomic.Bool
	// router finds the handler of a deed that waited for a proof of identity.
	router *echo.Router
	// rows are those of the table, by method and path; filled before the first request.
	rows map[string]Route

	// outbox is Mail.
	outbox outbox
	// newEmails bounds how many addresses one person tries or sends a link to in an hour.
	newEmails *middleware.Limiter
	zones     zones
	signUps   signUpLimits
	passkeys  *secrets.Passkeys
	factorLimits
	// resets bounds how many links for forgotten passwords are asked for.
	resets      signInLimits
	tokenCounts tokenCounts
	// departures bounds how often one address is sent to the provider.
	departures *middleware.Limiter
}

// New makes the pages.
func New(deps Deps) *Handlers {
	return &Handlers{
		Deps: deps, sessions: newSessionStore(deps), signIns: newSignInLimits(deps.Now),
		reveals: middleware.NewLimiter(middleware.Policy{Free: 60, Window: time.Minute, Size: 1 << 14}, deps.Now),
		outbox:  deps.Mail, newEmails: middleware.NewLimiter(middleware.Policy{Free: 10, Window: time.Hour, Size: 1 << 14}, deps.Now),
		signUps: newSignUpLimits(deps.Now), passkeys: newPasskeys(deps), factorLimits: newFactorLimits(deps.Now),
		refusals: middleware.NewLimiter(refusalPolicy, deps.Now), exports: middleware.NewLimiter(exportPolicy, deps.Now),
		warned: newWarningLimits(deps.Now), resets: newResetLimits(deps.Now), departures: middleware.NewLimiter(middleware.Policy{Free: 120, Window: time.Minute, Size: 1 << 14}, deps.Now),
	}
}

func (h *Handlers) now() models.Time { return models.At(h.Now()) }

// clock is now, in the time zone of whoever reads the page.
func (h *Handlers) clock(c echo.Context) views.Clock {
	return views.Clock{Time: h.now(), Zone: h.zones.of(actorOf(c).TimeZone)}
}

// signInLimits slow down guessing of passwords. The pause grows for one account
// from one address; the whole account waits shortly only, so that guesses from
// elsewhere do not lock its owner out. Accounts that exist have limiters of
// their own, so that noise about others cannot push their counters out.
type signInLimits struct {
	accounts, strangers accountLimits
	addresses           *middleware.Limiter
}

type accountLimits struct{ fromOneAddress, fromAnywhere *middleware.Limiter }

func newSignInLimits(now func() time.Time) signInLimits {
	account := func(size int) accountLimits {
		return accountLimits{
			fromOneAddress: middleware.NewLimiter(middleware.Policy{Free: 5, Window: time.Hour, Pause: doubling(30 * time.Second), Size: size}, now),
			fromAnywhere:   middleware.NewLimiter(middleware.Policy{Free: 20, Window: time.Hour, Pause: always(accountPause), Size: size}, now),
		}
	}
	return signInLimits{
		accounts: account(1 << 16), strangers: account(1 << 14),
		addresses: middleware.NewLimiter(middleware.Policy{Free: 20, Window: time.Hour, Pause: doubling(time.Minute), Size: 1 << 16}, now),
	}
}

const (
	longestPause = 15 * time.Minute
	accountPause = 10 * time.Second
)

func always(pause time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return pause }
}

func doubling(first time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return min(first<<min(n, 10), longestPause) }
}
