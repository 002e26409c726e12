package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// pendingSignIn is a first proof that waits for the second factor.
type pendingSignIn struct {
	Method models.SignInMethod `json:"method"`
	// Password is the SHA-256 of the hash that a password was compared with.
	Password []byte `json:"password"`
	// At is when the proof was given, as in models.Proof.
	At   models.Time `json:"at"`
	Next string      `json:"next"`
}

// secondStep is a pendingSignIn with whose it is.
type secondStep struct {
	pendingSignIn
	user    models.User
	factors models.Factors
}

func digestOf(passwordHash string) []byte { return secrets.Hash(models.NewSecret(passwordHash)) }

// askSecond keeps the first proof and asks for the second factor. Nobody is signed in yet.
func (h *Handlers) askSecond(c echo.Context, user models.User, proof models.Proof, next string) error {
	pending := pendingSignIn{Method: proof.Method, Password: digestOf(proof.PasswordHash), At: proof.At, Next: next}
	if err := h.beginStep(c, stepSecondFactor, user.ID, pending); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, views.SecondStepPath)
}

// secondStepOf finds the first proof of this browser. Where it does not hold any more, or
// no factor is left to ask for, it returns models.ErrNotFound.
func (h *Handlers) secondStepOf(c echo.Context) (secondStep, error) {
	var at secondStep
	ceremony, err := h.readStep(c, stepSecondFactor, &at.pendingSignIn)
	if err != nil {
		return at, err
	}
	ctx := c.Request().Context()
	if at.user, err = h.Store.User(ctx, ceremony.UserID); err != nil {
		return at, err
	}
	changed := at.Method == models.ByPassword && !secrets.Equal(digestOf(at.user.PasswordHash), at.Password)
	if changed || !at.user.DisabledAt.IsZero() {
		return at, models.ErrNotFound
	}
	if at.factors, err = h.Store.Factors(ctx, at.user.ID); err == nil && !at.factors.Any() {
		err = models.ErrNotFound
	}
	return at, err
}

func (h *Handlers) secondStepPage(c echo.Context) error {
	at, err := h.secondStepOf(c)
	if errors.Is(err, models.ErrNotFound) {
		return c.Redirect(http.StatusSeeOther, views.LoginPath)
	}
	if err != nil {
		return err
	}
	page := views.NewSecondStepForm(at.factors, h.passkeys.Available(), c.QueryParam("use"))
	return show(c, http.StatusOK, views.SecondStep(h.plainPage(c), page))
}

// secondStep takes the second factor and signs in.
func (h *Handlers) secondStep(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	at, err := h.secondStepOf(c)
	if errors.Is(err, models.ErrNotFound) {
		return h.signInAgain(c)
	}
	if err != nil {
		return err
	}
	gate, err := h.secondGate(c, at.user)
	if err != nil {
		return err
	}
	if wait := gate.enter(); wait > 0 {
		return h.secondStepAgain(c, at, fields, slowDown(c, wait), views.TooManyAttempts(wait))
	}
	used, problem, err := h.weigh(c, at, fields)
	if err != nil {
		gate.leave()
		return err
	}
	if problem != "" {
		if err := h.secondFailed(c, at.user); err != nil {
			return err
		}
		return h.secondStepAgain(c, at, fields, http.StatusUnprocessableEntity, problem)
	}
	gate.succeed()
	return h.completeSignIn(c, at, used)
}

// completeSignIn uses the first proof up. Whatever changed since it was given ends here
// or, at the same moment, in the store.
func (h *Handlers) completeSignIn(c echo.Context, at secondStep, used models.Evidence) error {
	_, err := h.finishStep(c, stepSecondFactor, &pendingSignIn{})
	if err == nil {
		err = h.dropStep(c, stepSecondFactor)
	}
	if err == nil {
		proof := models.Proof{UserID: at.user.ID, Method: at.Method, PasswordHash: at.user.PasswordHash, At: at.At, Factor: used}
		err = h.admit(c, at.user, proof, at.Next)
	}
	if errors.Is(err, models.ErrNotFound) {
		return h.signInAgain(c)
	}
	return err
}

