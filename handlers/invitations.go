package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) invitePage(c echo.Context) error {
	page := views.NewInviteForm(models.InvitationInput{}, nil, newOnce(), h.outbox.Enabled())
	return show(c, http.StatusOK, views.InviteMember(h.plainPage(c), page))
}

// invite stores an invitation and mails its link, where mail goes out at all.
func (h *Handlers) invite(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	typed := models.InvitationInput{Email: fields.Get("email"), Role: fields.Get("role")}
	invitation, err := typed.Validate()
	code := secrets.Code()
	id := ""
	if err == nil {
		if _, wait := h.invitations.Take(actorOf(c).TeamID); wait > 0 {
			return echo.NewHTTPError(slowDown(c, wait))
		}
		id, err = h.storeInvitation(c, &invitation, code, onceOf(c, fields))
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		page := views.NewInviteForm(typed, errs, newOnce(), h.outbox.Enabled())
		return show(c, http.StatusUnprocessableEntity, views.InviteMember(h.plainPage(c), page))
	}
	if id == invitation.ID && h.mailsInvitation(invitation) { // a second press sends nothing
		h.outbox.Send(h.invitationMail(actorOf(c), invitation, code))
	}
	return h.say(c, views.TeamPath, flash{Invitation: id})
}

// mailsInvitation tells whether one more goes to the address: it is not asked whether it
// wants them. Beyond that the link is there to be copied.
func (h *Handlers) mailsInvitation(invitation models.Invitation) bool {
	_, wait := h.invitationMails.Take(invitation.EmailKey)
	return wait == 0
}

func (h *Handlers) storeInvitation(c echo.Context, invitation *models.Invitation, code models.Secret, once string) (string, error) {
	invitation.ID, invitation.CodeHash = store.NewID(), secrets.Hash(code)
	var err error
	if invitation.Sealed, err = h.Keys.Seal(code, invitationPlace(invitation.ID)); err != nil {
		return "", err
	}
	return h.Store.Invite(c.Request().Context(), actorOf(c), *invitation, once)
}

func invitationPlace(id string) secrets.Place {
	return secrets.Place{Table: "invitations", Column: "sealed", Row: id}
}

// linkTo is an address of this installation that holds a code.
func (h *Handlers) linkTo(path func(code string) string, code models.Secret) models.Secret {
	return models.NewSecret(h.BaseURL + path(code.Reveal()))
}

func (h *Handlers) invitationMail(from models.Actor, invitation models.Invitation, code models.Secret) mail.Message {
	link := h.linkTo(views.OpenInvitationPath, code)
	return mail.Message{
		To: invitation.Email, Subject: "Join " + from.TeamName + " in Latchkey",
		Text: models.NewSecret(from.UserName + " invites you to the team " + from.TeamName + " in Latchkey, as " + invitation.Role.Title() + ".\n\n" +
			"To join, open this link. It works once, for 7 days:\n\n" + link.Reveal() + "\n\n" +
			"If you did not expect this, do nothing. Nothing happens without the link.\n"),
	}
}

// showInvitation answers the link of a pending invitation. The audit event is stored before.
func (h *Handlers) showInvitation(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	actor := actorOf(c)
	if _, wait := h.reveals.Take(actor.UserID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	invitation, err := h.Store.RevealInvitation(c.Request().Context(), actor, c.Param(paramInvitation))
	if err != nil {
		return err
	}
	code, err := h.Keys.Open(invitation.Sealed, invitationPlace(invitation.ID))
	if err != nil {
		return err
	}
	link := h.linkTo(views.OpenInvitationPath, code)
	if wantsJSON(c) {
		return answerValue(c, link)
	}
	return h.showTeam(c, views.ShownLink{ID: invitation.ID, Link: link})
}

func (h *Handlers) cancelInvitationPage(c echo.Context) error {
	invitation, err := h.Store.Invitation(c.Request().Context(), actorOf(c).TeamID, c.Param(paramInvitation))
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.CancelInvitation(h.plainPage(c), views.NewConfirmCancelInvitation(invitation)))
}

func (h *Handlers) cancelInvitation(c echo.Context) error {
	invitation, err := h.Store.CancelInvitation(c.Request().Context(), actorOf(c), c.Param(paramInvitation))
	if err != nil {
		return err
	}
	return h.say(c, views.TeamPath, flash{Text: "The invitation of " + invitation.Email + " was cancelled."})
}
