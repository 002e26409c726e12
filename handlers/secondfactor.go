package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

func authenticatorPlace(userID string) secrets.Place {
	return secrets.Place{Table: "authenticators", Column: "sealed", Row: userID}
}

// newSeed is the seed of an app that has not shown a code of it yet.
type newSeed struct {
	Sealed []byte `json:"sealed"`
}

func newSeedPlace(userID string) secrets.Place {
	return secrets.Place{Table: "ceremonies", Column: "data", Row: userID}
}

func (h *Handlers) secondFactorPage(c echo.Context) error {
	page, _ := h.page(c)
	return h.showSecondFactor(c, http.StatusOK, page, "", nil)
}

func (h *Handlers) showSecondFactor(c echo.Context, status int, page layout.Page, name string, errs models.FieldErrors) error {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return err
	}
	base, err := url.Parse(h.BaseURL)
	if err != nil {
		return err
	}
	state := views.SecondFactorState{
		Factors: factors, Required: h.requiredBy(actorOf(c)), Address: base.Hostname(), Passkeys: h.passkeys.Available(), Name: name, Errors: errs,
	}
	return show(c, status, views.SecondFactor(page, views.NewSecondFactorView(state, h.clock(c))))
}

// requiredBy is who wants a second factor of somebody who has none, empty for nobody.
func (h *Handlers) requiredBy(actor models.Actor) string {
	switch {
	case actor.SecondFactor:
		return ""
	case actor.RequiresSecondFactor:
		return actor.TeamName
	case h.RequireSecondFactor:
		return views.EverybodyHere
	}
	return ""
}

// toEnrolment leads somebody who needs a second factor to set one up before anything else.
func (h *Handlers) toEnrolment(c echo.Context) error {
	if wantsJSON(c) {
		return c.JSON(http.StatusForbidden, map[string]string{"confirm": views.SecondFactorPath})
	}
	return c.Redirect(http.StatusSeeOther, views.SecondFactorPath)
}

// setUpAuthenticator shows a new seed, which counts once a code of it was given.
func (h *Handlers) setUpAuthenticator(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	actor, seed := actorOf(c), secrets.NewSeed()
	sealed, err := h.Keys.Seal(seed, newSeedPlace(actor.UserID))
	if err != nil {
		return err
	}
	if err := h.beginStep(c, stepAuthenticator, actor.UserID, newSeed{sealed}); err != nil {
		return err
	}
	return h.showSeed(c, http.StatusOK, seed, "")
}

func (h *Handlers) showSeed(c echo.Context, status int, seed models.Secret, problem string) error {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return err
	}
	address := secrets.SeedAddress(seed, "Latchkey", actorOf(c).Email)
	return show(c, status, views.SetUpAuthenticator(h.plainPage(c), views.NewAuthenticatorSetup(seed, address, factors.Authenticator != nil, problem)))
}

// confirmAuthenticator takes the first code of a new app. Its route is not Fresh, for its
// form holds a code; the one that showed the seed was, to this browser, minutes ago.
func (h *Handlers) confirmAuthenticator(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	var begun newSeed
	ceremony, err := h.readStep(c, stepAuthenticator, &begun)
	if errors.Is(err, models.ErrNotFound) || err == nil && ceremony.UserID != actor.UserID {
		return h.say(c, views.SecondFactorPath, flash{Tone: "warning", Text: "That took too long, or was done already. Set the app up again."})
	}
	if err != nil {
		return err
	}
	seed, err := h.Keys.Open(begun.Sealed, newSeedPlace(actor.UserID))
	if err != nil {
		return err
	}
	at, ok := secrets.CodeStep(seed, models.NewSecret(fields.Get("code")), h.now())
	if !ok {
		return h.showSeed(c, http.StatusUnprocessableEntity, seed, views.WrongSetupCode)
	}
	if _, err := h.finishStep(c, stepAuthenticator, &begun); err != nil {
		return err
	}
	sealed, err := h.Keys.Seal(seed, authenticatorPlace(actor.UserID))
	if err != nil {
		return err
	}
	factors, err := h.Store.Factors(ctx, actor.UserID)
	if err != nil {
		return err
	}
	app := models.Authenticator{Sealed: sealed, LastStep: at}
	return h.factorAdded(c, factors, "The authenticator app was set up", func(codes []string) error {
		return h.Store.AddAuthenticator(ctx, actor, app, codes, sessionOf(c).IDHash)
	})
}

// factorAdded stores a new factor beside those before by add and says so. With the first
// one come recovery codes.
func (h *Handlers) factorAdded(c echo.Context, before models.Factors, what string, add func(codes []string) error) error {
	var codes []models.Secret
	var hashes []string
	var err error
	if !before.Any() {
		if codes, hashes, err = h.newRecoveryCodes(c); err != nil {
			return err
		}
	}
	err = add(hashes)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return h.passkeyNotAdded(c, "", errs)
	}
	h.tellActorOfFactor(c, what)
	what += ". Your other sessions were ended."
	if codes == nil {
		return h.say(c, views.SecondFactorPath, flash{Text: what})
	}
	return show(c, http.StatusOK, views.RecoveryCodes(h.plainPage(c), views.NewRecoveryCodesView(codes, what)))
}

func (h *Handlers) leaving(c echo.Context) store.Leaving {
	return store.Leaving{Keep: sessionOf(c).IDHash, Required: h.RequireSecondFactor}
}

// factorRemoved says that a factor is gone or, by err, why it may not be.
func (h *Handlers) factorRemoved(c echo.Context, before models.Factors, passkey *models.Passkey, what string, err error) error {
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return show(c, http.StatusUnprocessableEntity, views.RemoveFactor(h.plainPage(c), views.NewConfirmRemoveFactor(before, passkey, errs)))
	}
	h.tellActorOfFactor(c, what)
	return h.say(c, views.SecondFactorPath, flash{Text: what + ". Your other sessions were ended."})
}

func (h *Handlers) removeAuthenticatorPage(c echo.Context) error {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err == nil && factors.Authenticator == nil {
		err = models.ErrNotFound
	}
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.RemoveFactor(h.plainPage(c), views.NewConfirmRemoveFactor(factors, nil, nil)))
}

func (h *Handlers) removeAuthenticator(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	factors, err := h.Store.Factors(ctx, actor.UserID)
	if err != nil {
		return err
	}
	err = h.Store.RemoveAuthenticator(ctx, actor, h.leaving(c))
	return h.factorRemoved(c, factors, nil, "The authenticator app was removed", err)
}
