package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// emailLinkFor is how long the link in a mail to a new address works.
const emailLinkFor = time.Hour

// changeEmail asks the new address by mail or, where there is no mail, changes it at once.
func (h *Handlers) changeEmail(c echo.Context) error {
	fields, user, err := h.ownForm(c)
	if err != nil {
		return err
	}
	again := func(status int, errs models.FieldErrors) error {
		return h.profileAgain(c, status, user, views.ProfileTyped{Form: views.FormEmail, Value: fields("email"), Errs: errs})
	}
	email, problem := models.CheckEmail(fields("email"))
	if problem == "" && email == user.Email {
		problem = "This is your email already. Enter another one."
	}
	if problem != "" {
		return again(http.StatusUnprocessableEntity, models.FieldErrors{"email": problem})
	}
	ok, err := h.proven(c, &user, models.NewSecret(fields("password")), func(status int, problem string) error {
		return again(status, models.FieldErrors{"password": problem})
	})
	if err != nil || !ok {
		return err
	}
	// Neither other people's mailboxes nor the list of accounts are there to be tried.
	if _, wait := h.newEmails.Take(user.ID); wait > 0 {
		return again(slowDown(c, wait), models.FieldErrors{"email": views.TooManyAttempts(wait)})
	}
	if h.outbox.Enabled() {
		return h.askEmail(c, user, email)
	}
	err = h.renewProven(c, user, func(renewal store.Renewal) error {
		return h.Store.ChangeEmail(c.Request().Context(), actorOf(c), user.PasswordHash, email, renewal)
	})
	if errs, _ := fieldErrors(err); errs != nil {
		return again(http.StatusUnprocessableEntity, errs)
	}
	return h.emailChanged(c, user, email, err)
}

// askEmail sends the link, or for an address of another account a word to its owner. The
// page says the same (S12).
func (h *Handlers) askEmail(c echo.Context, user models.User, email string) error {
	ctx := c.Request().Context()
	taken, err := h.Store.EmailTaken(ctx, user.ID, email)
	if err != nil {
		return err
	}
	code := secrets.Code()
	if err := h.Store.AskEmail(ctx, actorOf(c), user.PasswordHash, email, secrets.Hash(code), emailLinkFor); err != nil {
		return err
	}
	text := "Somebody asked to sign in to Latchkey at " + h.BaseURL + " with this address. "
	if taken {
		text += "There is an account with it already, so nothing was changed.\n"
	} else {
		text += "If that was you, open this link in the browser in which you are signed in. It works once, within 1 hour:\n" +
			h.BaseURL + views.ConfirmEmailPath + "?code=" + url.QueryEscape(code.Reveal()) + "\n\nIf it was not you, do nothing.\n"
	}
	h.outbox.Send(mail.Message{To: email, Subject: "Confirm your new email", Text: models.NewSecret(text)})
	h.notify(user, "A new email was asked for", "A new email was asked for your account: "+email+". It takes effect once the link that was sent there is opened.\n\n"+h.whereAndWhen(c, user))
	return h.say(c, views.ProfilePath, flash{Text: "A link was sent to " + email + ". Your email changes once you open it, within 1 hour."})
}

// confirmEmailPage is where the link leads. Mail programs open links on their own, so it
// changes nothing.
func (h *Handlers) confirmEmailPage(c echo.Context) error {
	code := models.NewSecret(c.QueryParam("code"))
	waiting, err := h.Store.Ceremony(c.Request().Context(), secrets.Hash(code), models.CeremonyEmail)
	if err == nil && waiting.UserID != actorOf(c).UserID {
		err = models.ErrNotFound
	}
	if errors.Is(err, models.ErrNotFound) {
		return showWithCode(c, http.StatusNotFound, views.EmailLinkOver(h.plainPage(c)))
	}
	if err != nil {
		return err
	}
	return showWithCode(c, http.StatusOK, views.ConfirmEmailPage(h.plainPage(c), views.NewConfirmEmail(actorOf(c).Email, waiting.Data, code)))
}

func (h *Handlers) confirmEmail(c echo.Context) error {
	fields, user, err := h.ownForm(c)
	if err != nil {
		return err
	}
	ctx, code := c.Request().Context(), secrets.Hash(models.NewSecret(fields("code")))
	waiting, err := h.Store.Ceremony(ctx, code, models.CeremonyEmail)
	if err == nil {
		err = h.renew(c, func(renewal *store.Renewal) error { return h.Store.ConfirmEmail(ctx, actorOf(c), code, *renewal) })
	}
	if errs, _ := fieldErrors(err); errs != nil {
		return h.say(c, views.ProfilePath, flash{Tone: "danger", Text: errs["email"] + " Your email was not changed."})
	}
	if errors.Is(err, models.ErrNotFound) {
		return showWithCode(c, http.StatusNotFound, views.EmailLinkOver(h.plainPage(c)))
	}
	return h.emailChanged(c, user, waiting.Data, err)
}

// emailChanged tells the address that was, and the page.
func (h *Handlers) emailChanged(c echo.Context, before models.User, email string, err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return h.toLogin(c) // the session ended while the password was checked
	}
	if err != nil {
		return err
	}
	h.notify(before, "Your email was changed", "The email of your account was changed to "+email+", and all other sessions were ended.\n\n"+h.whereAndWhen(c, before))
	return h.say(c, views.ProfilePath, flash{Text: "You sign in as " + email + " from now on. All your other sessions were ended."})
}
