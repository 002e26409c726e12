package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

var usualRotation = models.NewRotation(365 * 86400)

// madeTemporary is a temporary token that was made in the window of now.
func madeTemporary() models.Temporary {
	made := token("k9", "nB2e", "", 3*time.Hour, 0).Token
	return models.Temporary{ApplicationID: builtInRow().ID, Token: made}
}

func temporaryGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	app := models.ApplicationDetail{ApplicationRow: builtInRow()}
	off := app
	off.DisabledAt = before(90 * time.Minute)
	own := models.ApplicationList{Total: 1, Rows: []models.ApplicationRow{app.ApplicationRow}}
	apps := []models.Application{app.Application}
	tokens := func(state models.Temporary, chosen *models.Application, revealed Revealed) TokensView {
		view := NewTokensView(apps, false, chosen, models.TokenList{}, TokensState{Role: owner.Role, Revealed: revealed}, clock)
		id := ""
		if chosen != nil {
			id = chosen.ID
		}
		view.Temporary = NewTemporaryCard(state, usualRotation, id, owner.Role, clock)
		return view
	}
	builtIn := func(app models.ApplicationDetail, rows []models.TokenRow, role models.Role) BuiltInView {
		view := NewBuiltInView(app, rows, usualRotation, role, clock)
		view.Activity = NewActivityCard(app.ID, auditEvents(), clock)
		return view
	}
	switchedOff := madeTemporary()
	switchedOff.Off = true
	return map[string]templ.Component{
		"applications-built-in-only":        Applications(owner, NewApplicationsList(own, models.ApplicationQuery{Page: 1}, models.Attention{}, owner.Role, clock)),
		"applications-built-in-only-viewer": Applications(viewer, NewApplicationsList(own, models.ApplicationQuery{Page: 1}, models.Attention{}, viewer.Role, clock)),
		"tokens-temporary-not-made":         Tokens(owner, tokens(models.Temporary{ApplicationID: app.ID}, nil, Revealed{})),
		"tokens-temporary-shown":            Tokens(owner, tokens(madeTemporary(), &app.Application, Revealed{TokenID: "k9", Value: models.NewSecret(exampleValue)})),
		"tokens-temporary-off":              Tokens(owner, tokens(switchedOff, nil, Revealed{})),
		"tokens-built-in":                   Tokens(owner, tokens(madeTemporary(), &app.Application, Revealed{})),
		"replace-temporary":                 ReplaceTemporary(owner),
		"revoke-tokens-built-in":            RevokeAll(owner, NewConfirmRevokeAll(app.ApplicationRow)),
		"built-in":                          BuiltIn(owner, builtIn(app, temporaryRows(), owner.Role)),
		"built-in-off":                      BuiltIn(owner, builtIn(off, temporaryRows()[:1], owner.Role)),
		"built-in-nobody":                   BuiltIn(owner, builtIn(app, nil, owner.Role)),
		"built-in-viewer":                   BuiltIn(viewer, builtIn(app, temporaryRows(), viewer.Role)),
	}
}

func temporaryRows() []models.TokenRow {
	own, theirs := token("k9", "nB2e", "", 3*time.Hour, 8*time.Hour+5*time.Minute), token("k8", "Yq71", "", 20*time.Minute, 6*time.Hour)
	own.LastUsedAt, own.LastUsedFrom = before(2*time.Minute), "203.0.113.24"
	theirs.CreatedByName = hostileNames[0]
	return []models.TokenRow{own, theirs}
}

func TestWhenTheTemporaryTokenChanges(t *testing.T) {
	midnight := models.At(time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC))
	for before, want := range map[time.Duration]string{
		12 * time.Hour: "Changes in 12 h", 7*time.Hour + 42*time.Minute + 59*time.Second: "Changes in 7 h 42 min", time.Hour: "Changes in 1 h", 59 * time.Minute: "Changes in 59 min",
		time.Minute: "Changes in 1 min", time.Millisecond: "Changes in less than a minute",
	} {
		card := NewTemporaryCard(models.Temporary{}, usualRotation, "", models.RoleDeveloper, Clock{Time: midnight.Add(-before)})
		if card.Changes.Text != want || card.Next.Text != "24 Nov 2026, 00:00 UTC" || card.Changes.Machine != "2026-11-24T00:00:00Z" || card.Every != "12 hours" || card.Grace != "5 minutes" {
			t.Errorf("%s before: %+v", before, card)
		}
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	// The night in which clocks go back: the moment stays that of UTC.
	card := NewTemporaryCard(models.Temporary{}, usualRotation, "", models.RoleOwner, Clock{Time: models.At(time.Date(2026, time.October, 24, 23, 0, 0, 0, time.UTC)), Zone: madrid})
	if card.Next.Text != "25 Oct 2026, 02:00 CEST" || card.Changes.Text != "Changes in 1 h" {
		t.Errorf("%+v", card)
	}
	if card := NewTemporaryCard(madeTemporary(), models.NewRotation(3600), "", models.RoleOwner, clock); card.Every != "45 minutes" {
		t.Errorf("%+v", card)
	}
}

// A viewer has no temporary token: nothing of it is on their page.
func TestViewersHaveNoTemporaryToken(t *testing.T) {
	card := NewTemporaryCard(madeTemporary(), usualRotation, "", models.RoleViewer, clock)
	page := pageOf(models.RoleViewer)
	if html := string(render(t, Tokens(page, TokensView{Temporary: card}))); strings.Contains(html, "emporary") {
		t.Error("it is on the page")
	}
}
