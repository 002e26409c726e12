package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// TokensView is the page Tokens: one application chosen, and its tokens.
type TokensView struct {
	// Temporary is the reader's own.
	Temporary TemporaryCard
	// NoApplications means that there is nothing to choose.
	NoApplications bool
	CanManage      bool
	Options        []ui.Option
	// More means that the team has more applications than the options list.
	More bool

	Chosen bool
	// BuiltIn tells that the one chosen holds temporary tokens, which are not listed here.
	BuiltIn  bool
	AppName  string
	AppHref  string
	Off      bool
	NewToken *CreatedToken
	Tokens   TokensCard
	Revealed Revealed
}

// FirstOwn is the first application that the team has made, empty where there is none.
func FirstOwn(apps []models.Application) string {
	for _, app := range apps {
		if !app.BuiltIn() {
			return app.ID
		}
	}
	return ""
}

// NewTokensView offers apps to choose from; more says that there are others.
// app is the one chosen, nil where there is none.
func NewTokensView(apps []models.Application, more bool, app *models.Application, tokens models.TokenList, state TokensState, now Clock) TokensView {
	view := TokensView{NoApplications: FirstOwn(apps) == "" && app == nil, CanManage: state.Role.May(models.MayManage), More: more, Revealed: state.Revealed}
	listed := false
	for _, a := range apps {
		selected := app != nil && a.ID == app.ID
		listed = listed || selected
		view.Options = append(view.Options, ui.Option{Value: a.ID, Text: a.Name, Selected: selected})
	}
	if app == nil {
		return view
	}
	if !listed {
		view.Options = append([]ui.Option{{Value: app.ID, Text: app.Name, Selected: true}}, view.Options...)
	}
	view.Chosen, view.BuiltIn, view.AppName, view.AppHref = true, app.BuiltIn(), app.Name, ApplicationPath(app.ID)
	if view.BuiltIn {
		return view
	}
	at := tokensAt{path: TokensPath, application: app.ID, from: FromTokens}
	view.Off = !app.DisabledAt.IsZero()
	view.NewToken = newCreatedToken(state, at.from, now)
	view.Tokens = newTokensCard(*app, tokens, state, at, now)
	return view
}
