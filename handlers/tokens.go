package handlers

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// maxChoices bounds the list of applications on the Tokens page.
const maxChoices = 200

// tokensState reads which tokens of an application the page shows. The choice
// stands in the address or, after a reveal without script, in the form.
func (h *Handlers) tokensState(c echo.Context, appID string, message flash, revealed views.Revealed, secrets ...models.ClientSecret) (views.TokensState, models.TokenList, error) {
	ctx, actor := c.Request().Context(), actorOf(c)
	state := views.TokensState{
		Query: models.TokenQuery{Ended: c.FormValue("ended") == "1", Ending: c.FormValue("ending") == "1", Page: pageNumber(c.FormValue("page"))},
		Role:  actor.Role, Revealed: revealed,
	}
	if message.Token != "" {
		token, err := h.Store.Token(ctx, actor.TeamID, appID, message.Token)
		if err == nil {
			state.Created = &models.TokenRow{Token: token, CreatedByName: actor.UserName}
		} else if !errors.Is(err, models.ErrNotFound) {
			return state, models.TokenList{}, err
		}
	}
	list, err := h.Store.ManualTokens(ctx, actor.TeamID, appID, state.Query)
	if err == nil {
		state.Seen, err = h.witnesses(c, appID, list.Rows, secrets)
	}
	return state, list, err
}

func (h *Handlers) tokens(c echo.Context) error {
	return h.showTokens(c, c.QueryParam("application"), views.Revealed{})
}

// showTokens renders the Tokens page with the reader's temporary token and those of one
// application, the team's first by name where none is chosen.
func (h *Handlers) showTokens(c echo.Context, chosen string, revealed views.Revealed) error {
	ctx, team := c.Request().Context(), actorOf(c).TeamID
	apps, err := h.Store.ApplicationNames(ctx, team, maxChoices+1)
	if err != nil {
		return err
	}
	more := len(apps) > maxChoices
	apps = apps[:min(len(apps), maxChoices)]
	card, err := h.temporaryCard(c, chosen)
	if err != nil {
		return err
	}
	if chosen == "" {
		chosen = views.FirstOwn(apps)
	}
	page, message := h.page(c)
	if chosen == "" {
		view := views.NewTokensView(nil, false, nil, models.TokenList{}, views.TokensState{Role: page.Role, Revealed: revealed}, h.clock(c))
		view.Temporary = card
		return show(c, http.StatusOK, views.Tokens(page, view))
	}
	app, err := h.findApplication(c, chosen)
	if err != nil {
		return err
	}
	state, list, err := h.tokensState(c, app.ID, message, revealed)
	if err != nil {
		return err
	}
	view := views.NewTokensView(apps, more, &app.Application, list, state, h.clock(c))
	view.Temporary = card
	return show(c, http.StatusOK, views.Tokens(page, view))
}

// tokensHome is the page on which a deed on tokens was asked for.
func tokensHome(c echo.Context, appID string) string {
	if cameFromTokens(c) {
		return views.TokensOfPath(appID)
	}
	return views.ApplicationPath(appID)
}

func (h *Handlers) generatePage(c echo.Context) error {
	return h.ask(c, func(page layout.Page, app models.ApplicationDetail) templ.Component {
		return views.GenerateToken(page, views.NewGenerateTokenForm(app.Application, views.TokenTyped{}, nil, newOnce(), fromOf(c)))
	})
}

func fromOf(c echo.Context) string {
	if cameFromTokens(c) {
		return views.FromTokens
	}
	return ""
}

func (h *Handlers) generate(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	typed := tokenForm(fields)
	values, err := typed.Input().Validate(app.Lifespan)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		page := views.NewGenerateTokenForm(app.Application, typed, errs, newOnce(), fromOf(c))
		return show(c, http.StatusUnprocessableEntity, views.GenerateToken(h.plainPage(c), page))
	}
	id, err := h.Issuer.Generate(c.Request().Context(), actorOf(c), app.Application, values, onceOf(c, fields))
	if errors.Is(err, models.ErrConflict) {
		return h.say(c, tokensHome(c, app.ID), flash{Tone: "danger", Text: app.Name + " is switched off. Switch it on to generate tokens."})
	}
	if err != nil {
		return err
	}
	return h.say(c, tokensHome(c, app.ID), flash{Token: id})
}

func (h *Handlers) revokeTokenPage(c echo.Context) error {
	token, err := h.tokenOf(c)
	if err != nil {
		return err
	}
	confirm := views.NewConfirmRevokeToken(token, fromOf(c))
	confirm.Streams = views.StreamsClose(h.Gateway.Streams.OfToken(token.TeamID, token.ID))
	return show(c, http.StatusOK, views.RevokeToken(h.plainPage(c), confirm))
}

// tokenOf finds the token that the path names, through its application.
func (h *Handlers) tokenOf(c echo.Context) (models.Token, error) {
	app, err := h.applicationOf(c)
	if err != nil {
		return models.Token{}, err
	}
	return h.Store.Token(c.Request().Context(), actorOf(c).TeamID, app.ID, c.Param(paramToken))
}

func (h *Handlers) revokeToken(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	appID := c.Param(paramApplication)
	token, revoked, err := h.Store.RevokeToken(c.Request().Context(), actorOf(c), appID, c.Param(paramToken))
	if err != nil {
		return err
	}
	text := "The token ending in " + token.Last4 + " was revoked."
	if !revoked {
		text = "The token ending in " + token.Last4 + " had ended already."
	}
	return h.say(c, tokensHome(c, appID), flash{Text: text})
}

// revealToken answers the value of a manual token. The audit event is stored before.
func (h *Handlers) revealToken(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	appID := c.Param(paramApplication)
	token, err := h.Store.RevealToken(c.Request().Context(), actorOf(c), appID, c.Param(paramToken))
	if err != nil {
		return err
	}
	value, err := h.Issuer.Open(token)
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return answerValue(c, value)
	}
	revealed := views.Revealed{TokenID: token.ID, Value: value}
	if cameFromTokens(c) {
		return h.showTokens(c, appID, revealed)
	}
	app, err := h.applicationOf(c)
	if err != nil {
		return err
	}
	return h.showApplication(c, app, revealed)
}
