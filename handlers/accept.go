package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// invitationPage shows what an invitation is to whoever holds its link.
func (h *Handlers) invitationPage(c echo.Context) error {
	code := c.QueryParam("code")
	open, err := h.Store.InvitationByCode(c.Request().Context(), secrets.Hash(models.NewSecret(code)))
	if err != nil {
		return h.invitationGone(c, err)
	}
	return showWithCode(c, http.StatusOK, views.Invitation(h.plainPage(c), views.NewInvitationView(open, code, actorOf(c), "", nil)))
}

// invitationGone answers one that is wrong, expired, used or cancelled: which of them is not said.
func (h *Handlers) invitationGone(c echo.Context, err error) error {
	if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	middleware.Annotate(c, "refused", "invitation does not work")
	return showWithCode(c, http.StatusNotFound, views.InvitationGone(h.plainPage(c)))
}

// acceptInvitation adds whoever is signed in as the invited address to the team, or makes
// their account. An account that exists has to sign in: the link is no proof of identity.
func (h *Handlers) acceptInvitation(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, code, actor := c.Request().Context(), fields.Get("code"), actorOf(c)
	hash := secrets.Hash(models.NewSecret(code))
	open, err := h.Store.InvitationByCode(ctx, hash)
	if err != nil {
		return h.invitationGone(c, err)
	}
	if actor.UserID != "" {
		return h.join(c, open, code)
	}
	typed := models.AccountInput{Name: fields.Get("name"), Email: open.Email, Password: models.NewSecret(fields.Get("password")), Team: open.TeamName}
	input, errs := checkAccount(typed)
	var user models.User
	if len(errs) == 0 {
		// The hash is made whether or not the address has an account: time tells nothing.
		passwordHash, err := h.Passwords.Hash(ctx, input.Password)
		if err != nil {
			return err
		}
		user, err = h.Store.AcceptInvitation(ctx, h.setupActor(c), hash, store.Account{Name: input.Name, PasswordHash: passwordHash})
		if errs, err = fieldErrors(err); err != nil {
			return h.invitationGone(c, err)
		}
	}
	if len(errs) > 0 {
		view := views.NewInvitationView(open, code, actor, typed.Name, errs)
		return showWithCode(c, http.StatusUnprocessableEntity, views.Invitation(h.plainPage(c), view))
	}
	return h.admit(c, user, passwordProof(user), views.ApplicationsPath)
}

// join is for whoever is signed in. Who is somebody else is told so.
func (h *Handlers) join(c echo.Context, open models.OpenInvitation, code string) error {
	actor := actorOf(c)
	view := views.NewInvitationView(open, code, actor, "", nil)
	if !view.Joins {
		return showWithCode(c, http.StatusForbidden, views.Invitation(h.plainPage(c), view))
	}
	_, err := h.Store.JoinTeam(c.Request().Context(), actor, sessionOf(c).IDHash, secrets.Hash(models.NewSecret(code)))
	errs, err := fieldErrors(err)
	if err != nil {
		return h.invitationGone(c, err)
	}
	if errs != nil {
		view := views.NewInvitationView(open, code, actor, "", errs)
		return showWithCode(c, http.StatusUnprocessableEntity, views.Invitation(h.plainPage(c), view))
	}
	return h.say(c, views.ApplicationsPath, flash{Text: "You are in " + open.TeamName + " now."})
}
