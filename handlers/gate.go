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

// confirmGate is the gate of somebody who is signed in. Each session has a counter of its
// own, so that guesses in one that was stolen do not lock its owner out of another.
func (h *Handlers) confirmGate(c echo.Context, user models.User) signInGate {
	limits := h.signIns.accounts
	return signInGate{
		{limiter: limits.fromOneAddress, key: user.ID + " confirms in " + sessionOf(c).Ref},
		{limiter: limits.fromAnywhere, key: user.ID + " confirms"},
	}
}

// provesAgain checks the password of somebody who is signed in; wait is how long to wait
// where too many were wrong.
func (h *Handlers) provesAgain(c echo.Context, user *models.User, password models.Secret) (wait time.Duration, ok bool, err error) {
	gate := h.confirmGate(c, *user)
	if wait := gate.enter(); wait > 0 {
		return wait, false, nil
	}
	ok, err = h.proves(c, user, user.PasswordHash, password)
	switch {
	case err != nil:
		gate.leave()
	case ok:
		gate.succeed()
	}
	return 0, ok, err
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
