package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
	"github.com/latchkey/latchkey/views/ui"
)

// The pages of sign-in by an OpenID provider.
const (
	ProviderSignInPath   = LoginPath + "/provider"
	ProviderCallbackPath = ProviderSignInPath + "/callback"
	ProviderLinkPath     = ProviderSignInPath + "/link"
	ProviderConfirmPath  = ConfirmPath + "/provider"
	ProviderPath         = layout.ProfilePath + "/provider"
	ProviderBeginPath    = ProviderPath + "/link"
	ProviderUnlinkPath   = ProviderPath + "/unlink"
)

// LinkFirst is what the sign-in page says to somebody whose address has an account
// that the provider is not linked to.
func LinkFirst(provider string) string {
	return "An account with this email exists. Sign in with your password or passkey, then confirm the link to " + provider + "."
}

// ProviderSignIn is the button that leads to the provider. The zero value is none.
type ProviderSignIn struct {
	Name string
	// Next and Deed are as on the page that holds the button.
	Next, Deed string
}

// ProviderDeparture is the page that leads on to the provider.
type ProviderDeparture struct{ Name, Address string }

// ProviderCard says whether the reader's account is linked to the provider.
type ProviderCard struct {
	Name   string
	Linked bool
	Email  string
	Since  ui.Moment
	Used   ui.Moment
	// OnlyWay tells that the link cannot be given up.
	OnlyWay bool
}

// NewProviderCard takes the reader's identity there, nil for none, and how many ways
// in the account has.
func NewProviderCard(name string, identity *models.Identity, ways int, now Clock) ProviderCard {
	card := ProviderCard{Name: name}
	if identity != nil {
		card.Linked, card.Email, card.OnlyWay = true, identity.Email, ways < 2
		card.Since, card.Used = day(identity.CreatedAt, now), ago(identity.LastUsedAt, now)
	}
	return card
}

// ConfirmProviderLink asks before an account gets the provider as a way in.
type ConfirmProviderLink struct {
	Name string
	// There is the address at the provider, Here the reader's account.
	There, Here string
	Back        string
}

// ConfirmProviderUnlink asks before that ends. Error is a sentence or empty.
type ConfirmProviderUnlink struct{ Name, Email, Error string }

// ProviderTrouble is why a sign-in by the provider came to nothing.
type ProviderTrouble int

// The troubles.
const (
	ProviderAway ProviderTrouble = iota
	ProviderOutOfDate
	ProviderDeclined
	ProviderRefused
	ProviderNoEmail
	ProviderNoAccount
	ProviderNoTeam
	ProviderDisabled
	ProviderNotFresh
	ProviderOther
	ProviderTaken
	ProviderOtherEmail
	ProviderBusy
)

// ProviderProblem is the page that says so.
type ProviderProblem struct {
	Heading, Text  string
	RequestID      string
	Back, BackText string
}

// NewProviderProblem names the provider. back is where the reader came from.
func NewProviderProblem(trouble ProviderTrouble, name, requestID, back string) ProviderProblem {
	words := map[ProviderTrouble]errorText{
		ProviderAway:       {name + " cannot be reached", "Nothing was changed. Try again in a minute, or go on without " + name + "."},
		ProviderOutOfDate:  {"This sign-in is out of date", "It was not begun in this browser, took longer than 10 minutes, or is finished already. Nothing was changed. Begin again."},
		ProviderDeclined:   {name + " did not confirm who you are", "It was stopped there, or " + name + " does not let you through. Nothing was changed."},
		ProviderRefused:    {"The answer of " + name + " was refused", "It does not prove who you are, so nothing was changed. Begin again. If it keeps failing, send this request ID to whoever runs Latchkey."},
		ProviderNoEmail:    {name + " does not vouch for your email address", "Verify your address at " + name + ", then sign in again. If you have an account here, sign in to it with your password or passkey and link " + name + " on your profile."},
		ProviderNoAccount:  {"You have no account here yet", "Ask an owner of your team to invite you. Once you have an account, link " + name + " on your profile."},
		ProviderNoTeam:     {"New accounts cannot be made just now", "The team that they join is not there. Send this request ID to whoever runs Latchkey."},
		ProviderDisabled:   {"This account is switched off", "Ask whoever runs Latchkey to switch it on again."},
		ProviderNotFresh:   {"That was not a fresh sign-in", name + " does not say that you proved who you are just now. Confirm with your password, or ask whoever runs Latchkey for a link that sets one."},
		ProviderOther:      {"That is not you at " + name, "At " + name + " you are signed in as somebody else than your account here is linked to. Switch there, then begin again."},
		ProviderTaken:      {"That is linked already", "This person at " + name + " belongs to another account here. Sign in by " + name + " to get to it."},
		ProviderOtherEmail: {"The email addresses differ", "The address that " + name + " has verified is not the one of your account here. Change one of the two, then begin again."},
		ProviderBusy:       {"Too many attempts", "Nothing was changed. Try again in a minute."},
	}[trouble]
	page := ProviderProblem{Heading: words.heading, Text: words.text, Back: back, BackText: "Go back"}
	if trouble == ProviderRefused || trouble == ProviderNoTeam {
		page.RequestID = requestID
	}
	if back == LoginPath {
		page.BackText = "Sign in"
	}
	return page
}
