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
	LastUsed  ui.Moment
	Off       bool
	OffSince  ui.Moment
	// What the role may not do, or the type does not allow, has an empty address.
	SwitchOffHref  string
	SwitchOnAction string
	DeleteHref     string
	// RevokeAllHref is empty where there is nothing to revoke.
	RevokeAllHref string
	ActiveTokens  string

	NewToken    *CreatedToken
	Tokens      TokensCard
	Credentials CredentialsCard
	Code        ui.CodePanel
	CodeLead    string
	Revealed    Revealed
}

// CredentialsCard is the client ID and secret of an application.
type CredentialsCard struct {
	ClientID string
	// SecretID is compared with Revealed; RevealAction is empty for viewers.
	SecretID     string
	Mask, What   string
	RevealAction string
	Hide         string
	Lifespan     string
	EditHref     string
	// Scopes is empty where only one scope is configured.
	Scopes string

	Made       string // "Secret created" or "Secret rotated"
	MadeAt     ui.Moment
	Used       ui.Moment
	RotateHref string

	Old *OldSecret
}

// OldSecret is the secret before the last rotation while it still works.
type OldSecret struct {
	Mask       string
	What       string
	Until      ui.Moment
	Used       ui.Moment
	RetireHref string
}

// NewApplicationView shows app and its manual tokens as the role may see them.
// baseURL and scopes are the installation's.
func NewApplicationView(app models.ApplicationDetail, tokens models.TokenList, state TokensState, baseURL string, scopes []string, now models.Time) ApplicationView {
	at := tokensAt{path: ApplicationPath(app.ID)}
	view := ApplicationView{
		Name:        app.Name,
		Created:     day(app.CreatedAt),
		CreatedBy:   app.CreatedByName,
		LastUsed:    ago(app.LastUsedAt, now),
		Off:         !app.DisabledAt.IsZero(),
		NewToken:    newCreatedToken(state, at.from, now),
		Tokens:      newTokensCard(app.Application, tokens, state, at, now),
		Credentials: newCredentialsCard(app, state.Role, scopes, now),
		CodeLead:    "Your client ID is filled in. Copy also fills in the secret.",
		Revealed:    state.Revealed,
	}
	view.Code = tokenSamples("code", baseURL, app.ClientID, secretPart(view.Credentials, state.Revealed), firstScope(app.Scopes))
	if view.Credentials.RevealAction == "" {
		view.CodeLead = "Your client ID is filled in. Ask an owner or a developer of your team for the secret."
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
	if app.Deletable() {
		view.DeleteHref = DeleteApplicationPath(app.ID)
	}
	if app.ActiveTokens > 0 {
		view.RevokeAllHref, view.ActiveTokens = RevokeTokensPath(app.ID), activeTokens(app.ActiveTokens, "stops", "stop")
	}
	return view
}

func newCredentialsCard(app models.ApplicationDetail, role models.Role, scopes []string, now models.Time) CredentialsCard {
	card := CredentialsCard{
		ClientID: app.ClientID,
		Lifespan: models.FormatLifespan(app.Lifespan),
		Hide:     ApplicationPath(app.ID),
	}
	if len(scopes) > 1 {
		card.Scopes = strings.ReplaceAll(app.Scopes, " ", ", ")
	}
	if role.May(models.MayManage) {
		card.EditHref, card.RotateHref = EditApplicationPath(app.ID), RotateSecretPath(app.ID)
	}
	for _, secret := range app.Secrets {
		if !secret.Current() {
			card.Old = newOldSecret(app.ID, secret, role, now)
			continue
		}
		card.SecretID, card.Mask, card.What = secret.ID, mask+secret.Last4, "client secret ending in "+secret.Last4
		card.Made, card.MadeAt, card.Used = "Secret created", day(secret.CreatedAt), ago(secret.LastUsedAt, now)
		if secret.CreatedAt > app.CreatedAt {
			card.Made = "Secret rotated"
		}
		if role.May(models.MayReveal) {
			card.RevealAction = RevealSecretPath(app.ID)
		}
	}
	return card
}

func newOldSecret(id string, secret models.ClientSecret, role models.Role, now models.Time) *OldSecret {
	if !secret.Good(now) {
		return nil
	}
	old := &OldSecret{
		Mask:  mask + secret.Last4,
		What:  "old client secret ending in " + secret.Last4,
		Until: exact(secret.ExpiresAt),
		Used:  ago(secret.LastUsedAt, now),
	}
	if role.May(models.MayManage) {
		old.RetireHref = RetireSecretPath(id)
	}
	return old
}

// secretPart is what stands for the secret in code samples: its mask, to be
// filled in by the script, its value where it was asked for, or a word.
func secretPart(card CredentialsCard, revealed Revealed) ui.CodePart {
	switch {
	case revealed.SecretID != "" && revealed.SecretID == card.SecretID:
		return ui.CodePart{Kind: ui.CodeRevealed, Text: revealed.Value.Reveal()}
	case card.RevealAction != "":
		return ui.CodePart{Kind: ui.CodeSlot, Text: strings.TrimPrefix(card.Mask, "••••")}
	}
	return ui.CodePart{Kind: ui.CodeString, Text: "CLIENT_SECRET"}
}

func firstScope(scopes string) string {
	first, _, _ := strings.Cut(scopes, " ")
	return first
}
