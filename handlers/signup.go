package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

const (
	ceremonySignUp models.CeremonyKind = "sign-up"
	signUpLife                         = time.Hour
)

// signUpLimits slow down who makes many accounts, and who has one address sent many mails.
type signUpLimits struct{ addresses, mails *middleware.Limiter }

func newSignUpLimits(now func() time.Time) signUpLimits {
	return signUpLimits{
		addresses: middleware.NewLimiter(middleware.Policy{Free: 10, Window: time.Hour, Pause: doubling(time.Minute), Size: 1 << 14}, now),
		mails:     middleware.NewLimiter(middleware.Policy{Free: 3, Window: time.Hour, Size: 1 << 14}, now),
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
	return show(c, http.StatusOK, views.SignUp(h.plainPage(c), views.NewSignUpForm(models.AccountInput{}, nil)))
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
	typed := models.AccountInput{Name: fields.Get("name"), Email: fields.Get("email"), Password: models.NewSecret(fields.Get("password")), Team: fields.Get("team")}
	input, errs := checkAccount(typed)
	if len(errs) > 0 {
		return show(c, http.StatusUnprocessableEntity, views.SignUp(h.plainPage(c), views.NewSignUpForm(typed, errs)))
	}
	if _, wait := h.signUps.addresses.Take(middleware.AddressKey(c.RealIP())); wait > 0 {
		page := views.NewSignUpForm(typed, nil)
		page.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.SignUp(h.plainPage(c), page))
	}
	hash, err := h.Passwords.Hash(c.Request().Context(), input.Password)
	if err != nil {
		return err
	}
	account := store.Account{Name: input.Name, Email: input.Email, PasswordHash: hash, Team: input.Team}
	if h.outbox.Enabled() {
		return h.mailSignUp(c, account)
	}
	return h.finish(c, account, func() error {
		page := views.NewSignUpForm(typed, models.FieldErrors{"email": views.EmailTaken})
		return show(c, http.StatusUnprocessableEntity, views.SignUp(h.plainPage(c), page))
	})
}

// finish makes the account and signs it in. taken answers for an address that has one.
func (h *Handlers) finish(c echo.Context, account store.Account, taken func() error) error {
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

// mailSignUp answers and does the same whether or not the address has an account; what
// differs is only in the mail, which its owner alone reads.
func (h *Handlers) mailSignUp(c echo.Context, account store.Account) error {
	ctx, code := c.Request().Context(), secrets.Code()
	data, err := json.Marshal(account)
	if err != nil {
		return fmt.Errorf("keeping a sign-up: %w", err)
	}
	ceremony := models.Ceremony{IDHash: secrets.Hash(code), Kind: ceremonySignUp, Data: string(data)}
	if err := h.Store.BeginCeremony(ctx, ceremony, signUpLife); err != nil {
		return err
	}
	_, err = h.Store.UserByEmail(ctx, account.Email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if _, wait := h.signUps.mails.Take(models.EmailKey(account.Email)); wait == 0 {
		h.outbox.Send(h.signUpMail(account.Email, code, err == nil))
	}
	return c.Redirect(http.StatusSeeOther, views.SignUpPath+"?sent=1")
}

func (h *Handlers) signUpMail(to string, code models.Secret, exists bool) mail.Message {
	text := "To make your account in Latchkey, open this link. It works once, for an hour:\n\n" + h.linkTo(views.OpenSignUpPath, code).Reveal() +
		"\n\nIf it was not you who asked for it, do nothing. No account is made without the link.\n"
	if exists {
		text = "Someone, probably you, asked for a new account in Latchkey with this address. It has one already, and nothing was changed. Sign in here:\n\n" +
			h.BaseURL + views.LoginPath + "\n"
	}
	return mail.Message{To: to, Subject: "Your Latchkey account", Text: models.NewSecret(text)}
}

func (h *Handlers) finishSignUpPage(c echo.Context) error {
	if !h.SignUp {
		return models.ErrNotFound
	}
	code := c.QueryParam("code")
	_, err := h.Store.Ceremony(c.Request().Context(), secrets.Hash(models.NewSecret(code)), ceremonySignUp)
	if err != nil {
		return h.signUpGone(c, err)
	}
	return showWithCode(c, http.StatusOK, views.FinishSignUp(h.plainPage(c), code))
}

func (h *Handlers) finishSignUp(c echo.Context) error {
	if !h.SignUp {
		return models.ErrNotFound
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	ceremony, err := h.Store.FinishCeremony(c.Request().Context(), secrets.Hash(models.NewSecret(fields.Get("code"))), ceremonySignUp)
	if err != nil {
		return h.signUpGone(c, err)
	}
	var account store.Account
	if err := json.Unmarshal([]byte(ceremony.Data), &account); err != nil {
		return fmt.Errorf("reading a sign-up: %w", err)
	}
	return h.finish(c, account, func() error { return h.signUpGone(c, models.ErrNotFound) })
}

func (h *Handlers) signUpGone(c echo.Context, err error) error {
	if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	middleware.Annotate(c, "refused", "sign-up link does not work")
	return showWithCode(c, http.StatusNotFound, views.SignUpGone(h.plainPage(c)))
}
