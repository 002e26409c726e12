package views

import (
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// CredentialsCard is the client ID and secret of an application.
type CredentialsCard struct {
	Lead     string
	ClientID string
	// NoSecret says what the application proves itself by, where it has no secret.
	NoSecret string
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
	Seen       SeenBy
	RotateHref string
	// RemoveHref is empty also where there is no public key to go on with.
	RemoveHref string

	Old *OldSecret
}

// OldSecret is the secret before the last rotation while it still works.
type OldSecret struct {
	Mask       string
	What       string
	Until      ui.Moment
	Ends       ui.Moment
	Used       ui.Moment
	Seen       SeenBy
	RetireHref string
}

func newCredentialsCard(app models.ApplicationDetail, role models.Role, seen models.Witnesses, scopes []string, now Clock) CredentialsCard {
	card := CredentialsCard{
		Lead:     "Keep the secret on your servers only.",
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
	if len(app.Secrets) == 0 {
		card.Lead, card.NoSecret = "The client ID is no secret.", noSecret(app)
		return card
	}
	if role.May(models.MayManage) && len(app.Keys) > 0 {
		card.RemoveHref = RemoveSecretPath(app.ID)
	}
	for _, secret := range app.Secrets {
		if !secret.Current() {
			card.Old = newOldSecret(app.ID, secret, role, seen, now)
			continue
		}
		card.SecretID, card.Mask, card.What = secret.ID, mask+secret.Last4, "client secret ending in "+secret.Last4
		card.Made, card.MadeAt, card.Used = "Secret created", day(secret.CreatedAt, now), ago(secret.LastUsedAt, now)
		card.Seen = newSeenBy(seen, secret.ID, card.What, now)
		if secret.CreatedAt > app.CreatedAt {
			card.Made = "Secret rotated"
		}
		if role.May(models.MayReveal) {
			card.RevealAction = RevealSecretPath(app.ID)
		}
	}
	return card
}

func noSecret(app models.ApplicationDetail) string {
	if len(app.Keys) == 0 {
		return "This application has no client secret and no public key, so no program can get a token."
	}
	return "This application has no client secret. It proves itself by its public keys."
}

func newOldSecret(id string, secret models.ClientSecret, role models.Role, seen models.Witnesses, now Clock) *OldSecret {
	if !secret.Good(now.Time) {
		return nil
	}
	old := &OldSecret{
		Mask:  mask + secret.Last4,
		What:  "old client secret ending in " + secret.Last4,
		Until: exact(secret.ExpiresAt, now),
		Ends:  endsIn(secret.ExpiresAt, now),
		Used:  ago(secret.LastUsedAt, now),
	}
	old.Seen = newSeenBy(seen, secret.ID, old.What, now)
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

// CodeCard is the program that gets a token, with what to know about it.
type CodeCard struct {
	Lead  string
	Panel ui.CodePanel
	// Note is empty where there is no more to know.
	Note string
}

// newCodeCard shows how to get a token by the secret or, without one, by a
// public key.
func newCodeCard(app models.ApplicationDetail, card CredentialsCard, revealed Revealed, baseURL string) CodeCard {
	if len(app.Secrets) == 0 {
		return newSigningCard("code", app, baseURL)
	}
	code := CodeCard{
		Lead:  "Your client ID is filled in. Copy also fills in the secret.",
		Panel: tokenSamples("code", baseURL, app.ClientID, secretPart(card, revealed), firstScope(app.Scopes)),
	}
	if card.RevealAction == "" {
		code.Lead = "Your client ID is filled in. Ask an owner or a developer of your team for the secret."
	}
	return code
}

// newSigningCard shows how to get a token by a public key.
func newSigningCard(id string, app models.ApplicationDetail, baseURL string) CodeCard {
	card := CodeCard{
		Lead:  "Your client ID is filled in. The program signs with its private key.",
		Panel: assertionSamples(id, baseURL, app.ClientID, algorithmOf(app.Keys), firstScope(app.Scopes)),
		Note:  assertionRules(baseURL),
	}
	if len(app.Keys) == 0 {
		card.Lead = "Your client ID is filled in. Add a public key first."
	}
	return card
}
