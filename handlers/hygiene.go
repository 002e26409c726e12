package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) hygiene(c echo.Context) error {
	actor, number := actorOf(c), pageNumber(c.QueryParam("page"))
	list, err := h.Store.Hygiene(c.Request().Context(), actor.TeamID, number)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Hygiene(page, views.NewHygieneView(list, number, actor.Role, h.clock(c))))
}

func (h *Handlers) keepFinding(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	reason := models.FindingReason(fields.Get("reason"))
	if !reason.Known() {
		return echo.ErrBadRequest
	}
	if _, err := h.Store.KeepFinding(c.Request().Context(), actorOf(c), app.ID, reason); err != nil {
		return err
	}
	return h.say(c, backTo(c, views.HygienePath), flash{Text: app.Name + " stays as it is. The finding comes back in 90 days if it still holds."})
}

func (h *Handlers) takeOver(c echo.Context) error {
	app, taken, err := h.Store.TakeOver(c.Request().Context(), actorOf(c), c.Param(paramApplication))
	if err != nil {
		return err
	}
	text := "You answer for " + app.Name + " now and get its warnings."
	if !taken {
		text = "Somebody of the team answers for " + app.Name + " already."
	}
	return h.say(c, backTo(c, views.HygienePath), flash{Text: text})
}
