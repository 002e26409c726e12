package views

import (
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ApplicationView is the page of one application.
type ApplicationView struct {
	Name      string
	Created   ui.Moment
	CreatedBy string
	// TakenOverBy is empty while its maker is there.
	TakenOverBy string
	LastUsed    ui.Moment
	Off         bool
	OffSince    ui.Moment
	// What the role may not do has an empty address.
	SwitchOffHref  string
	SwitchOnAction string
	DeleteHref     string
	// RevokeAllHref is empty where there is nothing to revoke.
	RevokeAllHref string
	ActiveTokens  string

	NewToken    *CreatedToken
	Tokens      TokensCard
	Credentials CredentialsCard
	Keys        KeysCard
	Code        CodeCard
	// Signing is the code for a public key, where Code is that for the secret.
	Signing  CodeCard
	Revealed Revealed
	Activity ActivityCard
	Refused  RefusedCard
	// Use is nil where no calls come through here.
	Use *UseCard
}

// NewApplicationView shows app, one of the team's own, and its manual tokens as the role may see them.
// baseURL and scopes are the installation's.
func NewApplicationView(app models.ApplicationDetail, tokens models.TokenList, state TokensState, baseURL string, scopes []string, now Clock) ApplicationView {
	at := tokensAt{path: ApplicationPath(app.ID)}
	view := ApplicationView{
		Name:        app.Name,
		Created:     day(app.CreatedAt, now),
		CreatedBy:   app.CreatedByName,
		TakenOverBy: app.TakenOverByName,
		LastUsed:    ago(app.LastUsedAt, now),
		Off:         !app.DisabledAt.IsZero(),
		NewToken:    newCreatedToken(state, at.from, now),
		Tokens:      newTokensCard(app.Application, tokens, state, at, now),
		Credentials: newCredentialsCard(app, state.Role, state.Seen, scopes, now),
		Keys:        newKeysCard(app, state.Role, now),
		Revealed:    state.Revealed,
	}
	view.Code = newCodeCard(app, view.Credentials, state.Revealed, baseURL)
	if len(app.Secrets) > 0 && len(app.Keys) > 0 {
		view.Signing = newSigningCard("signing", app, baseURL)
	}
	if view.Off {
		view.OffSince = ago(app.DisabledAt, now)
	}
	if !state.Role.May(models.MayManage) {
		return view
	}
	if view.Off {
		view.SwitchOnAction = SwitchOnPath(app.ID)
	} else {
		view.SwitchOffHref = SwitchOffPath(app.ID)
	}
	view.DeleteHref = DeleteApplicationPath(app.ID)
	if app.ActiveTokens > 0 {
		view.RevokeAllHref, view.ActiveTokens = RevokeTokensPath(app.ID), activeTokens(app.ActiveTokens, "stops", "stop")
	}
	return view
}

func firstScope(scopes string) string {
	first, _, _ := strings.Cut(scopes, " ")
	return first
}
