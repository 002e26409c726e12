package handlers

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// signInGate holds the counters that one attempt to sign in passes. They count
// before the password is checked, so guesses at once are as slow as others.
type signInGate []counter

type counter struct {
	limiter *middleware.Limiter
	key     string
	attempt middleware.Attempt
}

// gateFor chooses the counters. A browser in which this user has signed in
// before has one of its own: whoever guesses from elsewhere does not slow it.
func (h *Handlers) gateFor(c echo.Context, user models.User, email string) (signInGate, error) {
	limits, account := h.signIns.accounts, user.ID
	if user.ID == "" {
		limits, account = h.signIns.strangers, models.EmailKey(email)
	}
	address := middleware.AddressKey(c.RealIP())
	gate := signInGate{
		{limiter: limits.fromOneAddress, key: account + " from " + address},
		{limiter: limits.fromAnywhere, key: account},
		{limiter: h.signIns.addresses, key: address},
	}
	return h.knownBrowserOr(c, gate, user)
}

// knownBrowserOr is the gate of a browser in which the user has signed in before, else gate.
func (h *Handlers) knownBrowserOr(c echo.Context, gate signInGate, user models.User) (signInGate, error) {
	browser := h.sessions.readID(c.Request(), browserCookie)
	if user.ID == "" || browser.IsEmpty() {
		return gate, nil
	}
	hash := secrets.Hash(browser)
	known, err := h.Store.KnownBrowser(c.Request().Context(), user.ID, hash)
	if known {
		gate = signInGate{{limiter: gate[0].limiter, key: user.ID + " in " + string(hash)}}
	}
	return gate, err
}

// confirmGate is the gate of somebody who is signed in.
func (h *Handlers) confirmGate(user models.User) signInGate {
	return signInGate{{limiter: h.signIns.accounts.fromOneAddress, key: user.ID + " confirms"}}
}

// enter counts the attempt everywhere, or nowhere and says how long to wait.
func (g signInGate) enter() time.Duration {
	for i := range g {
		attempt, wait := g[i].limiter.Take(g[i].key)
		if wait > 0 {
			g[:i].leave()
			return wait
		}
		g[i].attempt = attempt
	}
	return 0
}

// leave takes the attempt back: it had no outcome.
func (g signInGate) leave() {
	for _, c := range g {
		c.limiter.Return(c.attempt)
	}
}

// succeed forgets the failures of whoever has now proved to be the owner, and
// takes the attempt back from what others share.
func (g signInGate) succeed() {
	g[0].limiter.Forget(g[0].key)
	g[1:].leave()
}
