package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// temporaryToken makes or finds the reader's own temporary token and returns its value. It
// notes no showing: what shows the value does.
func (h *Handlers) temporaryToken(c echo.Context) (models.Token, models.Secret, error) {
	return h.Issuer.Temporary(c.Request().Context(), actorOf(c), strings.Join(h.Limits.Scopes, " "))
}

func (h *Handlers) rotation() models.Rotation { return models.NewRotation(h.Limits.MaxLifespan) }

// temporaryCard reads how things stand with the reader's temporary token. It makes none.
func (h *Handlers) temporaryCard(c echo.Context, chosen string) (views.TemporaryCard, error) {
	actor, rotation, now := actorOf(c), h.rotation(), h.clock(c)
	if !actor.Role.May(models.MayReveal) {
		return views.TemporaryCard{}, nil
	}
	state, err := h.Store.Temporary(c.Request().Context(), actor.TeamID, actor.UserID, rotation.Ends(now.Time))
	return views.NewTemporaryCard(state, rotation, chosen, actor.Role, now), err
}

// revealTemporary answers the value of the reader's temporary token. The audit event is
// stored before.
func (h *Handlers) revealTemporary(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	token, value, err := h.temporaryToken(c)
	if errors.Is(err, models.ErrConflict) && !wantsJSON(c) {
		return h.say(c, views.TokensPath, flash{Tone: "danger", Text: "Your team has switched temporary tokens off. Use a token of an application instead."})
	}
	if err != nil {
		return err
	}
	if err := h.Store.RevealTemporaryToken(c.Request().Context(), actorOf(c), token.ID); err != nil {
		return err
	}
	if wantsJSON(c) {
		return answerValue(c, value)
	}
	return h.showTokens(c, c.FormValue("application"), views.Revealed{TokenID: token.ID, Value: value})
}

func (h *Handlers) replaceTemporaryPage(c echo.Context) error {
	return show(c, http.StatusOK, views.ReplaceTemporary(h.plainPage(c)))
}

func (h *Handlers) replaceTemporary(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	replaced, err := h.Store.ReplaceTemporaryToken(c.Request().Context(), actorOf(c))
	if err != nil {
		return err
	}
	text := "Your temporary token was replaced. The new one is made when you copy or show it."
	if !replaced {
		text = "You had no temporary token. One is made when you copy or show it."
	}
	return h.say(c, views.TokensPath, flash{Text: text})
}

// showBuiltIn is the page of the application that holds the temporary tokens of the team.
func (h *Handlers) showBuiltIn(c echo.Context, app models.ApplicationDetail) error {
	list, err := h.Store.TemporaryTokens(c.Request().Context(), actorOf(c).TeamID)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	view := views.NewBuiltInView(app, list, h.rotation(), page.Role, h.clock(c))
	if view.Activity, err = h.activity(c, app.ID); err != nil {
		return err
	}
	return show(c, http.StatusOK, views.BuiltIn(page, view))
}
