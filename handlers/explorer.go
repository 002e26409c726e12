package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// explorer is the page before anything was typed. A GraphQL route has a page of its own.
func (h *Handlers) explorer(c echo.Context) error {
	choice, err := h.explorerChoice(c, c.QueryParams())
	if err != nil {
		return err
	}
	if choice.Route.GraphQL {
		return c.Redirect(http.StatusSeeOther, views.GraphQLPath+"?"+chosen(choice).Encode())
	}
	typed := models.ExplorerInput{Method: http.MethodGet, Headers: "Accept: application/json"}
	return h.showExplorer(c, http.StatusOK, choice, plainView(choice, typed, nil))
}

func chosen(choice views.ExplorerChoice) url.Values {
	return url.Values{"route": {choice.Route.Path}, "token": {choice.TokenID()}}
}

// explorerChoice reads which route and token are chosen: the first route and the reader's
// temporary token where none is.
func (h *Handlers) explorerChoice(c echo.Context, from url.Values) (views.ExplorerChoice, error) {
	choice := views.ExplorerChoice{Routes: h.Gateway.Routes, BaseURL: h.apiBase()}
	if len(choice.Routes) == 0 {
		return choice, nil
	}
	var ok bool
	if choice.Route, ok = routeAt(choice.Routes, from.Get("route")); !ok {
		return choice, models.ErrNotFound
	}
	ctx, team := c.Request().Context(), actorOf(c).TeamID
	tokens, err := h.Store.UsableTokens(ctx, team, maxChoices+1)
	if err != nil {
		return choice, err
	}
	choice.More = len(tokens) > maxChoices
	choice.Tokens = tokens[:min(len(tokens), maxChoices)]
	id := from.Get("token")
	if id == "" || id == views.TemporaryToken {
		choice.Temporary = true
		return choice, nil
	}
	choice.Usable, err = h.Store.UsableToken(ctx, team, id)
	return choice, err
}

func routeAt(routes []models.Upstream, path string) (models.Upstream, bool) {
	for _, route := range routes {
		if route.Path == path || path == "" {
			return route, true
		}
	}
	return models.Upstream{}, false
}

// apiBase is the public address of the gateway.
func (h *Handlers) apiBase() string {
	u, err := url.Parse(h.BaseURL)
	if err != nil || h.Gateway.Host == "" {
		return h.BaseURL
	}
	host := h.Gateway.Host
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}

func plainView(choice views.ExplorerChoice, typed models.ExplorerInput, errs models.FieldErrors) views.ExplorerView {
	view := views.NewExplorerView(choice)
	if view.NoRoutes {
		return view
	}
	view = view.Typed(typed, errs)
	if request, err := typed.Validate(choice.Route); err == nil {
		view = view.WithCode(choice, request)
	}
	return view
}

func (h *Handlers) showExplorer(c echo.Context, status int, choice views.ExplorerChoice, view views.ExplorerView) error {
	page := h.plainPage(c)
	if !view.NoRoutes {
		at := views.ExplorerPath
		if view.GraphQL != nil {
			at = views.GraphQLPath
		}
		page.Path = at + "?" + chosen(choice).Encode()
	}
	return show(c, status, views.Explorer(page, view))
}

// explore sends a request and shows the answer.
func (h *Handlers) explore(c echo.Context) error {
	return h.plainRequest(c, func(choice views.ExplorerChoice, view views.ExplorerView, request models.ExplorerRequest) error {
		return h.sendAndShow(c, choice, view, request)
	})
}

// explorerCode shows a request as code, unsent.
func (h *Handlers) explorerCode(c echo.Context) error {
	return h.plainRequest(c, func(choice views.ExplorerChoice, view views.ExplorerView, _ models.ExplorerRequest) error {
		return h.showExplorer(c, http.StatusOK, choice, view)
	})
}

