package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) home(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, views.ApplicationsPath)
}

func (h *Handlers) loginPage(c echo.Context) error {
	needed, err := h.needsSetup(c)
	if err != nil {
		return err
	}
	if needed {
		return c.Redirect(http.StatusSeeOther, views.SetupPath)
	}
	next := localPath(c.QueryParam("next"))
	if actorOf(c).UserID != "" {
		return c.Redirect(http.StatusSeeOther, next)
	}
	page := h.loginForm("", next)
	if next == views.ProviderLinkPath && h.Provider != nil {
		page.Notice, page.Provider = views.LinkFirst(h.Provider.Name), views.ProviderSignIn{}
	} else if h.sessions.hasCookie(c.Request()) {
		page.Notice = views.SignedOut
	}
	return show(c, http.StatusOK, views.Login(h.plainPage(c), page))
}

func (h *Handlers) loginForm(email, next string) views.LoginForm {
	return views.LoginForm{
		Email: email, Next: next, Passkeys: h.passkeys.Available(), Provider: h.providerButton(next, ""), SignUp: h.SignUp, Mails: h.Mail.Enabled(),
	}
}

// login answers the same text, status and work for an unknown email, a wrong
// password and a disabled user.
func (h *Handlers) login(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	page := h.loginForm(fields.Get("email"), localPath(fields.Get("next")))
	user, err := h.Store.UserByEmail(c.Request().Context(), page.Email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	gate, err := h.gateFor(c, user, page.Email)
	if err != nil {
		return err
	}
	if wait := gate.enter(); wait > 0 {
		page.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.Login(h.plainPage(c), page))
	}
	hash := user.PasswordHash
	if !user.DisabledAt.IsZero() {
		hash = ""
	}
	ok, err := h.proves(c, &user, hash, models.NewSecret(fields.Get("password")))
	if err != nil {
		gate.leave()
		return err
	}
	if !ok {
		page.Error = views.WrongCredentials
		return h.refuse(c, h.stranger(c), models.AuditSignInFailed, user, views.Login(h.plainPage(c), page))
	}
	gate.succeed()
	return h.admit(c, user, passwordProof(user), page.Next)
}

// refuse records a wrong password of an account that exists and shows the form again.
func (h *Handlers) refuse(c echo.Context, actor models.Actor, action models.AuditAction, user models.User, form templ.Component) error {
	middleware.Annotate(c, "refused", "wrong email or password")
	ctx := c.Request().Context()
	var err error
	if user.ID == "" {
		err = h.Store.CheckWritable(ctx) // the same work, so that time tells nothing
	} else {
		err = h.Store.ProofFailed(ctx, actor, action, user)
	}
	if err != nil {
		return err
	}
	return show(c, http.StatusUnprocessableEntity, form)
}

// proves checks a password and raises the hash to today's parameters.
func (h *Handlers) proves(c echo.Context, user *models.User, hash string, password models.Secret) (bool, error) {
	ctx := c.Request().Context()
	ok, err := h.Passwords.Verify(ctx, hash, password)
	if err != nil || !ok || !h.Passwords.NeedsRehash(hash) {
		return ok && err == nil, err
	}
	better, err := h.Passwords.Hash(ctx, password)
	if err != nil {
		return false, err
	}
	user.PasswordHash = better
	return true, h.Store.UpgradePasswordHash(ctx, user.ID, hash, better)
}

// stranger is the actor of those who are not signed in.
func (h *Handlers) stranger(c echo.Context) models.Actor {
	return models.Actor{UserName: "Unknown", Address: c.RealIP(), UserAgent: middleware.UserAgent(c), RequestID: middleware.ID(c)}
}

func passwordProof(user models.User) models.Proof {
	return models.Proof{UserID: user.ID, Method: models.ByPassword, PasswordHash: user.PasswordHash}
}

// claimant is the actor of somebody who proves to be user.
func (h *Handlers) claimant(c echo.Context, user models.User) models.Actor {
	actor := h.stranger(c)
	actor.UserID, actor.UserName = user.ID, user.Name
	return actor
}

// admit is the one gate behind every way in: whoever has proved to be user gets a
// session and goes on to next, a path on this site. Where the user has a second factor
// and it is no part of the proof, it is asked for first.
func (h *Handlers) admit(c echo.Context, user models.User, proof models.Proof, next string) error {
	if user.SecondFactor && proof.Factor.Kind == "" {
		return h.askSecond(c, user, proof, next)
	}
	ctx, actor := c.Request().Context(), h.claimant(c, user)
	err := h.begin(c, models.Session{UserID: user.ID}, func(session models.Session, before, browser []byte) error {
		var err error
		if proof.NewBrowser, err = h.Store.NewBrowser(ctx, user.ID, browser); err != nil {
			return err
		}
		return h.Store.SignIn(ctx, actor, session, proof, before, browser)
	})
	if err != nil {
		return err
	}
	if proof.NewBrowser {
		h.notify(user, "New sign-in to your account", "Somebody signed in to your account in a browser that was not used for it before:\n\n"+h.whereAndWhen(c, user))
	}
	return c.Redirect(http.StatusSeeOther, next)
}

func (h *Handlers) logout(c echo.Context) error {
	if session := sessionOf(c); session.UserID != "" {
		if err := h.Store.SignOut(c.Request().Context(), actorOf(c), session.IDHash); err != nil {
			return err
		}
	}
	if err := h.dropCookie(c); err != nil {
		return err
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	next := views.LoginPath
	if asked := c.FormValue("next"); asked != "" {
		next = localPath(asked)
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// slowDown sets Retry-After and returns the status that goes with it.
func slowDown(c echo.Context, wait time.Duration) int {
	middleware.Annotate(c, "refused", "too many attempts")
	seconds := (wait + time.Second - 1) / time.Second
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(seconds)))
	return http.StatusTooManyRequests
}