func (h *Handlers) secondStepAgain(c echo.Context, at secondStep, fields url.Values, status int, problem string) error {
	page := views.NewSecondStepForm(at.factors, h.passkeys.Available(), fields.Get("use"))
	if fields.Has("credential") {
		page.PasskeyError = problem
	} else {
		page.Error = problem
	}
	return show(c, status, views.SecondStep(h.plainPage(c), page))
}

// signInAgain shows the sign-in page to somebody whose first proof is not good any more.
func (h *Handlers) signInAgain(c echo.Context) error {
	if err := h.dropStep(c, stepSecondFactor); err != nil {
		return err
	}
	page := h.loginForm("", views.ApplicationsPath)
	page.Error = views.SignInAgain
	return show(c, http.StatusUnprocessableEntity, views.Login(h.plainPage(c), page))
}

// secondFailed records that somebody who passed the first step failed the second.
func (h *Handlers) secondFailed(c echo.Context, user models.User) error {
	middleware.Annotate(c, "refused", "wrong second factor")
	if _, wait := h.factorWarnings.Take(user.ID); wait == 0 {
		h.tellOfFactor(c, user, "Somebody signed in with your password and then gave a wrong second factor")
	}
	return h.Store.ProofFailed(c.Request().Context(), h.stranger(c), models.AuditSecondFactorFailed, user)
}

// weigh looks at what was given as the second factor. problem is the sentence to show
// where it is not good.
func (h *Handlers) weigh(c echo.Context, at secondStep, fields url.Values) (used models.Evidence, problem string, err error) {
	switch {
	case fields.Has("credential"):
		passkey, err := h.answered(c, stepPasskeySecond, at.user.ID, at.factors.Passkeys, fields.Get("credential"))
		if errors.Is(err, secrets.ErrPasskey) {
			return used, views.PasskeyRefused, nil
		}
		return models.Evidence{Kind: models.FactorPasskey, Passkey: passkey}, "", err
	case fields.Get("use") == views.UseRecovery:
		return h.weighRecoveryCode(c, at.user, models.NewSecret(fields.Get("recovery")))
	case at.factors.Authenticator == nil:
		return used, views.WrongCode, nil
	}
	return h.weighCode(*at.factors.Authenticator, models.NewSecret(fields.Get("code")))
}

func (h *Handlers) weighCode(app models.Authenticator, code models.Secret) (used models.Evidence, problem string, err error) {
	seed, err := h.Keys.Open(app.Sealed, authenticatorPlace(app.UserID))
	if err != nil {
		return used, "", err
	}
	at, ok := secrets.CodeStep(seed, code, h.now())
	switch {
	case !ok:
		return used, views.WrongCode, nil
	case at <= app.LastStep:
		return used, views.UsedCode, nil
	}
	return models.Evidence{Kind: models.FactorAuthenticator, Step: at}, "", nil
}

// weighRecoveryCode spends the code where it is good. The work is that of one
// password, whatever was typed.
func (h *Handlers) weighRecoveryCode(c echo.Context, user models.User, typed models.Secret) (used models.Evidence, problem string, err error) {
	ctx := c.Request().Context()
	hash := ""
	number, code, ok := secrets.ReadRecoveryCode(typed)
	if ok {
		if hash, err = h.Store.RecoveryCodeHash(ctx, user.ID, number); err != nil {
			return used, "", err
		}
	}
	if ok, err = h.Passwords.Verify(ctx, hash, code); err != nil {
		return used, "", err
	}
	if !ok {
		return used, views.WrongRecovery, nil
	}
	left, err := h.Store.UseRecoveryCode(ctx, h.claimant(c, user), user, number, hash)
	if errors.Is(err, models.ErrNotFound) {
		return used, views.WrongRecovery, nil
	}
	if err != nil {
		return used, "", err
	}
	h.tellOfFactor(c, user, "A recovery code of yours was used to sign in. You have "+models.Count(left, "code")+" left")
	return models.Evidence{Kind: models.FactorRecoveryCode, Code: number, CodeHash: hash}, "", nil
}
