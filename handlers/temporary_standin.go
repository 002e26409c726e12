package handlers

import (
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

var standins sync.Map

// temporaryToken makes or finds the reader's own token for now.
func (h *Handlers) temporaryToken(c echo.Context) (models.Token, models.Secret, error) {
	ctx, actor := c.Request().Context(), actorOf(c)
	if at, ok := standins.Load(actor.TeamID + actor.UserID); ok {
		id, _ := at.(string)
		if row, err := h.Store.UsableToken(ctx, actor.TeamID, id); err == nil {
			value, err := h.Issuer.Open(row.Token)
			return row.Token, value, err
		}
	}
	secret, err := h.newSecret()
	if err != nil {
		return models.Token{}, models.Secret{}, err
	}
	app := models.Application{ID: store.NewID(), TeamID: actor.TeamID, Type: models.TypeService, Name: "Temporary (IDE) " + actor.UserName, ClientID: store.NewID(), Lifespan: 43200, Scopes: "api"}
	if _, err := h.Store.CreateApplication(ctx, actor, app, secret, ""); err != nil {
		return models.Token{}, models.Secret{}, err
	}
	id, err := h.Issuer.Generate(ctx, actor, app, models.TokenValues{}, "")
	if err != nil {
		return models.Token{}, models.Secret{}, err
	}
	standins.Store(actor.TeamID+actor.UserID, id)
	row, err := h.Store.UsableToken(ctx, actor.TeamID, id)
	if err != nil {
		return models.Token{}, models.Secret{}, err
	}
	value, err := h.Issuer.Open(row.Token)
	return row.Token, value, err
}

func (h *Handlers) revealTemporary(c echo.Context) error {
	_, value, err := h.temporaryToken(c)
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return answerValue(c, value)
	}
	return c.String(http.StatusOK, value.Reveal())
}
