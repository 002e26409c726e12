package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) adminPlans(c echo.Context) error {
	plans, err := h.Store.Plans(c.Request().Context())
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminPlans(page, views.NewAdminPlansList(plans)))
}

func planForm(fields url.Values) models.PlanInput {
	return models.PlanInput{
		Name: fields.Get("name"), Points: fields.Get("points"), Period: fields.Get("period"), Days: fields.Get("days"), Rate: fields.Get("rate"),
		Streams: fields.Get("streams"), Members: fields.Get("members"), Overage: fields.Get("overage") != "", Default: fields.Get("default") != "",
	}
}

func (h *Handlers) newPlan(c echo.Context) error {
	return show(c, http.StatusOK, views.AdminPlan(h.plainPage(c), views.NewAddPlanForm(models.PlanInput{Period: models.PeriodMonth}, nil)))
}

func (h *Handlers) addPlan(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	typed := planForm(fields)
	plan, err := typed.Validate()
	if err == nil {
		err = h.Store.AddPlan(c.Request().Context(), actorOf(c), plan)
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return show(c, http.StatusUnprocessableEntity, views.AdminPlan(h.plainPage(c), views.NewAddPlanForm(typed, errs)))
	}
	return h.say(c, views.AdminPlansPath, flash{Text: "The plan " + plan.Name + " was added."})
}

// planOf finds the plan that the path names. Its name is no address.
func (h *Handlers) planOf(c echo.Context) (models.PlanRow, error) {
	plan, err := h.Store.Plan(c.Request().Context(), c.Param(paramPlan))
	if err == nil && plan.ID != c.Param(paramPlan) {
		return models.PlanRow{}, models.ErrNotFound
	}
	return plan, err
}

func (h *Handlers) editPlan(c echo.Context) error {
	plan, err := h.planOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.AdminPlan(h.plainPage(c), views.NewEditPlanForm(plan, plan.Input(), plan.Version, nil, false)))
}

// changePlan keeps what was typed where somebody else has changed the plan meanwhile.
func (h *Handlers) changePlan(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	before, err := h.planOf(c)
	if err != nil {
		return err
	}
	typed := planForm(fields)
	version, _ := strconv.ParseInt(fields.Get("version"), 10, 64)
	plan, err := typed.Validate()
	if err == nil {
		err = h.Store.ChangePlan(c.Request().Context(), actorOf(c), before.ID, plan, version)
	}
	if errors.Is(err, models.ErrConflict) {
		return show(c, http.StatusConflict, views.AdminPlan(h.plainPage(c), views.NewEditPlanForm(before, typed, before.Version, nil, true)))
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return show(c, http.StatusUnprocessableEntity, views.AdminPlan(h.plainPage(c), views.NewEditPlanForm(before, typed, version, errs, false)))
	}
	return h.say(c, views.AdminPlansPath, flash{Text: "The changes to " + plan.Name + " were saved."})
}

func (h *Handlers) retirePlanPage(c echo.Context) error {
	plan, err := h.planOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmRetirePlan(plan))
}

func (h *Handlers) retirePlan(c echo.Context) error {
	plan, err := h.planOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.RetirePlan(c.Request().Context(), actorOf(c), plan.ID); err != nil {
		return err
	}
	return h.say(c, views.AdminPlansPath, flash{Text: "The plan " + plan.Name + " is retired."})
}
