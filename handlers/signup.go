package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// signUpLimits slow down who makes many accounts, and who has one address sent many mails.
type signUpLimits struct{ addresses, mails *middleware.Limiter }

func newSignUpLimits(limiter middleware.Maker) signUpLimits {
	return signUpLimits{
		addresses: limiter("sign-ups: addresses", middleware.Policy{Free: 10, Window: time.Hour, Pause: doubling(time.Minute), Size: 1 << 14}),
		mails:     limiter("sign-ups: mails", middleware.Policy{Free: 3, Window: time.Hour, Size: 1 << 14}),
	}
}

// signUpOpen tells whether the page is there, or where to go instead.
func (h *Handlers) signUpOpen(c echo.Context) (elsewhere string, err error) {
	if !h.SignUp {
		return "", models.ErrNotFound
	}
	needed, err := h.needsSetup(c)
	switch {
	case err != nil:
		return "", err
	case needed:
		return views.SetupPath, nil
	case actorOf(c).UserID != "":
		return views.ApplicationsPath, nil
	}
	return "", nil
}

func (h *Handlers) signUpPage(c echo.Context) error {
	elsewhere, err := h.signUpOpen(c)
	switch {
	case err != nil:
		return err
	case elsewhere != "":
		return c.Redirect(http.StatusSeeOther, elsewhere)
	case c.QueryParam("sent") != "":
		return show(c, http.StatusOK, views.SignUpSent(h.plainPage(c)))
	}
	return show(c, http.StatusOK, views.SignUp(h.plainPage(c), views.NewSignUpForm(models.AccountInput{}, nil, h.outbox.Enabled())))
}

// signUp takes a new account. Each counts against its address, made or not.
func (h *Handlers) signUp(c echo.Context) error {
	elsewhere, err := h.signUpOpen(c)
	if err != nil {
		return err
	}
	if elsewhere != "" {
		return c.Redirect(http.StatusSeeOther, elsewhere)
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	typed, mailed := models.AccountInput{Name: fields.Get("name"), Email: fields.Get("email"), Team: fields.Get("team")}, h.outbox.Enabled()
	check := models.AccountInput.ValidateWithoutPassword
	if !mailed {
		typed.Password, check = models.NewSecret(fields.Get("password")), checkAccount
	}
	again := func(status int, problem string, errs models.FieldErrors) error {
		page := views.NewSignUpForm(typed, errs, mailed)
		page.Error = problem
		return show(c, status, views.SignUp(h.plainPage(c), page))
	}
	input, errs := check(typed)
	if len(errs) > 0 {
		return again(http.StatusUnprocessableEntity, "", errs)
	}
	if _, wait := h.signUps.addresses.Take(middleware.AddressKey(c.RealIP())); wait > 0 {
		return again(slowDown(c, wait), views.TooManyAttempts(wait), nil)
	}
	if mailed {
		return h.mailSignUp(c, input)
	}
	hash, err := h.Passwords.Hash(c.Request().Context(), input.Password)
	if err != nil {
		return err
	}
	return h.makeAccount(c, input, hash, func() error {
		return again(http.StatusUnprocessableEntity, "", models.FieldErrors{"email": views.EmailTaken})
	})
}

// makeAccount makes the account and signs it in. taken answers for an address that has one.
func (h *Handlers) makeAccount(c echo.Context, input models.AccountInput, hash string, taken func() error) error {
	account := store.Account{Name: input.Name, Email: input.Email, PasswordHash: hash, Team: input.Team}
	user, err := h.Store.SignUp(c.Request().Context(), h.setupActor(c), account)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		middleware.Annotate(c, "refused", "email has an account")
		return taken()
	}
	return h.admit(c, user, passwordProof(user), views.ApplicationsPath)
}
