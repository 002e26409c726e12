package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// CheckTokenView is the page Check a token. It has no field for the value: what was pasted
// never comes back.
type CheckTokenView struct {
	Error   string
	Verdict *VerdictView
}

// VerdictView is what is said of a value that was pasted.
type VerdictView struct {
	Tone, Title string
	// Token and App say which one it is, for a token of the reader's team.
	Token, TokenName string
	App              ui.Link // without Href where it was deleted
	// What begins a sentence that When and By go on with; it may stand alone.
	What string
	When ui.Moment
	By   string
	Do   string
	// Around says what stood around the value.
	Around []string
	// Refused says how often calls with it were refused, the last one at RefusedAt.
	Refused     string
	RefusedAt   ui.Moment
	RefusedHref string
}

var mistakeWords = map[models.Mistake][2]string{
	models.MistakeEmpty:      {"Nothing was pasted", "Paste the token that your program sends."},
	models.MistakeMasked:     {"This is a masked value", "It shows the last characters alone. Press Copy or Show beside it to get the whole value."},
	models.MistakeSecret:     {"This is a client secret, not a token", "A program trades it for a token at the token endpoint and sends that. If others could read it where it stood, rotate it."},
	models.MistakeClientID:   {"This is a client ID, not a token", "It names an application. A program sends it with the client secret to the token endpoint and gets a token."},
	models.MistakeJWT:        {"This is a JSON Web Token", "Tokens of Latchkey are not: it is of another service, or an ID token of a sign-in."},
	models.MistakeSplit:      {"A space or line break stands inside", "Remove it, or copy the token again where it came from."},
	models.MistakeCharacters: {"This is not a token", "Tokens are made of letters and digits alone after their prefix. Copy the token without what stands beside it."},
	models.MistakeShort:      {"This is too short for a token", "It was cut, or is something else. Copy it again where it came from."},
	models.MistakeLong:       {"This is too long for a token", "Paste one token and nothing else."},
	models.MistakePrefix:     {"The beginning does not fit", "The prefix is missing or the value was mistyped. Copy the token again where it came from, whole."},
	models.MistakeDigits:     {"The last characters do not fit", "The value was cut or mistyped, or something was added to it. Copy it again where it came from."},
}

var aroundWords = map[models.Around]string{
	models.AroundSpace:  "Spaces or line breaks stood around it and were left out here. See to it that your program does not send them.",
	models.AroundQuotes: "Quotes or punctuation stood around it and were left out here. A program that sends them is refused.",
	models.AroundBearer: "The word Bearer stood in front of it and was left out here. If your program adds that word itself, it is sent twice and the call is refused.",
}

// NewVerdictView says what is wrong with a value, or that it is good.
func NewVerdictView(mistake models.Mistake, around []models.Around, verdict models.TokenVerdict, now Clock) VerdictView {
	view := VerdictView{Tone: "warning"}
	switch {
	case verdict.Known:
		view.ofTeam(verdict.Fate, now)
	case mistake != "":
		view.Title, view.Do = mistakeWords[mistake][0], mistakeWords[mistake][1]
	case verdict.Deleted:
		view.Title, view.Do = "This token was deleted", "It was a token of your team and ended before it was deleted. Generate a new one."
	default:
		view.Title = "Latchkey does not know this token, or it is another team's"
		view.Do = "It may have been deleted since it ended, or made by another installation. Look whether you act in the team that it belongs to."
	}
	for _, what := range around {
		view.Around = append(view.Around, aroundWords[what])
	}
	if tally := verdict.Refused; tally.Times > 0 {
		kept := models.KeepRefusedUnknown
		switch {
		case verdict.Known:
			kept, view.RefusedHref = models.KeepRefused, RefusedOfPath(verdict.Fate.ApplicationID)
		case verdict.Deleted:
			kept, view.RefusedHref = models.KeepRefused, RefusedPath
		}
		view.Refused = "Calls with it were refused " + times(tally.Times) + " in the last " + days(kept) + ", the last one "
		view.RefusedAt = ago(tally.LastAt, now).Within()
	}
	return view
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return models.FormatNumber(n) + " times"
}

func (v *VerdictView) ofTeam(fate models.TokenFate, now Clock) {
	v.Token, v.TokenName = "token ending in "+fate.Last4, fate.TokenName
	v.App.Text = fate.ApplicationName
	if fate.AppDeletedAt.IsZero() {
		v.App.Href = ApplicationPath(fate.ApplicationID)
	}
	reason, refused := fate.Refused(now.Time)
	switch {
	case !refused:
		v.Tone, v.Title = "success", "This token is good"
		v.What, v.When = "It expires", until(fate.ExpiresAt, now)
		v.Do = goodScopes(models.EffectiveScopes(fate.Scopes, fate.AppScopes))
	case reason == models.RefusedExpired:
		v.Title, v.What, v.When = "This token has expired", "It expired", ago(fate.ExpiresAt, now)
		v.Do = another(fate.Kind, "Generate a new one, or let your program ask for one each time it needs it.")
	case reason == models.RefusedRevoked:
		v.Title, v.What, v.When, v.By = "This token was revoked", "It was revoked", ago(fate.RevokedAt, now), revoker(fate)
		v.Do = "It cannot be turned back on. " + another(fate.Kind, "Generate a new one.")
	case reason == models.RefusedDisabled:
		v.Title, v.What, v.When = "The application of this token is switched off", "It was switched off", ago(fate.AppDisabledAt, now)
		v.Do = "Switch the application on, and the token works again until it expires."
	case reason == models.RefusedDeleted:
		v.Title, v.What, v.When, v.By = "The application of this token was deleted", "It was deleted", ago(fate.AppDeletedAt, now), revoker(fate)
		v.Do = "Use a token of another application."
	default:
		v.Title, v.Do = "Your team is suspended", "Its tokens work again when whoever runs Latchkey lifts that."
	}
	if v.What != "" {
		v.When = v.When.Within()
	}
}

// another says where the next token comes from; nobody generates a temporary one.
func another(kind models.TokenKind, generate string) string {
	if kind == models.KindTemporary {
		return "Copy your temporary token again from the page Tokens, or use a token of an application."
	}
	return generate
}

func goodScopes(scopes string) string {
	if scopes == "" {
		return "It has no scope: calls that need one are refused."
	}
	return "A call that is refused all the same sends another value, or needs a scope that it does not have. It has: " + scopes + "."
}
