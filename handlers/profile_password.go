package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// changePassword sets a new password and ends every other session.
func (h *Handlers) changePassword(c echo.Context) error {
	fields, user, err := h.ownForm(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	again := func(status int, field, problem string) error {
		return h.profileAgain(c, status, user, views.ProfileTyped{Form: views.FormPassword, Errs: models.FieldErrors{field: problem}})
	}
	current, password := models.NewSecret(fields(views.FieldCurrent)), models.NewSecret(fields(views.FieldNewPassword))
	if problem := secrets.CheckPassword(password, user.Name, user.Email, actor.TeamName); problem != "" {
		return again(http.StatusUnprocessableEntity, views.FieldNewPassword, problem)
	}
	ok, err := h.proven(c, &user, current, func(status int, problem string) error { return again(status, views.FieldCurrent, problem) })
	if err != nil || !ok {
		return err
	}
	if user.PasswordHash != "" && password.Reveal() == current.Reveal() {
		return again(http.StatusUnprocessableEntity, views.FieldNewPassword, "This is your password already. Choose another one.")
	}
	hash, err := h.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	err = h.renewProven(c, user, func(renewal store.Renewal) error {
		return h.Store.ChangePassword(ctx, actor, user.PasswordHash, hash, renewal)
	})
	if errors.Is(err, models.ErrNotFound) {
		return h.toLogin(c) // the session ended while the password was checked
	}
	if err != nil {
		return err
	}
	h.notify(user, "Your password was changed", "The password of your account was changed, and all other sessions were ended.\n\n"+h.whereAndWhen(c, user))
	return h.say(c, views.ProfilePath, flash{Text: "Your password was changed. All your other sessions were ended."})
}

// renewProven renews the session of somebody who has just given their password, where
// they have one.
func (h *Handlers) renewProven(c echo.Context, user models.User, save func(renewal store.Renewal) error) error {
	return h.renew(c, func(renewal *store.Renewal) error {
		if user.PasswordHash != "" {
			renewal.Session.ProvenAt = h.now()
		}
		return save(*renewal)
	})
}
