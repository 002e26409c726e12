package views

import (
	"slices"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/snippet"
	"github.com/latchkey/latchkey/views/ui"
)

// ExplorerChoice is the route and the token that were chosen, and what there is to choose from.
type ExplorerChoice struct {
	Routes []models.Upstream
	Route  models.Upstream
	// Tokens are the team's; More tells that there are others, Usable is the one chosen.
	Tokens []models.UsableToken
	More   bool
	Usable models.UsableToken
	// Temporary tells that the reader's temporary token is chosen.
	Temporary bool
	// BaseURL is the address of the gateway without a slash at its end.
	BaseURL string
}

// TokenID is the chosen token as forms name it.
func (c ExplorerChoice) TokenID() string {
	if c.Temporary {
		return TemporaryToken
	}
	return c.Usable.ID
}

// ExplorerView is the page Explorer.
type ExplorerView struct {
	// NoRoutes means that the gateway protects no API.
	NoRoutes bool
	Route    string
	Routes   []ui.Option
	Tokens   ui.Dropdown
	More     bool
	Hidden   []ui.Hidden
	Instead  *ui.Link
	Editor   GraphQLEditor
	Form     ExplorerForm
	GraphQL  *GraphQLForm
	Answer   *ExplorerAnswer
	// Problem says why there is no answer.
	Problem string
	Value   TokenBox
	Code    *ui.CodePanel
}

// GraphQLEditor is what the script of the editor needs to know.
type GraphQLEditor struct {
	Route, Token, Nonce string
	// Socket is where the address of a WebSocket is asked for, empty where the route takes none.
	Socket string
}

// ExplorerForm is a request as it is typed.
type ExplorerForm struct {
	Methods ui.Dropdown
	Inputs  ExplorerInputs
}

// ExplorerInputs are the fields of a request besides its method.
type ExplorerInputs struct{ Path, Query, Headers, Body ui.Input }

// GraphQLForm is a GraphQL request as it is typed, where there is no script.
type GraphQLForm struct{ Query, Variables, Headers ui.Input }

// TokenBox shows the chosen token's mask. The value comes by a POST to Action.
type TokenBox struct {
	Label, Mask, What, Action string
}

// NewExplorerView is the page before anything was typed.
func NewExplorerView(choice ExplorerChoice) ExplorerView {
	if len(choice.Routes) == 0 {
		return ExplorerView{NoRoutes: true}
	}
	view := ExplorerView{
		Route: choice.Route.Path, More: choice.More, Value: newTokenBox(choice), Tokens: tokenOptions(choice),
		Hidden: []ui.Hidden{{Name: "route", Value: choice.Route.Path}, {Name: "token", Value: choice.TokenID()}},
	}
	for _, route := range choice.Routes {
		view.Routes = append(view.Routes, ui.Option{Value: route.Path, Text: routeText(route), Selected: route.Path == choice.Route.Path})
	}
	if choice.Route.WebSocket {
		view.Editor.Socket = GraphQLSocketPath
	}
	if choice.Temporary {
		view.Instead = insteadOfTemporary(choice)
	}
	return view
}

func routeText(route models.Upstream) string {
	text := route.Path + " · API " + route.API + ", " + models.Count(route.Cost, "point")
	if route.GraphQL {
		text += ", GraphQL"
	}
	return text
}

func tokenOptions(choice ExplorerChoice) ui.Dropdown {
	list := ui.Dropdown{ID: "ex-token", Name: "token", Label: "Token", Options: []ui.Option{{Value: TemporaryToken, Text: "Temporary token (yours, for trying)", Selected: choice.Temporary}}}
	tokens := choice.Tokens
	if !choice.Temporary && !slices.ContainsFunc(tokens, func(t models.UsableToken) bool { return t.ID == choice.Usable.ID }) {
		tokens = append([]models.UsableToken{choice.Usable}, tokens...)
	}
	for _, token := range tokens {
		option := ui.Option{Value: token.ID, Text: strings.TrimSpace(token.Name + " …" + token.Last4), Selected: !choice.Temporary && token.ID == choice.Usable.ID}
		if n := len(list.Groups); n == 0 || list.Groups[n-1].Title != token.ApplicationName {
			list.Groups = append(list.Groups, ui.OptionGroup{Title: token.ApplicationName})
		}
		last := &list.Groups[len(list.Groups)-1]
		last.Options = append(last.Options, option)
	}
	return list
}

