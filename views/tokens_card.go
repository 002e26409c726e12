package views

import (
	"net/url"
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// mask stands for the hidden part of a value.
const mask = "••••••••••••"

// FromTokens is the value of the field "from" on forms that lead back to the
// Tokens page; otherwise they lead back to the application's page.
const FromTokens = "tokens"

// Revealed is a value that was asked for without JavaScript. It is the one
// place in this package's models where a plaintext value may stand.
type Revealed struct {
	// SecretID or TokenID names whose value it is; the other is empty.
	SecretID string
	TokenID  string
	Value    models.Secret
}

// TokensState is what address, session and role say about the tokens shown.
type TokensState struct {
	Query models.TokenQuery
	Role  models.Role
	// Created is the token just generated, nil otherwise.
	Created *models.TokenRow
	// Revealed is set on the answer to a reveal form alone.
	Revealed Revealed
	// Seen tells who has seen the values of those shown.
	Seen models.Witnesses
}

// TokensCard is the table of an application's manual tokens.
type TokensCard struct {
	// Zone is the time zone that the table is in.
	Zone      string
	Rows      []TokenItem
	Empty     bool
	EmptyText string
	PastEnd   bool
	Pager     ui.Pager
	Lifespan  string
	// EndedText links to the list with or without ended tokens; empty where there are none.
	EndedText, EndedHref string
	// EndingText links to those that end soon or back to all; empty where there are none.
	EndingText, EndingHref string
	FirstPage              string
	// GenerateHref is empty where the role may not or the application is off.
	GenerateHref string
	AppName      string
	// Hide leads back to this list without a revealed value.
	Hide string
}

// TokenItem is a row of the table. RevealAction and RevokeHref are empty where
// the role may not or the token has ended.
type TokenItem struct {
	ID        string
	Name      string
	Mask      string
	What      string
	Status    string
	Tone      string
	Revoked   ui.Moment // zero where it was not
	Ended     bool
	Created   ui.Moment
	CreatedBy string
	Expires   ui.Moment
	// EndsSoon makes a warning of Expires.
	EndsSoon     bool
	LastUsed     ui.Moment
	LastUsedFrom string
	RevealAction string
	RevealHidden []ui.Hidden
	RevokeHref   string
	Seen         SeenBy
	// RegenerateHref is there for expired ones too.
	RegenerateHref string
}

// CreatedToken is the notice after Generate New Token.
type CreatedToken struct {
	Token   TokenItem
	Expires ui.Moment
}

// tokensAt says on which page a table of tokens stands. On the Tokens page the
// application is part of the query and forms say where they came from.
type tokensAt struct {
	path        string
	application string
	from        string
}

func (at tokensAt) href(query models.TokenQuery) string {
	values := url.Values{}
	if at.application != "" {
		values.Set("application", at.application)
	}
	if query.Ended {
		values.Set("ended", "1")
	}
	if query.Ending {
		values.Set("ending", "1")
	}
	if query.Page > 1 {
		values.Set("page", strconv.Itoa(query.Page))
	}
	return withQuery(at.path, values)
}

func newTokensCard(app models.Application, tokens models.TokenList, state TokensState, at tokensAt, now Clock) TokensCard {
	href := func(page int) string {
		return at.href(models.TokenQuery{Ended: state.Query.Ended, Ending: state.Query.Ending, Page: page})
	}
	card := TokensCard{
		Empty:     tokens.Total == 0,
		PastEnd:   tokens.Total > 0 && len(tokens.Rows) == 0,
		Pager:     newPager(tokens.Total, len(tokens.Rows), state.Query.Page, href),
		Lifespan:  models.FormatLifespan(app.Lifespan),
		FirstPage: href(1),
		AppName:   app.Name,
		Zone:      now.zoneName(),
		Hide:      href(max(state.Query.Page, 1)),
	}
	if tokens.EndedTotal > 0 && !state.Query.Ending {
		card.EndedText = "Show ended tokens"
		if state.Query.Ended {
			card.EndedText = "Hide ended tokens"
		}
		card.EndedHref = at.href(models.TokenQuery{Ended: !state.Query.Ended})
	}
	card.EndingText, card.EndingHref = endingLink(tokens.EndingTotal, state.Query.Ending, at)
	switch {
	case !app.Enabled():
		card.EmptyText = "The application is switched off, so it gets no new ones."
	case state.Role.May(models.MayManage):
		card.EmptyText = "Generate a token here, or let your code ask for one: those are counted, not listed."
		card.GenerateHref = withFrom(GenerateTokenPath(app.ID), at.from)
	default:
		card.EmptyText = "Your code can ask for one: those are counted, not listed. Members who may can also generate one here."
	}
	if state.Query.Ending {
		card.EmptyText = "None of its active tokens ends within " + models.FormatLifespan(soonest()) + "."
	}
	for _, row := range tokens.Rows {
		item := newTokenItem(row, state, at.from, now)
		if !app.Enabled() {
			item.RegenerateHref = ""
		}
		if !app.DisabledAt.IsZero() && !item.Ended {
			item.Tone = "" // green would say that it is accepted now
		}
		card.Rows = append(card.Rows, item)
	}
	return card
}

func newTokenItem(token models.TokenRow, state TokensState, from string, now Clock) TokenItem {
	status := token.Status(now.Time)
	item := TokenItem{
		ID:           token.ID,
		Name:         token.Name,
		Mask:         mask + token.Last4,
		What:         "token ending in " + token.Last4,
		Status:       string(status),
		Tone:         statusTone(status),
		Ended:        status != models.StatusActive,
		Created:      ago(token.CreatedAt, now),
		CreatedBy:    token.CreatedByName,
		Expires:      until(token.ExpiresAt, now),
		LastUsed:     ago(token.LastUsedAt, now),
		LastUsedFrom: token.LastUsedFrom,
	}
	item.Seen = newSeenBy(state.Seen, token.ID, item.What, now)
	if status == models.StatusRevoked {
		item.Revoked, item.Expires = ago(token.RevokedAt, now), ui.DateTime(now.in(token.ExpiresAt))
	}
	if state.Role.May(models.MayManage) && status != models.StatusRevoked {
		item.RegenerateHref = withFrom(RegenerateTokenPath(token.ApplicationID, token.ID), from)
	}
	if item.Ended {
		return item
	}
	if item.EndsSoon = token.EndsSoon(now.Time); item.EndsSoon {
		item.Expires = endsIn(token.ExpiresAt, now)
	}
	if state.Role.May(models.MayReveal) {
		item.RevealAction = RevealTokenPath(token.ApplicationID, token.ID)
		item.RevealHidden = revealHidden(state.Query, from)
	}
	if state.Role.May(models.MayManage) {
		item.RevokeHref = withFrom(RevokeTokenPath(token.ApplicationID, token.ID), from)
	}
	return item
}

func newCreatedToken(state TokensState, from string, now Clock) *CreatedToken {
	if state.Created == nil {
		return nil
	}
	return &CreatedToken{Token: newTokenItem(*state.Created, state, from, now), Expires: exact(state.Created.ExpiresAt, now)}
}

func statusTone(status models.Status) string {
	switch status {
	case models.StatusActive:
		return "success"
	case models.StatusRevoked:
		return "danger"
	case models.StatusExpired:
	}
	return ""
}

// revealHidden lets the answer of a reveal form show the same list.
func revealHidden(query models.TokenQuery, from string) []ui.Hidden {
	var hidden []ui.Hidden
	if from != "" {
		hidden = append(hidden, ui.Hidden{Name: "from", Value: from})
	}
	if query.Ended {
		hidden = append(hidden, ui.Hidden{Name: "ended", Value: "1"})
	}
	if query.Ending {
		hidden = append(hidden, ui.Hidden{Name: "ending", Value: "1"})
	}
	if query.Page > 1 {
		hidden = append(hidden, ui.Hidden{Name: "page", Value: strconv.Itoa(query.Page)})
	}
	return hidden
}

func withFrom(path, from string) string {
	if from == "" {
		return path
	}
	return path + "?from=" + from
}
