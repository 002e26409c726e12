package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) adminHome(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, views.AdminTeamsPath)
}

// maxSearch is what the search fields of operators take.
const maxSearch = 200

func listQuery(c echo.Context) models.ListQuery {
	search := strings.TrimSpace(strings.ToValidUTF8(c.QueryParam("q"), ""))
	if len(search) > maxSearch {
		search = strings.ToValidUTF8(search[:maxSearch], "")
	}
	return models.ListQuery{Search: search, Page: pageNumber(c.QueryParam("page"))}
}

// adminAsk shows a page that asks before a deed, or the same page with why it was refused.
func (h *Handlers) adminAsk(c echo.Context, confirm views.AdminConfirm) error {
	status := http.StatusOK
	if confirm.Error != "" {
		status = http.StatusUnprocessableEntity
	}
	return show(c, status, views.AdminAsk(h.plainPage(c), confirm))
}

// adminShow answers with a value that stands on no other page.
func (h *Handlers) adminShow(c echo.Context, shown views.AdminShown) error {
	return show(c, http.StatusOK, views.AdminShow(h.plainPage(c), shown))
}

func (h *Handlers) adminTeams(c echo.Context) error {
	query := listQuery(c)
	list, err := h.Store.Teams(c.Request().Context(), query)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminTeams(page, views.NewAdminTeamsList(list, query, h.clock(c))))
}

func (h *Handlers) suspendTeamPage(c echo.Context) error {
	team, err := h.Store.Team(c.Request().Context(), c.Param(paramTeam))
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmSuspend(team, "", "", h.closingOf(team.ID)))
}

func (h *Handlers) suspendTeam(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	team, err := h.Store.Team(ctx, c.Param(paramTeam))
	if err != nil {
		return err
	}
	reason, problem := models.CheckReason(fields.Get("reason"))
	if problem != "" {
		return show(c, http.StatusUnprocessableEntity, views.AdminAsk(h.plainPage(c), views.NewConfirmSuspend(team, fields.Get("reason"), problem, h.closingOf(team.ID))))
	}
	if err := h.Store.SuspendTeam(ctx, actorOf(c), team.ID, reason); err != nil {
		return err
	}
	return h.say(c, backTo(c, views.AdminTeamsPath), flash{Text: team.Name + " is suspended. Its tokens are refused."})
}

func (h *Handlers) resumeTeam(c echo.Context) error {
	ctx := c.Request().Context()
	team, err := h.Store.Team(ctx, c.Param(paramTeam))
	if err != nil {
		return err
	}
	if err := h.Store.ResumeTeam(ctx, actorOf(c), team.ID); err != nil {
		return err
	}
	return h.say(c, backTo(c, views.AdminTeamsPath), flash{Text: team.Name + " goes on. Its tokens that have not ended work again."})
}

func (h *Handlers) adminNewTeam(c echo.Context) error {
	return show(c, http.StatusOK, views.AdminNewTeam(h.plainPage(c), views.NewAdminTeamForm(models.TeamInput{}, nil, h.Mail.Enabled())))
}

// adminAddTeam makes a team. Where its owner has no password yet, the answer holds a
// link to set one, or it is mailed.
func (h *Handlers) adminAddTeam(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, typed := c.Request().Context(), models.TeamInput{Team: fields.Get("team"), Name: fields.Get("name"), Email: fields.Get("email")}
	input, err := typed.Validate()
	var owner models.UserRow
	if err == nil {
		owner, err = h.Store.AddTeam(ctx, actorOf(c), input)
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return show(c, http.StatusUnprocessableEntity, views.AdminNewTeam(h.plainPage(c), views.NewAdminTeamForm(typed, errs, h.Mail.Enabled())))
	}
	if !owner.FirstLink() {
		return h.say(c, views.AdminTeamsPath, flash{Text: input.Team + " was created. " + owner.Name + " is its owner."})
	}
	return h.giveLink(c, owner, views.AdminTeamsPath)
}

// refusal is why a deed was refused, to be said on the page that asks for it.
func refusal(err error) (string, error) {
	errs, err := fieldErrors(err)
	if errors.Is(err, models.ErrConflict) {
		return "It changed in the meantime. Load the user’s page again.", nil
	}
	return errs["user"], err
}
