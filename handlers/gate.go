package handlers

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// signInGate holds the counters that one attempt to sign in passes. They count
// before the password is checked, so guesses at once are as slow as others.
type signInGate []counter

type counter struct {
	limiter *middleware.Limiter
	key     string
}

// gateFor chooses the counters. A browser in which this user has signed in
// before has one of its own: whoever guesses from elsewhere does not slow it.
func (h *Handlers) gateFor(c echo.Context, user models.User, email string) (signInGate, error) {
	limits, account := h.signIns.accounts, user.ID
	if user.ID == "" {
		limits, account = h.signIns.strangers, store.EmailKey(email)
	}
	address := middleware.AddressKey(c.RealIP())
	gate := signInGate{
		{limits.fromOneAddress, account + " from " + address},
		{limits.fromAnywhere, account},
		{h.signIns.addresses, address},
	}
	browser := h.sessions.readID(c.Request(), browserCookie)
	if user.ID == "" || browser.IsEmpty() {
		return gate, nil
	}
	hash := secrets.Hash(browser)
	known, err := h.Store.KnownBrowser(c.Request().Context(), user.ID, hash)
	if known {
		gate = signInGate{{limits.fromOneAddress, account + " in " + string(hash)}}
	}
	return gate, err
}

// confirmGate is the gate of somebody who is signed in.
func (h *Handlers) confirmGate(user models.User) signInGate {
	return signInGate{{h.signIns.accounts.fromOneAddress, user.ID + " confirms"}}
}

// enter counts the attempt everywhere, or nowhere and says how long to wait.
func (g signInGate) enter() time.Duration {
	for i, c := range g {
		if wait := c.limiter.Take(c.key); wait > 0 {
			g[:i].leave()
			return wait
		}
	}
	return 0
}

// leave takes the attempt back: it had no outcome.
func (g signInGate) leave() {
	for _, c := range g {
		c.limiter.Return(c.key)
	}
}

// succeed forgets the failures of whoever has now proved to be the owner, and
// takes the attempt back from what others share.
func (g signInGate) succeed() {
	g[0].limiter.Forget(g[0].key)
	g[1:].leave()
}
