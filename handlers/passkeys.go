package handlers

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// challenge asks the browser for one of these passkeys of a user or, without a user, for
// any that it has.
func (h *Handlers) challenge(c echo.Context, at step, userID string, passkeys []models.Passkey) error {
	if !h.passkeys.Available() || userID != "" && len(passkeys) == 0 {
		return models.ErrNotFound
	}
	if _, wait := h.challenges.Take(middleware.AddressKey(c.RealIP())); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	asked, err := h.passkeys.Ask(passkeys)
	if err != nil {
		return err
	}
	if err := h.beginStep(c, at, userID, asked.State); err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, asked.Options)
}

// answered checks what a browser answered to the challenge of a step and returns the
// passkey as its use has left it. The error is secrets.ErrPasskey for every answer that
// does not count: to no challenge of ours, too late, again, or not of passkeys.
func (h *Handlers) answered(c echo.Context, at step, userID string, passkeys []models.Passkey, answer string) (models.Passkey, error) {
	var state json.RawMessage
	ceremony, err := h.finishStep(c, at, &state)
	if errors.Is(err, models.ErrNotFound) || err == nil && ceremony.UserID != userID {
		middleware.Annotate(c, "refused", "no such challenge")
		return models.Passkey{}, secrets.ErrPasskey
	}
	if err != nil {
		return models.Passkey{}, err
	}
	used, err := h.passkeys.Answered(state, answer, passkeys)
	if errors.Is(err, secrets.ErrPasskeyCopied) {
		return models.Passkey{}, errors.Join(h.passkeyCopied(c, used), secrets.ErrPasskey)
	}
	if err != nil {
		middleware.Annotate(c, "refused", err.Error())
	}
	return used, err
}

// passkeyCopied records a passkey whose counter ran backward.
func (h *Handlers) passkeyCopied(c echo.Context, passkey models.Passkey) error {
	middleware.Annotate(c, "refused", "passkey counter ran backward")
	ctx := c.Request().Context()
	h.Log.WarnContext(ctx, "passkey counter ran backward: there may be a copy", "passkey", passkey.ID, "user", passkey.UserID)
	user, err := h.Store.User(ctx, passkey.UserID)
	if err != nil {
		return err
	}
	h.tellOfFactor(c, user, "Your passkey "+passkey.Name+" was refused because its counter ran backward: there may be a copy of it. Remove it and add a new one")
	return h.Store.PasskeyRefused(ctx, h.stranger(c), passkey)
}

func (h *Handlers) passkeySignInOptions(c echo.Context) error {
	return h.challenge(c, stepPasskeySignIn, "", nil)
}

// passkeySignIn signs in by a passkey alone, which verified its user: no second factor is asked for.
func (h *Handlers) passkeySignIn(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	page := h.loginForm("", localPath(fields.Get("next")))
	gate := signInGate{{limiter: h.signIns.addresses, key: middleware.AddressKey(c.RealIP())}}
	if wait := gate.enter(); wait > 0 {
		page.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.Login(h.plainPage(c), page))
	}
	used, user, err := h.passkeyOf(c, fields.Get("credential"))
	if err == nil {
		gate.leave()
		proof := models.Proof{UserID: user.ID, Method: models.ByPasskey, Factor: models.Evidence{Kind: models.FactorPasskey, Passkey: used}}
		err = h.admit(c, user, proof, page.Next)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, secrets.ErrPasskey) && !errors.Is(err, models.ErrNotFound) {
		gate.leave()
		return err
	}
	if user.ID != "" {
		if err := h.Store.ProofFailed(c.Request().Context(), h.stranger(c), models.AuditSignInFailed, user); err != nil {
			return err
		}
	}
	page.PasskeyError = views.PasskeyRefused
	return show(c, http.StatusUnprocessableEntity, views.Login(h.plainPage(c), page))
}

// passkeyOf finds whose passkey answered. The user is also returned where the answer was not good.
func (h *Handlers) passkeyOf(c echo.Context, answer string) (models.Passkey, models.User, error) {
	credentialID, handle, err := secrets.CredentialOf(answer)
	if err != nil {
		return models.Passkey{}, models.User{}, err
	}
	known, user, err := h.Store.PasskeyOwner(c.Request().Context(), credentialID, handle)
	if errors.Is(err, models.ErrNotFound) {
		known, user = models.Passkey{}, models.User{} // and no answer of it is good
	} else if err != nil {
		return known, models.User{}, err
	}
	used, err := h.answered(c, stepPasskeySignIn, "", []models.Passkey{known}, answer)
	return used, user, err
}

func (h *Handlers) passkeySecondOptions(c echo.Context) error {
	at, err := h.secondStepOf(c)
	if err != nil {
		return err
	}
	return h.challenge(c, stepPasskeySecond, at.user.ID, at.factors.Passkeys)
}

func (h *Handlers) passkeyProofOptions(c echo.Context) error {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return err
	}
	return h.challenge(c, stepPasskeyProof, actorOf(c).UserID, factors.Passkeys)
}

// passkeyProof is confirm with a passkey instead of the password.
func (h *Handlers) passkeyProof(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	user, err := h.Store.User(ctx, actor.UserID)
	if err != nil {
		return err
	}
	page, asked, err := h.confirmForm(c, user, fields.Get("next"), fields.Get("deed"))
	if err != nil {
		return err
	}
	gate := h.confirmGate(c, user)
	if wait := gate.enter(); wait > 0 {
		asked.PasskeyError = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.ConfirmIdentity(page, asked))
	}
	factors, err := h.Store.Factors(ctx, user.ID)
	if err == nil {
		var used models.Passkey
		if used, err = h.answered(c, stepPasskeyProof, user.ID, factors.Passkeys, fields.Get("credential")); err == nil {
			err = h.Store.UsePasskey(ctx, used)
		}
	}
	if errors.Is(err, secrets.ErrPasskey) || errors.Is(err, models.ErrNotFound) {
		asked.PasskeyError = views.PasskeyRefused
		return h.refuse(c, actor, models.AuditConfirmFailed, user, views.ConfirmIdentity(page, asked))
	}
	if err != nil {
		gate.leave()
		return err
	}
	gate.succeed()
	return h.confirmed(c, asked.Next, asked.Deed)
}
