package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

func (h *Handlers) teamSecondFactorPage(c echo.Context) error {
	actor := actorOf(c)
	policy, err := h.Store.SecondFactorPolicy(c.Request().Context(), actor.TeamID)
	if err != nil {
		return err
	}
	if !policy.Required && !actor.SecondFactor {
		return h.ownFactorFirst(c)
	}
	page := h.plainPage(c)
	return show(c, http.StatusOK, views.TeamSecondFactor(page, views.NewConfirmPolicy(page, policy)))
}

// ownFactorFirst leads an owner, who would be locked out otherwise, to a second factor.
func (h *Handlers) ownFactorFirst(c echo.Context) error {
	return h.say(c, views.SecondFactorPath, flash{Tone: "warning", Text: "Set up a second factor of your own first, then require it of the team."})
}

func (h *Handlers) setTeamSecondFactor(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	text := "Members need a second factor now."
	switch fields.Get("required") {
	case "1":
	case "0":
		text = "Members no longer need a second factor."
	default:
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	err = h.Store.RequireSecondFactor(c.Request().Context(), actorOf(c), fields.Get("required") == "1")
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return h.ownFactorFirst(c)
	}
	return h.say(c, layout.TeamPath, flash{Text: text})
}

// tellActorOfFactor is tellOfFactor for whoever is signed in.
func (h *Handlers) tellActorOfFactor(c echo.Context, what string) {
	actor := actorOf(c)
	h.tellOfFactor(c, models.User{Name: actor.UserName, Email: actor.Email}, what)
}
