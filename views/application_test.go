package views

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func applicationViewAs(role models.Role, app models.ApplicationDetail) ApplicationView {
	return NewApplicationView(app, endedTokenList(), TokensState{Role: role}, baseURL, limits.Scopes, clock)
}

func TestApplicationViewAsARole(t *testing.T) {
	for role, may := range map[models.Role]bool{models.RoleOwner: true, models.RoleDeveloper: true, models.RoleViewer: false, "": false} {
		view := applicationViewAs(role, detailWithOldSecret())
		for what, address := range map[string]string{
			"switch off": view.SwitchOffHref, "delete": view.DeleteHref, "generate": view.Tokens.GenerateHref,
			"reveal secret": view.Credentials.RevealAction, "edit": view.Credentials.EditHref, "rotate": view.Credentials.RotateHref,
			"retire": view.Credentials.Old.RetireHref, "reveal token": view.Tokens.Rows[0].RevealAction, "revoke token": view.Tokens.Rows[0].RevokeHref,
		} {
			if (address != "") != may {
				t.Errorf("%s as %q: %q", what, role, address)
			}
		}
	}
}

func TestEndedTokensHaveNoButtons(t *testing.T) {
	rows := applicationViewAs(models.RoleOwner, detail()).Tokens.Rows
	for i, want := range []string{"Active", "Active", "Active", "Expired", "Revoked"} {
		row := rows[i]
		if row.Status != want || row.Ended == (want == "Active") || (row.RevealAction == "") != row.Ended || (row.RevokeHref == "") != row.Ended {
			t.Errorf("row %d: %+v", i, row)
		}
	}
}

func TestSwitchedOff(t *testing.T) {
	app := detail()
	app.DisabledAt = before(time.Hour)
	view := applicationViewAs(models.RoleOwner, app)
	if !view.Off || view.SwitchOffHref != "" || view.SwitchOnAction == "" || view.Tokens.GenerateHref != "" || view.OffSince.Text != "1 hour ago" {
		t.Errorf("%+v", view)
	}
}

func TestSecretIsCreatedThenRotated(t *testing.T) {
	app := detail()
	if got := applicationViewAs(models.RoleOwner, app).Credentials; got.Made != "Secret rotated" || got.MadeAt.Text != "3 Oct 2026" {
		t.Errorf("%s %s", got.Made, got.MadeAt.Text)
	}
	app.Secrets[0].CreatedAt = app.CreatedAt
	if got := applicationViewAs(models.RoleOwner, app).Credentials; got.Made != "Secret created" || got.MadeAt.Text != "3 Mar 2026" {
		t.Errorf("%s %s", got.Made, got.MadeAt.Text)
	}
}

func TestAnOldSecretThatEndedIsGone(t *testing.T) {
	app := detailWithOldSecret()
	app.Secrets[1].ExpiresAt = now
	if old := applicationViewAs(models.RoleOwner, app).Credentials.Old; old != nil {
		t.Errorf("%+v", old)
	}
}

func TestEndedTokensLink(t *testing.T) {
	app := detail().Application
	for name, c := range map[string]struct {
		tokens     models.TokenList
		ended      bool
		text, href string
	}{
		"none ended":  {models.TokenList{Total: 1}, false, "", ""},
		"some hidden": {models.TokenList{Total: 1, EndedTotal: 1}, false, "Show ended tokens", TokensPath + "?application=" + appID + "&ended=1"},
		"some shown":  {models.TokenList{Total: 2, EndedTotal: 1}, true, "Hide ended tokens", TokensPath + "?application=" + appID},
	} {
		state := TokensState{Query: models.TokenQuery{Ended: c.ended, Page: 2}}
		card := NewTokensView(nil, false, &app, c.tokens, state, clock).Tokens
		if card.EndedText != c.text || card.EndedHref != c.href {
			t.Errorf("%s: %q to %q", name, card.EndedText, card.EndedHref)
		}
	}
}

func TestFormsOnTheTokensPageLeadBackThere(t *testing.T) {
	app := detail().Application
	state := TokensState{Role: models.RoleOwner, Query: models.TokenQuery{Ended: true, Page: 2}}
	card := NewTokensView(nil, false, &app, activeTokenList(), state, clock).Tokens
	row := card.Rows[0]
	if !strings.HasSuffix(card.GenerateHref, "/tokens?from=tokens") || !strings.HasSuffix(row.RevokeHref, "/revoke?from=tokens") {
		t.Errorf("generate %q, revoke %q", card.GenerateHref, row.RevokeHref)
	}
	want := []ui.Hidden{{Name: "from", Value: "tokens"}, {Name: "ended", Value: "1"}, {Name: "page", Value: "2"}}
	for i := range want {
		if row.RevealHidden[i] != want[i] {
			t.Errorf("reveal form: %+v, want %+v", row.RevealHidden, want)
		}
	}
	if back := NewConfirmRevokeToken(activeTokenList().Rows[0].Token, FromTokens).Back; back != TokensOfPath(appID) {
		t.Errorf("Cancel leads to %q", back)
	}
	if back := NewConfirmRevokeToken(activeTokenList().Rows[0].Token, "elsewhere").Back; back != ApplicationPath(appID) {
		t.Errorf("Cancel leads to %q", back)
	}
}

func TestTheChosenApplicationIsAlwaysListed(t *testing.T) {
	app := detail().Application
	view := NewTokensView([]models.Application{{ID: "other", Name: "Other"}}, true, &app, models.TokenList{}, TokensState{}, clock)
	if len(view.Options) != 2 || view.Options[0].Value != appID || !view.Options[0].Selected || view.Options[1].Selected {
		t.Errorf("%+v", view.Options)
	}
}
