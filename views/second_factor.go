package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
	"github.com/latchkey/latchkey/views/ui"
)

// SecondFactorState is what the page Second factor is made of.
type SecondFactorState struct {
	Factors models.Factors
	// Required says who wants a second factor that is not there: a team's name, or
	// EverybodyHere. Empty for nobody.
	Required string
	// Address is the site's host, Passkeys whether it can have any.
	Address  string
	Passkeys bool
	// Name is the name typed for a new passkey; Errors are beside name, or passkey for all of the form.
	Name   string
	Errors models.FieldErrors
}

// EverybodyHere is who requires a second factor where a setting does.
const EverybodyHere = "This installation"

// SecondFactorView is the page Second factor.
type SecondFactorView struct {
	Required string
	App      AppCard
	Passkeys PasskeysCard
	Codes    CodesCard
}

// AppCard tells of the authenticator app.
type AppCard struct {
	On       bool
	Added    ui.Moment
	LastUsed ui.Moment
	SetUp    string
	// First tells that nothing else is set up: this is the first thing to do.
	First bool
}

// PasskeysCard lists the passkeys.
type PasskeysCard struct {
	Rows []PasskeyItem
	// Unavailable says why the site can have none, Full why there can be no more.
	Unavailable string
	Full        string
	Name        string
	NameError   string
	Error       string
}

// PasskeyItem is a row of the table.
type PasskeyItem struct {
	Name       string
	Added      ui.Moment
	LastUsed   ui.Moment
	RemoveHref string
}

// CodesCard counts the recovery codes; Shown is false without a second factor.
type CodesCard struct {
	Shown bool
	Left  string
	Few   bool
}

// fewCodes is when a person should make new ones.
const fewCodes = 3

// NewSecondFactorView says what there is and what can be added.
func NewSecondFactorView(state SecondFactorState, now Clock) SecondFactorView {
	view := SecondFactorView{
		App:      AppCard{SetUp: "Set up", First: !state.Factors.Any()},
		Passkeys: PasskeysCard{Name: state.Name, NameError: state.Errors["name"], Error: state.Errors["passkey"]},
	}
	if state.Required != "" {
		view.Required = state.Required + " requires a second factor. Set one up to go on."
	}
	if app := state.Factors.Authenticator; app != nil {
		view.App = AppCard{On: true, Added: ago(app.CreatedAt, now), LastUsed: ago(app.LastUsedAt, now), SetUp: "Replace app"}
	}
	for _, passkey := range state.Factors.Passkeys {
		view.Passkeys.Rows = append(view.Passkeys.Rows, PasskeyItem{
			Name: passkey.Name, Added: ago(passkey.CreatedAt, now), LastUsed: ago(passkey.LastUsedAt, now), RemoveHref: RemovePasskeyPath(passkey.ID),
		})
	}
	switch {
	case !state.Passkeys:
		view.Passkeys.Unavailable = "Passkeys need a site with a name, and this one is opened as " + state.Address +
			". Whoever runs Latchkey can name it with LATCHKEY_BASE_URL, for example http://localhost:8080."
	case len(state.Factors.Passkeys) >= models.MaxPasskeys:
		view.Passkeys.Full = "You have " + models.Count(models.MaxPasskeys, "passkey") + ", which is the most. Remove one to add another."
	}
	if state.Factors.Any() {
		view.Codes = CodesCard{
			Shown: true, Few: state.Factors.CodesLeft < fewCodes,
			Left: models.FormatNumber(state.Factors.CodesLeft) + " of " + models.Count(state.Factors.Codes, "code") + " left.",
		}
	}
	return view
}

// SecondFactorLink is the card on the profile that leads to the page Second factor.
type SecondFactorLink struct{ On bool }

// ConfirmRemoveFactor asks before a factor is taken away. Error says why it may not be.
type ConfirmRemoveFactor struct {
	// Name is a passkey's, empty for the authenticator app.
	Name   string
	Last   bool
	Action string
	Back   string
	Error  string
}

// NewConfirmRemoveFactor asks about one of the passkeys, or nil for the authenticator app.
func NewConfirmRemoveFactor(factors models.Factors, passkey *models.Passkey, errs models.FieldErrors) ConfirmRemoveFactor {
	page := ConfirmRemoveFactor{Action: RemoveAuthenticatorPath, Back: SecondFactorPath, Error: errs["factor"]}
	others := len(factors.Passkeys)
	if passkey != nil {
		page.Name, page.Action = passkey.Name, RemovePasskeyPath(passkey.ID)
		others--
		if factors.Authenticator != nil {
			others++
		}
	}
	page.Last = others == 0
	return page
}

func (c ConfirmRemoveFactor) heading() string {
	if c.Name == "" {
		return "Remove the authenticator app?"
	}
	return "Remove the passkey " + c.Name + "?"
}

// SecondFactorPolicyCard is the card on the Team page that says whether members need a second factor.
type SecondFactorPolicyCard struct {
	Required bool
	Text     string
	// Href leads to the page that changes it, empty where the role may not.
	Href string
}

// NewSecondFactorPolicyCard counts who has none.
func NewSecondFactorPolicyCard(policy models.SecondFactorPolicy, role models.Role) SecondFactorPolicyCard {
	card := SecondFactorPolicyCard{Required: policy.Required}
	switch {
	case policy.Without == 0:
		card.Text = "Every member has one."
	case policy.Required:
		card.Text = withoutFactor(policy.Without) + " They are led to set one up before anything else."
	default:
		card.Text = withoutFactor(policy.Without)
	}
	if role.May(models.MayOwn) {
		card.Href = TeamSecondFactorPath
	}
	return card
}

func withoutFactor(n int64) string {
	if n == 1 {
		return "1 member has none."
	}
	return models.FormatNumber(n) + " members have none."
}

// ConfirmPolicy asks before a team begins or ends to require a second factor.
type ConfirmPolicy struct {
	Required bool
	Team     string
	Fact     string
	Back     string
}

// NewConfirmPolicy says who has to set one up.
func NewConfirmPolicy(page layout.Page, policy models.SecondFactorPolicy) ConfirmPolicy {
	confirm := ConfirmPolicy{Required: policy.Required, Team: page.TeamName, Back: layout.TeamPath}
	if !policy.Required && policy.Without > 0 {
		confirm.Fact = withoutFactor(policy.Without) + " From their next page on they are led to set one up before anything else."
	}
	return confirm
}
