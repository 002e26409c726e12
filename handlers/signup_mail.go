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
	"github.com/latchkey/latchkey/views"
)

const signUpLife = time.Hour

// mailedSignUp is what waits for the link. It holds no password: whoever filled in the
// form need not be the owner of the address, who alone sets one.
type mailedSignUp struct{ Name, Email, Team string }

// mailSignUp answers and does the same whether or not the address has an account; what
// differs is only in the mail, which its owner alone reads.
func (h *Handlers) mailSignUp(c echo.Context, input models.AccountInput) error {
	ctx, code := c.Request().Context(), secrets.Code()
	data, err := json.Marshal(mailedSignUp{Name: input.Name, Email: input.Email, Team: input.Team})
	if err != nil {
		return fmt.Errorf("keeping a sign-up: %w", err)
	}
	ceremony := models.Ceremony{IDHash: secrets.Hash(code), Kind: models.CeremonySignUp, Data: string(data)}
	if err := h.Store.BeginCeremony(ctx, ceremony, signUpLife); err != nil {
		return err
	}
	_, err = h.Store.UserByEmail(ctx, input.Email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if _, wait := h.signUps.mails.Take(models.EmailKey(input.Email)); wait == 0 {
		h.outbox.Send(h.signUpMail(input.Email, code, err == nil))
	}
	return c.Redirect(http.StatusSeeOther, views.SignUpPath+"?sent=1")
}

func (h *Handlers) signUpMail(to string, code models.Secret, exists bool) mail.Message {
	text := "To make your account in Latchkey, open this link and choose a password. It works once, for an hour:\n\n" + h.linkTo(views.OpenSignUpPath, code).Reveal() +
		"\n\nIf it was not you who asked for it, do nothing. No account is made without the link.\n"
	if exists {
		text = "Someone, probably you, asked for a new account in Latchkey with this address. It has one already, and nothing was changed. Sign in here:\n\n" +
			h.BaseURL + views.LoginPath + "\n"
	}
	return mail.Message{To: to, Subject: "Your Latchkey account", Text: models.NewSecret(text)}
}

// signUpBehind reads what waits for the link with code, and does not use the link up.
func (h *Handlers) signUpBehind(c echo.Context, code string) (models.AccountInput, error) {
	ceremony, err := h.Store.Ceremony(c.Request().Context(), secrets.Hash(models.NewSecret(code)), models.CeremonySignUp)
	if err != nil {
		return models.AccountInput{}, err
	}
	var waiting mailedSignUp
	if err := json.Unmarshal([]byte(ceremony.Data), &waiting); err != nil {
		return models.AccountInput{}, fmt.Errorf("reading a sign-up: %w", err)
	}
	return models.AccountInput{Name: waiting.Name, Email: waiting.Email, Team: waiting.Team}, nil
}

func (h *Handlers) finishSignUpPage(c echo.Context) error {
	if !h.SignUp {
		return models.ErrNotFound
	}
	code := c.QueryParam("code")
	input, err := h.signUpBehind(c, code)
	if err != nil {
		return h.signUpGone(c, err)
	}
	return showWithCode(c, http.StatusOK, views.FinishSignUp(h.plainPage(c), views.NewFinishSignUpForm(code, input, "")))
}

// finishSignUp makes the account with the password of whoever holds the link. Only a
// password that the rules allow uses the link up.
func (h *Handlers) finishSignUp(c echo.Context) error {
	if !h.SignUp {
		return models.ErrNotFound
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, code := c.Request().Context(), fields.Get("code")
	input, err := h.signUpBehind(c, code)
	if err != nil {
		return h.signUpGone(c, err)
	}
	input.Password = models.NewSecret(fields.Get("password"))
	if problem := secrets.CheckPassword(input.Password, input.Name, input.Email, input.Team); problem != "" {
		return showWithCode(c, http.StatusUnprocessableEntity, views.FinishSignUp(h.plainPage(c), views.NewFinishSignUpForm(code, input, problem)))
	}
	hash, err := h.Passwords.Hash(ctx, input.Password)
	if err != nil {
		return err
	}
	if _, err := h.Store.FinishCeremony(ctx, secrets.Hash(models.NewSecret(code)), models.CeremonySignUp); err != nil {
		return h.signUpGone(c, err)
	}
	return h.makeAccount(c, input, hash, func() error { return h.signUpGone(c, models.ErrNotFound) })
}

func (h *Handlers) signUpGone(c echo.Context, err error) error {
	if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	middleware.Annotate(c, "refused", "sign-up link does not work")
	return showWithCode(c, http.StatusNotFound, views.SignUpGone(h.plainPage(c)))
}