func (h *Handlers) plainRequest(c echo.Context, then func(views.ExplorerChoice, views.ExplorerView, models.ExplorerRequest) error) error {
	fields, choice, err := h.explorerForm(c)
	if err != nil {
		return err
	}
	typed := models.ExplorerInput{
		Method: fields.Get("method"), Path: fields.Get("path"), Query: fields.Get("query"), Headers: fields.Get("headers"), Body: fields.Get("body"),
	}
	request, err := typed.Validate(choice.Route)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	view := plainView(choice, typed, errs)
	if errs != nil {
		return h.refuseRequest(c, choice, view, errs)
	}
	return then(choice, view, request)
}

// explorerForm reads what was posted; there is no form where there is no route.
func (h *Handlers) explorerForm(c echo.Context) (url.Values, views.ExplorerChoice, error) {
	fields, err := form(c)
	if err != nil {
		return nil, views.ExplorerChoice{}, err
	}
	choice, err := h.explorerChoice(c, fields)
	if err == nil && len(choice.Routes) == 0 {
		err = models.ErrNotFound
	}
	return fields, choice, err
}

func (h *Handlers) refuseRequest(c echo.Context, choice views.ExplorerChoice, view views.ExplorerView, errs models.FieldErrors) error {
	if wantsJSON(c) {
		return c.JSON(http.StatusUnprocessableEntity, map[string]string{"error": errs.Error()})
	}
	return h.showExplorer(c, http.StatusUnprocessableEntity, choice, view)
}

// graphQL is the page with the editor. Its first request, which asks for the schema, runs
// by itself: a proof of identity that this needs is asked for before.
func (h *Handlers) graphQL(c echo.Context) error {
	choice, err := h.explorerChoice(c, c.QueryParams())
	if err != nil {
		return err
	}
	if !choice.Route.GraphQL {
		return c.Redirect(http.StatusSeeOther, views.ExplorerPath)
	}
	if !h.sendable(c, choice) {
		return h.toConfirm(c)
	}
	view := h.graphQLView(c, choice, models.GraphQLInput{Query: "{\n  __typename\n}"}, nil)
	return h.showExplorer(c, http.StatusOK, choice, view)
}

// graphQLView lets the page's policy take the style element that the editor makes while a
// dialog of its is open, by a nonce of this answer (P3).
func (h *Handlers) graphQLView(c echo.Context, choice views.ExplorerChoice, typed models.GraphQLInput, errs models.FieldErrors) views.ExplorerView {
	nonce := secrets.Code().Reveal()
	header := c.Response().Header()
	policy := header.Get(echo.HeaderContentSecurityPolicy)
	policy = strings.Replace(policy, "style-src 'self'", "style-src 'self' 'nonce-"+nonce+"'", 1)
	header.Set(echo.HeaderContentSecurityPolicy, h.connecting(policy))
	view := views.NewExplorerView(choice).TypedGraphQL(typed, errs, nonce)
	if request, err := typed.Validate(choice.Route); err == nil {
		view = view.WithCode(choice, request)
	}
	return view
}

// queryGraphQL runs a query, for the plain form and for the editor.
func (h *Handlers) queryGraphQL(c echo.Context) error {
	return h.graphQLRequest(c, func(choice views.ExplorerChoice, view views.ExplorerView, request models.ExplorerRequest) error {
		return h.sendAndShow(c, choice, view, request)
	})
}

func (h *Handlers) graphQLCode(c echo.Context) error {
	return h.graphQLRequest(c, func(choice views.ExplorerChoice, view views.ExplorerView, _ models.ExplorerRequest) error {
		return h.showExplorer(c, http.StatusOK, choice, view)
	})
}

func (h *Handlers) graphQLRequest(c echo.Context, then func(views.ExplorerChoice, views.ExplorerView, models.ExplorerRequest) error) error {
	fields, choice, err := h.explorerForm(c)
	if err != nil {
		return err
	}
	typed := models.GraphQLInput{
		Query: fields.Get("query"), Variables: fields.Get("variables"), Operation: fields.Get("operation"), Headers: fields.Get("headers"),
	}
	request, err := typed.Validate(choice.Route)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	view := h.graphQLView(c, choice, typed, errs)
	if errs != nil {
		return h.refuseRequest(c, choice, view, errs)
	}
	return then(choice, view, request)
}
