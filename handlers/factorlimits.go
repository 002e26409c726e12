package handlers

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// factorLimits slow down guessing of second factors, and what else costs work.
type factorLimits struct {
	// seconds count the tries of those who passed the first step. Codes have six digits
	// only, so the whole account waits longer than for passwords; a browser in which the user
	// signed in before has a counter of its own, and sessions that live go on.
	seconds accountLimits
	// challenges bounds, by address, what is stored for people who are not signed in.
	challenges *middleware.Limiter
	// codeMakers bounds how often a person makes recovery codes: ten slow hashes each time.
	codeMakers *middleware.Limiter
	// factorWarnings lets one warning about wrong second factors out an hour.
	factorWarnings *middleware.Limiter
}

func newFactorLimits(limiter middleware.Maker) factorLimits {
	const people = 1 << 16
	return factorLimits{
		seconds: accountLimits{
			fromOneAddress: limiter("second factors: accounts from one address", middleware.Policy{Free: 5, Window: time.Hour, Pause: doubling(30 * time.Second), Size: people}),
			fromAnywhere:   limiter("second factors: accounts", middleware.Policy{Free: 20, Window: 24 * time.Hour, Pause: doubling(30 * time.Second), Size: people}),
		},
		challenges:     limiter("challenges", middleware.Policy{Free: 60, Window: time.Minute, Size: people}),
		codeMakers:     limiter("recovery codes", middleware.Policy{Free: 10, Window: time.Hour, Size: 1 << 14}),
		factorWarnings: limiter("warnings of second factors", middleware.Policy{Free: 1, Window: time.Hour, Size: 1 << 14}),
	}
}

// newPasskeys is without passkeys where the base address cannot have any.
func newPasskeys(deps Deps) *secrets.Passkeys {
	passkeys, err := secrets.NewPasskeys(deps.BaseURL)
	if err != nil {
		deps.Log.Warn("passkeys are switched off", "error", err)
		return &secrets.Passkeys{}
	}
	return passkeys
}

// secondGate is the gate of the second step.
func (h *Handlers) secondGate(c echo.Context, user models.User) (signInGate, error) {
	gate := signInGate{
		{limiter: h.seconds.fromOneAddress, key: user.ID + " from " + middleware.AddressKey(c.RealIP())},
		{limiter: h.seconds.fromAnywhere, key: user.ID},
	}
	return h.knownBrowserOr(c, gate, user)
}
