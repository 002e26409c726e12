package handlers

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// points is the ledger of the team, for its members.
func (h *Handlers) points(c echo.Context) error {
	ctx, team, number := c.Request().Context(), actorOf(c).TeamID, pageNumber(c.QueryParam("page"))
	standing, err := h.Store.Standing(ctx, team)
	if err != nil {
		return err
	}
	list, err := h.Store.Ledger(ctx, team, number)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Points(page, views.NewPointsView(standing, list, number, h.clock(c))))
}

// adminTeam is a team's page for operators.
func (h *Handlers) adminTeam(c echo.Context) error {
	ctx, number := c.Request().Context(), pageNumber(c.QueryParam("page"))
	team, err := h.Store.TeamDetail(ctx, c.Param(paramTeam))
	if err != nil {
		return err
	}
	standing, err := h.Store.Standing(ctx, team.ID)
	if err != nil {
		return err
	}
	list, err := h.Store.Ledger(ctx, team.ID, number)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminTeam(page, views.NewAdminTeamView(team, standing, list, number, h.clock(c))))
}

// standingOf finds the team that the path names, and how it stands.
func (h *Handlers) standingOf(c echo.Context) (models.Team, models.Standing, error) {
	ctx := c.Request().Context()
	team, err := h.Store.Team(ctx, c.Param(paramTeam))
	if err != nil {
		return team, models.Standing{}, err
	}
	standing, err := h.Store.Standing(ctx, team.ID)
	return team, standing, err
}

func (h *Handlers) givePlanPage(c echo.Context) error {
	team, standing, err := h.standingOf(c)
	if err != nil {
		return err
	}
	return h.showGivePlan(c, http.StatusOK, team, standing, standing.PlanID, models.LastDay(standing.EndsAt), nil)
}

func (h *Handlers) showGivePlan(c echo.Context, status int, team models.Team, standing models.Standing, chosen, until string, errs models.FieldErrors) error {
	plans, err := h.Store.Plans(c.Request().Context())
	if err != nil {
		return err
	}
	return show(c, status, views.GivePlan(h.plainPage(c), views.NewGivePlanForm(team, standing.PlanID, plans, chosen, until, errs)))
}

func (h *Handlers) givePlan(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	team, standing, err := h.standingOf(c)
	if err != nil {
		return err
	}
	end, problem := models.ParseLastDay(fields.Get("until"), h.now())
	errs := models.FieldErrors{"until": problem}
	if problem == "" {
		errs, err = fieldErrors(h.Store.GivePlan(c.Request().Context(), actorOf(c), team.ID, fields.Get("plan"), end))
	}
	if err != nil {
		return err
	}
	if errs != nil {
		return h.showGivePlan(c, http.StatusUnprocessableEntity, team, standing, fields.Get("plan"), fields.Get("until"), errs)
	}
	return h.say(c, views.AdminTeamPath(team.ID), flash{Text: "The plan of " + team.Name + " was set."})
}

func (h *Handlers) endPlanPage(c echo.Context) error {
	team, standing, err := h.standingOf(c)
	if err != nil {
		return err
	}
	if !standing.HasPlan {
		return models.ErrNotFound
	}
	return h.adminAsk(c, views.NewConfirmEndPlan(team, standing.Plan.Name))
}

func (h *Handlers) endPlan(c echo.Context) error {
	team, err := h.Store.Team(c.Request().Context(), c.Param(paramTeam))
	if err != nil {
		return err
	}
	if err := h.Store.EndPlan(c.Request().Context(), actorOf(c), team.ID); err != nil {
		return err
	}
	return h.say(c, views.AdminTeamPath(team.ID), flash{Text: team.Name + " has no plan now. It is not limited and pays no points."})
}

// pointsDeed changes a balance: a form and what it does.
type pointsDeed struct {
	*Handlers
	path  string
	page  func(layout.Page, views.PointsForm) templ.Component
	check func(models.PointsInput) (models.PointsChange, error)
	do    func(context.Context, models.Actor, models.PointsChange, string) (models.Receipt, error)
}

func (d pointsDeed) show(c echo.Context, status int, in models.PointsInput, errs models.FieldErrors) error {
	team, standing, err := d.standingOf(c)
	if err != nil {
		return err
	}
	return show(c, status, d.page(d.plainPage(c), views.NewPointsForm(team, standing.Balance, d.path, in, errs, newOnce())))
}

func (d pointsDeed) ask(c echo.Context) error {
	return d.show(c, http.StatusOK, models.PointsInput{}, nil)
}

func (d pointsDeed) done(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	team, err := d.Store.Team(c.Request().Context(), c.Param(paramTeam))
	if err != nil {
		return err
	}
	typed := models.PointsInput{Points: fields.Get("points"), Reference: fields.Get("reference"), Note: fields.Get("note")}
	change, err := d.check(typed)
	change.TeamID = team.ID
	var receipt models.Receipt
	if err == nil {
		receipt, err = d.do(c.Request().Context(), actorOf(c), change, onceOf(c, fields))
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return d.show(c, http.StatusUnprocessableEntity, typed, errs)
	}
	if receipt.Duplicate {
		return d.say(c, views.AdminTeamPath(team.ID), flash{Tone: "warning", Text: "This purchase was added before. Nothing was changed."})
	}
	return d.say(c, views.AdminTeamPath(team.ID), flash{Text: "The balance of " + team.Name + " is now " + models.Count(receipt.Balance, "point") + "."})
}
