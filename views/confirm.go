package views

import (
	"regexp"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ConfirmDelete asks for the application's name before it is deleted.
type ConfirmDelete struct {
	Name         string
	TokensFact   string // empty without active tokens
	Streams      string // as StreamsClose says it
	Pattern      string
	Error        string
	Typed        string
	Action, Back string
}

// NewConfirmDelete counts what stops working. wrong says that typed was not the name.
func NewConfirmDelete(app models.ApplicationRow, typed string, wrong bool) ConfirmDelete {
	page := ConfirmDelete{
		Name:    app.Name,
		Pattern: regexp.QuoteMeta(app.Name),
		Typed:   typed,
		Action:  DeleteApplicationPath(app.ID),
		Back:    ApplicationPath(app.ID),
	}
	if app.ActiveTokens > 0 {
		page.TokensFact = "Its " + activeTokens(app.ActiveTokens, "stops", "stop") + " working at once."
	}
	if wrong {
		page.Error = "That is not the name. Type " + app.Name + " exactly."
	}
	return page
}

// ConfirmRevokeAll asks before all active tokens of an application are revoked.
type ConfirmRevokeAll struct {
	Name         string
	Lead         string
	Streams      string // as StreamsClose says it
	Submit       string
	Action, Back string
}

// NewConfirmRevokeAll counts the tokens.
func NewConfirmRevokeAll(app models.ApplicationRow) ConfirmRevokeAll {
	page := ConfirmRevokeAll{
		Name:   app.Name,
		Lead:   "The " + activeTokens(app.ActiveTokens, "stops", "stop") + " working at once. The application stays, and it can issue new tokens.",
		Submit: "Revoke " + models.CountTokens(app.ActiveTokens, "token"),
		Action: RevokeTokensPath(app.ID),
		Back:   ApplicationsPath,
	}
	if app.ActiveTokens == 0 {
		page.Lead = "It has no active tokens now. Any that it gets before you go on stop working at once."
		page.Submit = "Revoke tokens"
	}
	if app.BuiltIn() {
		page.Lead = "Every member’s temporary token stops working at once: " + models.CountTokens(app.ActiveTokens, "active token") + " now. Each member gets a new one when they next ask for it."
	}
	return page
}

func activeTokens(n int64, one, many string) string {
	if n == 1 {
		return models.CountTokens(n, "active token") + " " + one
	}
	return models.CountTokens(n, "active token") + " " + many
}

// ConfirmRevokeToken asks before one token is revoked.
type ConfirmRevokeToken struct {
	Name         string
	Last4        string
	Streams      string // as StreamsClose says it
	Action, Back string
	Hidden       []ui.Hidden
}

// NewConfirmRevokeToken leads back to where the token was listed; from as in NewGenerateTokenForm.
func NewConfirmRevokeToken(token models.Token, from string) ConfirmRevokeToken {
	page := ConfirmRevokeToken{
		Name:   token.Name,
		Last4:  token.Last4,
		Action: RevokeTokenPath(token.ApplicationID, token.ID),
		Back:   tokensBack(token.ApplicationID, from),
	}
	if from == FromTokens {
		page.Hidden = []ui.Hidden{{Name: "from", Value: from}}
	}
	return page
}

// ConfirmRotate asks how long the old secret goes on before there is a new one.
type ConfirmRotate struct {
	Name string
	// Creates tells that there is no secret now, so nothing to choose either.
	Creates bool
	Choices []ui.Choice
	// OldLast4 and OldUntil tell of an older secret, which ends at once.
	OldLast4     string
	OldUntil     ui.Moment
	Used         ui.Moment
	Error        string
	Hidden       []ui.Hidden
	Action, Back string
}

// CreatesSecret is the field that says that there was no secret when the form
// was opened.
const CreatesSecret = "creates"

// NewConfirmRotate offers the overlaps of the contract. overlap is what was
// typed, empty at first; once makes a second press do nothing.
func NewConfirmRotate(app models.ApplicationDetail, overlap, once string, errs models.FieldErrors, now Clock) ConfirmRotate {
	page := ConfirmRotate{
		Name:    app.Name,
		Choices: overlapChoices(overlap),
		Creates: len(app.Secrets) == 0,
		Error:   errs["overlap"],
		Hidden:  []ui.Hidden{{Name: "once", Value: once}},
		Action:  RotateSecretPath(app.ID),
		Back:    ApplicationPath(app.ID),
	}
	if page.Creates {
		page.Choices, page.Hidden = nil, append(page.Hidden, ui.Hidden{Name: CreatesSecret, Value: "1"})
	}
	for _, secret := range app.Secrets {
		switch {
		case secret.Current():
			page.Used = ago(secret.LastUsedAt, now)
			page.Hidden = append(page.Hidden, ui.Hidden{Name: "replaces", Value: secret.ID})
		case secret.Good(now.Time):
			page.OldLast4, page.OldUntil = secret.Last4, exact(secret.ExpiresAt, now)
		}
	}
	return page
}

// overlapChoices are how long a secret that is replaced goes on. Without a choice so far
// it is not at all.
func overlapChoices(chosen string) []ui.Choice {
	choices := []ui.Choice{
		{Value: "0", Text: "Not at all", Hint: "It stops working at once. For a secret that others may know."},
		{Value: "3600", Text: "1 hour", Hint: "Time to update your servers one after the other."},
		{Value: "86400", Text: "1 day", Hint: "For changes that others must make."},
	}
	for i := range choices {
		choices[i].Checked = choices[i].Value == chosen || chosen == "" && i == 0
	}
	return choices
}

// ConfirmRetire asks before the old secret ends early.
type ConfirmRetire struct {
	Name         string
	Last4        string
	Until        ui.Moment
	OldUsed      ui.Moment
	NewUsed      ui.Moment
	Action, Back string
}

// NewConfirmRetire says when each secret was last used. Without an old secret
// that still works the handler answers 404 or leads back instead.
func NewConfirmRetire(app models.ApplicationDetail, now Clock) ConfirmRetire {
	page := ConfirmRetire{Name: app.Name, Action: RetireSecretPath(app.ID), Back: ApplicationPath(app.ID), NewUsed: ui.Never, OldUsed: ui.Never}
	for _, secret := range app.Secrets {
		if secret.Current() {
			page.NewUsed = ago(secret.LastUsedAt, now)
			continue
		}
		page.Last4, page.Until, page.OldUsed = secret.Last4, exact(secret.ExpiresAt, now), ago(secret.LastUsedAt, now)
	}
	return page
}

// ConfirmSwitchOff asks before an application is switched off.
type ConfirmSwitchOff struct {
	Name         string
	TokensFact   string
	Streams      string // as StreamsClose says it
	Action, Back string
}

// NewConfirmSwitchOff counts the tokens that are refused meanwhile.
func NewConfirmSwitchOff(app models.ApplicationRow) ConfirmSwitchOff {
	page := ConfirmSwitchOff{Name: app.Name, Action: SwitchOffPath(app.ID), Back: ApplicationPath(app.ID)}
	if app.ActiveTokens > 0 {
		page.TokensFact = "Its " + activeTokens(app.ActiveTokens, "is", "are") + " refused at once."
	}
	return page
}
