// Package handlers is the one room that speaks HTML: it reads forms, asks the
// rules, makes one call to the store and redirects, or renders a page. A handler
// returns an error and never writes one.
package handlers

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

// Deps is what the pages need.
type Deps struct {
	Store     *store.Store
	Issuer    *tokens.Issuer
	Keys      *secrets.Keys
	Passwords *secrets.Passwords
	Log       *slog.Logger
	Now       func() time.Time
	// BaseURL is the public address without a slash at its end.
	BaseURL string
	// HTTPS tells that the public address is https: cookies are Secure.
	HTTPS bool
	// DocsURL is where the doc link leads.
	DocsURL string
	Limits  models.Limits
	// SessionIdle and SessionMax end a session, unused and in all.
	SessionIdle, SessionMax time.Duration
	// SetupCode opens the setup page while no account exists.
	SetupCode models.Secret
}

// Handlers holds the pages.
type Handlers struct {
	Deps
	sessions *sessionStore
	signIns  signInLimits
	// setUp remembers that an account exists, which never becomes untrue.
	setUp atomic.Bool
}

// New makes the pages.
func New(deps Deps) *Handlers {
	return &Handlers{Deps: deps, sessions: newSessionStore(deps), signIns: newSignInLimits(deps.Now)}
}

func (h *Handlers) now() models.Time { return models.At(h.Now()) }

// signInLimits slow down guessing of passwords. Real accounts have a limiter of
// their own, so that noise about accounts that do not exist cannot push their
// counters out.
type signInLimits struct {
	accounts, strangers, addresses *middleware.Limiter
}

func newSignInLimits(now func() time.Time) signInLimits {
	account := middleware.Policy{Free: 5, Window: time.Hour, Pause: doubling(30 * time.Second), Size: 1 << 20}
	stranger := account
	stranger.Size = 1 << 14
	address := middleware.Policy{Free: 20, Window: time.Hour, Pause: doubling(time.Minute), Size: 1 << 16}
	return signInLimits{
		accounts:  middleware.NewLimiter(account, now),
		strangers: middleware.NewLimiter(stranger, now),
		addresses: middleware.NewLimiter(address, now),
	}
}

const longestPause = 15 * time.Minute

func doubling(first time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return min(first<<min(n, 10), longestPause) }
}
