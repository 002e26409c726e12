package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) team(c echo.Context) error { return h.showTeam(c, views.ShownLink{}) }

// showTeam renders the Team page, with a link where one was asked for.
func (h *Handlers) showTeam(c echo.Context, shown views.ShownLink) error {
	ctx, actor := c.Request().Context(), actorOf(c)
	members, err := h.Store.Members(ctx, actor.TeamID)
	if err != nil {
		return err
	}
	var invitations []models.InvitationRow
	var former []models.FormerMember
	if actor.Role.May(models.MayOwn) {
		if invitations, err = h.Store.Invitations(ctx, actor.TeamID); err != nil {
			return err
		}
		if former, err = h.Store.FormerMembers(ctx, actor.TeamID); err != nil {
			return err
		}
	}
	policy, err := h.Store.SecondFactorPolicy(ctx, actor.TeamID)
	if err != nil {
		return err
	}
	page, message := h.page(c)
	state := views.TeamState{Actor: actor, Created: message.Invitation, Mailed: h.outbox.Enabled(), Shown: shown, Policy: policy}
	return show(c, http.StatusOK, views.Team(page, views.NewTeamView(members, invitations, former, state, h.clock(c))))
}

func (h *Handlers) renameTeamPage(c echo.Context) error {
	return show(c, http.StatusOK, views.RenameTeam(h.plainPage(c), views.RenameForm{Name: actorOf(c).TeamName}))
}

func (h *Handlers) renameTeam(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	name, problem := models.CheckName(fields.Get("name"))
	if problem != "" {
		page := views.RenameForm{Name: fields.Get("name"), Error: problem}
		return show(c, http.StatusUnprocessableEntity, views.RenameTeam(h.plainPage(c), page))
	}
	if err := h.Store.RenameTeam(c.Request().Context(), actorOf(c), name); err != nil {
		return err
	}
	return h.say(c, views.TeamPath, flash{Text: "The team is now called " + name + "."})
}

func (h *Handlers) leaveTeamPage(c echo.Context) error {
	actor := actorOf(c)
	if actor.TeamID == "" {
		return errNoTeam
	}
	return show(c, http.StatusOK, views.LeaveTeam(h.plainPage(c), views.ConfirmLeave{TeamName: actor.TeamName}))
}

func (h *Handlers) leaveTeam(c echo.Context) error {
	actor := actorOf(c)
	if actor.TeamID == "" {
		return errNoTeam
	}
	errs, err := fieldErrors(h.Store.LeaveTeam(c.Request().Context(), actor, sessionOf(c).IDHash))
	if err != nil {
		return err
	}
	if errs != nil {
		page := views.ConfirmLeave{TeamName: actor.TeamName, Error: errs["role"]}
		return show(c, http.StatusUnprocessableEntity, views.LeaveTeam(h.plainPage(c), page))
	}
	return h.say(c, views.ApplicationsPath, flash{Text: "You left " + actor.TeamName + "."})
}