// insteadOfTemporary leads to the token of an application, or to where one is made.
func insteadOfTemporary(choice ExplorerChoice) *ui.Link {
	link := ui.Link{Text: "Use a token of an application instead", Href: ApplicationsPath}
	if len(choice.Tokens) > 0 {
		link.Href = explorerAt(ExplorerPath, choice.Route.Path, choice.Tokens[0].ID)
	}
	return &link
}

func newTokenBox(choice ExplorerChoice) TokenBox {
	if choice.Temporary {
		return TokenBox{Label: "Your temporary token", Mask: mask, What: "temporary token", Action: RevealTemporaryPath}
	}
	token := choice.Usable
	return TokenBox{
		Label: "Token of " + token.ApplicationName, Mask: mask + token.Last4, What: "token ending in " + token.Last4,
		Action: RevealTokenPath(token.ApplicationID, token.ID),
	}
}

// Typed fills in the plain form. Without errs, and with nothing typed, it is as at first.
func (v ExplorerView) Typed(in models.ExplorerInput, errs models.FieldErrors) ExplorerView {
	methods := ui.Dropdown{ID: "ex-method", Name: "method", Label: "Method", Error: errs["method"]}
	for _, method := range models.ExplorerMethods {
		methods.Options = append(methods.Options, ui.Option{Value: method, Text: method, Selected: method == in.Method})
	}
	v.Form = ExplorerForm{Methods: methods, Inputs: ExplorerInputs{
		Path:    ui.Input{ID: "ex-path", Name: "path", Label: "Path", Value: in.Path, Hint: "Follows " + v.Route + ", such as /orders/42. It may be empty.", Error: errs["path"], Verbatim: true, Autocomplete: "off"},
		Query:   ui.Input{ID: "ex-query", Name: "query", Label: "Query", Value: in.Query, Hint: "What follows the ?, such as limit=10&sort=name.", Error: errs["query"], Verbatim: true, Autocomplete: "off"},
		Headers: ui.Input{ID: "ex-headers", Name: "headers", Label: "Headers", Value: in.Headers, Hint: "One a line. Authorization holds the token and is added.", Error: errs["headers"]},
		Body:    ui.Input{ID: "ex-body", Name: "body", Label: "Body", Value: in.Body, Error: errs["body"]},
	}}
	return v
}

// TypedGraphQL fills in the form of a GraphQL route; nonce lets the editor bring its styles.
func (v ExplorerView) TypedGraphQL(in models.GraphQLInput, errs models.FieldErrors, nonce string) ExplorerView {
	v.Editor.Route, v.Editor.Token, v.Editor.Nonce = v.Hidden[0].Value, v.Hidden[1].Value, nonce
	v.GraphQL = &GraphQLForm{
		Query:     ui.Input{ID: "ex-query", Name: "query", Label: "GraphQL query", Value: in.Query, Error: errs["query"]},
		Variables: ui.Input{ID: "ex-variables", Name: "variables", Label: "Variables", Value: in.Variables, Hint: `A JSON object, such as {"id": 42}. It may be empty.`, Error: errs["variables"]},
		Headers:   ui.Input{ID: "ex-headers", Name: "headers", Label: "Headers", Value: in.Headers, Hint: "One a line. Authorization holds the token and is added.", Error: errs["headers"]},
	}
	return v
}

// WithCode shows a request as code.
func (v ExplorerView) WithCode(choice ExplorerChoice, request models.ExplorerRequest) ExplorerView {
	r := snippet.Request{
		Method: request.Method, URL: choice.BaseURL + request.Target, Body: request.Body,
		Token: ui.CodePart{Kind: ui.CodeSlot, Text: "ACCESS_TOKEN"},
	}
	for _, h := range request.Headers {
		r.Headers = append(r.Headers, snippet.Header(h))
	}
	v.Code = &ui.CodePanel{ID: "explorer-code", What: "The request", Samples: snippet.All(r)}
	return v
}
