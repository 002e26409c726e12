package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// oldToken finds the token to make another like, and its application. Of a revoked one
// none is made: somebody ended it on purpose.
func (h *Handlers) oldToken(c echo.Context) (models.ApplicationDetail, models.Token, error) {
	app, err := h.applicationOf(c)
	if err != nil {
		return app, models.Token{}, err
	}
	token, err := h.Store.Token(c.Request().Context(), actorOf(c).TeamID, app.ID, c.Param(paramToken))
	if err == nil && token.Kind != models.KindManual {
		err = models.ErrNotFound
	}
	return app, token, err
}

func (h *Handlers) regeneratePage(c echo.Context) error {
	app, token, err := h.oldToken(c)
	if err != nil {
		return err
	}
	if text := notRegenerated(app, token, h.now()); text != "" {
		return h.say(c, tokensHome(c, app.ID), flash{Tone: "danger", Text: text})
	}
	page := views.NewConfirmRegenerate(app.Application, token, newOnce(), fromOf(c), h.clock(c))
	return show(c, http.StatusOK, views.RegenerateToken(h.plainPage(c), page))
}

// regenerate makes a token with the name and the lifespan of an old one, which goes on.
func (h *Handlers) regenerate(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	app, token, err := h.oldToken(c)
	if err != nil {
		return err
	}
	text := notRegenerated(app, token, h.now())
	if text == "" {
		values := models.TokenValues{Name: token.Name, Lifespan: token.Lifespan()}
		id, err := h.Issuer.Generate(c.Request().Context(), actorOf(c), app.Application, values, onceOf(c, fields))
		if err == nil {
			return h.say(c, tokensHome(c, app.ID), flash{Token: id})
		}
		if !errors.Is(err, models.ErrConflict) {
			return err
		}
		text = switchedOffText(app)
	}
	return h.say(c, tokensHome(c, app.ID), flash{Tone: "danger", Text: text})
}

func notRegenerated(app models.ApplicationDetail, token models.Token, now models.Time) string {
	switch {
	case token.Status(now) == models.StatusRevoked:
		return "The token ending in " + token.Last4 + " was revoked, so it is not made anew. Generate a new token instead."
	case !app.Enabled():
		return switchedOffText(app)
	}
	return ""
}

func switchedOffText(app models.ApplicationDetail) string {
	return app.Name + " is switched off. Switch it on to generate tokens."
}
