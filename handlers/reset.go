package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// newResetLimits bounds how many links are asked for, of one account and from one
// address. Accounts that exist have counters of their own, as in sign-in.
func newResetLimits(limiter middleware.Maker) signInLimits {
	account := func(name string, size int) accountLimits {
		return accountLimits{
			fromOneAddress: limiter("resets: "+name+" from one address", middleware.Policy{Free: 3, Window: time.Hour, Size: size}),
			fromAnywhere:   limiter("resets: "+name, middleware.Policy{Free: 10, Window: time.Hour, Size: size}),
		}
	}
	return signInLimits{
		accounts: account("accounts", 1<<16), strangers: account("strangers", 1<<14),
		addresses: limiter("resets: addresses", middleware.Policy{Free: 20, Window: time.Hour, Size: 1 << 16}),
	}
}

func (h *Handlers) resetGate(c echo.Context, user models.User, email string) signInGate {
	limits, account := h.resets.accounts, user.ID
	if user.ID == "" {
		limits, account = h.resets.strangers, models.EmailKey(email)
	}
	address := middleware.AddressKey(c.RealIP())
	return signInGate{
		{limiter: limits.fromOneAddress, key: account + " from " + address},
		{limiter: limits.fromAnywhere, key: account},
		{limiter: h.resets.addresses, key: address},
	}
}

func (h *Handlers) forgotPage(c echo.Context) error {
	if !h.Mail.Enabled() {
		return models.ErrNotFound
	}
	return show(c, http.StatusOK, views.Forgot(h.plainPage(c), views.ForgotForm{}))
}

// forgot mails a link. Its answer, status and work are the same whether or not there
// is such an account.
func (h *Handlers) forgot(c echo.Context) error {
	if !h.Mail.Enabled() {
		return models.ErrNotFound
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	page := views.ForgotForm{Email: fields.Get("email")}
	email, problem := models.ParseEmail(page.Email)
	if problem != "" {
		page.EmailError = problem
		return show(c, http.StatusUnprocessableEntity, views.Forgot(h.plainPage(c), page))
	}
	ctx := c.Request().Context()
	user, err := h.Store.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if wait := h.resetGate(c, user, email).enter(); wait > 0 {
		page.Error = views.TooManyAttempts(wait)
		return show(c, slowDown(c, wait), views.Forgot(h.plainPage(c), page))
	}
	code := secrets.Code()
	hash := secrets.Hash(code)
	if user.ID == "" || !user.DisabledAt.IsZero() {
		err = h.Store.CheckWritable(ctx) // the same work, so that time tells nothing
	} else {
		err = h.Store.AskForResetLink(ctx, h.stranger(c), user, hash)
	}
	if err != nil {
		return err
	}
	if user.ID != "" && user.DisabledAt.IsZero() {
		h.mailResetLink(user.Name, user.Email, code, models.ResetLinkLives)
	}
	return show(c, http.StatusOK, views.ForgotSent(h.plainPage(c), email))
}

// resetLink is the address to open, from the base address alone.
func (h *Handlers) resetLink(code models.Secret) models.Secret {
	return models.NewSecret(h.BaseURL + views.ResetLinkPath(code.Reveal()))
}

func (h *Handlers) mailResetLink(name, email string, code models.Secret, lives time.Duration) {
	text := views.PasswordMail(name, h.resetLink(code), h.now().Add(lives), h.BaseURL)
	h.outbox.Send(mail.Message{To: email, Subject: "Set your Latchkey password", Text: text})
}

// resetPage shows the form and does not use the link up: programs that look at mail
// open links too.
func (h *Handlers) resetPage(c echo.Context) error {
	user, _, err := h.Store.ResetLink(c.Request().Context(), resetHash(c))
	if errors.Is(err, models.ErrNotFound) {
		return h.resetGone(c)
	}
	if err != nil {
		return err
	}
	return showWithCode(c, http.StatusOK, views.Reset(h.plainPage(c), resetForm(c, user, "")))
}

// reset sets the password, ends all sessions and goes through the same gate as every
// way in: a second factor is asked for there.
func (h *Handlers) reset(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, hash := c.Request().Context(), resetHash(c)
	user, teams, err := h.Store.ResetLink(ctx, hash)
	if errors.Is(err, models.ErrNotFound) {
		return h.resetGone(c)
	}
	if err != nil {
		return err
	}
	password := models.NewSecret(fields.Get("password"))
	problem := models.CheckPasswordLength(password)
	if problem == "" {
		problem = secrets.CheckPassword(password, append(teams, user.Name, user.Email)...)
	}
	if problem != "" {
		return showWithCode(c, http.StatusUnprocessableEntity, views.Reset(h.plainPage(c), resetForm(c, user, problem)))
	}
	passwordHash, err := h.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	first := user.PasswordHash == "" && user.LastSeenAt.IsZero()
	user, err = h.Store.ResetPassword(ctx, h.stranger(c), hash, passwordHash)
	if errors.Is(err, models.ErrNotFound) {
		return h.resetGone(c)
	}
	if err != nil {
		return err
	}
	if !first {
		h.notify(user, "Your password was changed", "The password of your account was set by a link, and all its sessions were ended.\n\n"+h.whereAndWhen(c, user))
	}
	return h.admit(c, user, models.Proof{UserID: user.ID, Method: models.ByLink}, views.ApplicationsPath)
}

func resetHash(c echo.Context) []byte { return secrets.Hash(models.NewSecret(c.QueryParam("code"))) }

func resetForm(c echo.Context, user models.User, problem string) views.ResetForm {
	return views.ResetForm{Name: user.Name, Email: user.Email, Action: views.ResetLinkPath(c.QueryParam("code")), PasswordError: problem}
}

func (h *Handlers) resetGone(c echo.Context) error {
	middleware.Annotate(c, "refused", "link does not work")
	return showWithCode(c, http.StatusNotFound, views.ResetGone(h.plainPage(c), h.Mail.Enabled()))
}
