package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func tokenFate() models.TokenFate {
	return models.TokenFate{
		TokenID: "k1", ApplicationID: appID, TokenName: "Backfill", Kind: models.KindManual, Last4: "Zk3Q", Scopes: "api", AppScopes: "api",
		ExpiresAt: now.Add(3 * 24 * time.Hour), ApplicationName: "Trading bot",
	}
}

func fateWith(change func(f *models.TokenFate)) models.TokenFate {
	fate := tokenFate()
	change(&fate)
	return fate
}

var (
	revokedFate = fateWith(func(f *models.TokenFate) { f.RevokedAt, f.RevokedByName = before(7*time.Hour), "Ana Ruiz" })
	endedFate   = fateWith(func(f *models.TokenFate) { f.ExpiresAt, f.TokenName = before(5*time.Hour), "" })
	offFate     = fateWith(func(f *models.TokenFate) { f.AppDisabledAt = before(90 * time.Minute) })
	goneFate    = fateWith(func(f *models.TokenFate) {
		f.AppDeletedAt, f.RevokedAt, f.RevokedByName = before(26*time.Hour), before(26*time.Hour), hostileNames[0]
	})
)

func refusedRow1(n int, reason models.Refusal, fate models.TokenFate) models.RefusedRow {
	return models.RefusedRow{Fate: fate, RefusedCall: models.RefusedCall{
		ID: fmt.Sprint(n), TeamID: "t1", ApplicationID: appID, TokenID: "k1", Reason: reason, Route: "/v1", Address: "203.0.113.24", Agent: "python-requests/2.32.3",
		FirstAt: before(time.Duration(n) * time.Hour), LastAt: before(time.Duration(n) * time.Hour), Times: 1,
	}}
}

func refusedRows1() []models.RefusedRow {
	often := refusedRow1(1, models.RefusedRevoked, revokedFate)
	often.FirstAt, often.Times, often.Address = before(6*time.Hour), 12_034, "2001:db8:85a3::8a2e:370:7334"
	scope := refusedRow1(3, models.RefusedScope, tokenFate())
	scope.Scope, scope.Route, scope.Agent = "trade", "/oauth2/verify", hostileNames[1]
	unsaid, program := scope, fateWith(func(f *models.TokenFate) {
		f.RevokedAt, f.RevokedByName, f.ByProgram = before(time.Hour), "Trading bot", true
	})
	unsaid.Scope, unsaid.Agent = "", strings.Repeat("W", 200)
	return []models.RefusedRow{
		often, refusedRow1(2, models.RefusedExpired, endedFate), scope, unsaid, refusedRow1(4, models.RefusedDisabled, offFate),
		refusedRow1(5, models.RefusedDisabled, tokenFate()), refusedRow1(6, models.RefusedDeleted, goneFate), refusedRow1(7, models.RefusedSuspended, tokenFate()),
		refusedRow1(8, models.RefusedRevoked, program), refusedRow1(9, models.RefusedExpired, models.TokenFate{ApplicationID: appID, ApplicationName: "Trading bot"}),
		refusedRow1(10, models.RefusedRevoked, models.TokenFate{}),
	}
}

func refusedGoldens() map[string]templ.Component {
	page := pageOf(models.RoleViewer)
	apps := []models.Application{{ID: appID, Name: "Trading bot"}, {ID: "a2", Name: hostileNames[0]}}
	list := models.RefusedList{Rows: refusedRows1(), Total: 60}
	check := func(mistake models.Mistake, verdict models.TokenVerdict, around ...models.Around) templ.Component {
		view := NewVerdictView(mistake, around, verdict, clock)
		return CheckToken(page, CheckTokenView{Verdict: &view})
	}
	withCalls := NewApplicationView(detail(), activeTokenList(), TokensState{Role: models.RoleOwner}, baseURL, limits.Scopes, clock)
	withCalls.Refused = NewRefusedCard(appID, refusedRows1()[:5], clock)
	return map[string]templ.Component{
		"refused":             Refused(page, NewRefusedView(list, 1, apps, models.Application{}, clock)),
		"refused-filtered":    Refused(page, NewRefusedView(models.RefusedList{Rows: refusedRows1()[:1], Total: 1}, 1, apps, models.Application{ID: "gone", Name: "Gone"}, clock)),
		"refused-empty":       Refused(page, NewRefusedView(models.RefusedList{}, 1, nil, models.Application{}, clock)),
		"refused-past-end":    Refused(page, NewRefusedView(models.RefusedList{Total: 2}, 4, apps, apps[0], clock)),
		"application-refused": Application(pageOf(models.RoleOwner), withCalls),
		"check-token":         CheckToken(page, CheckTokenView{}),
		"check-token-empty":   CheckToken(page, CheckTokenView{Error: "Paste a token."}),
		"check-token-good":    check("", models.TokenVerdict{Known: true, Fate: tokenFate(), Refused: models.RefusedTally{Times: 2, LastAt: before(time.Minute)}}),
		"check-token-revoked": check("", models.TokenVerdict{Known: true, Fate: revokedFate, Refused: models.RefusedTally{Times: 12_034, LastAt: before(time.Hour)}}),
		"check-token-gone":    check("", models.TokenVerdict{Known: true, Fate: goneFate}),
		"check-token-unknown": check("", models.TokenVerdict{Refused: models.RefusedTally{Times: 1, LastAt: before(30 * time.Hour)}}, models.Arounds...),
		"check-token-digits":  check(models.MistakeDigits, models.TokenVerdict{Refused: models.RefusedTally{Times: 3, LastAt: before(time.Second)}}),
	}
}

func TestWhyRefused(t *testing.T) {
	for _, test := range []struct {
		reason models.Refusal
		fate   models.TokenFate
		want   string
	}{
		{models.RefusedExpired, endedFate, "Expired 3 hours before the call"},
		{models.RefusedExpired, models.TokenFate{}, "Expired; The token was deleted since."},
		{models.RefusedRevoked, revokedFate, "Revoked by Ana Ruiz on 23 Nov 2026, 09:00"},
		{models.RefusedRevoked, fateWith(func(f *models.TokenFate) { f.RevokedAt = before(7 * time.Hour) }), "Revoked on 23 Nov 2026, 09:00"},
		{models.RefusedRevoked, fateWith(func(f *models.TokenFate) {
			f.RevokedAt, f.RevokedByName, f.ByProgram = before(7*time.Hour), "Bot", true
		}), "Revoked by a program of Bot on 23 Nov 2026, 09:00"},
		{models.RefusedRevoked, models.TokenFate{}, "Revoked; The token was deleted since."},
		// All tokens were revoked after this one had expired.
		{models.RefusedRevoked, fateWith(func(f *models.TokenFate) { f.ExpiresAt, f.RevokedAt = before(5*time.Hour), before(3*time.Hour) }), "Expired 3 hours before the call"},
		{models.RefusedDisabled, offFate, "Application switched off"},
		{models.RefusedDisabled, tokenFate(), "Application switched off; It is switched on again."},
		{models.RefusedDeleted, goneFate, "Application deleted on 22 Nov 2026, 14:00"},
		{models.RefusedSuspended, tokenFate(), "Team suspended"},
		{models.RefusedScope, tokenFate(), "Lacks the scope that the call needs"},
		{"another", tokenFate(), "Not a good token"},
	} {
		why := newRefusedItem(refusedRow1(2, test.reason, test.fate), clock).Why
		got := why.Text
		if why.By != "" {
			got += " by " + why.By
		}
		if why.At.Text != "" {
			got += " on " + why.At.Text
		}
		if why.Note != "" {
			got += "; " + why.Note
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, got, test.want)
		}
	}
}

// Nobody generates a temporary token: it is copied again.
func TestVerdictOfATemporaryToken(t *testing.T) {
	for name, ended := range map[string]func(*models.TokenFate){
		"revoked": func(f *models.TokenFate) { f.RevokedAt = before(time.Hour) },
		"expired": func(f *models.TokenFate) { f.ExpiresAt = before(time.Hour) },
	} {
		fate := fateWith(func(f *models.TokenFate) { f.Kind = models.KindTemporary; ended(f) })
		view := NewVerdictView("", nil, models.TokenVerdict{Known: true, Fate: fate}, Clock{Time: now})
		if strings.Contains(view.Do, "enerate") || !strings.HasSuffix(view.Do, "Copy your temporary token again from the page Tokens, or use a token of an application.") {
			t.Errorf("%s: %s", name, view.Do)
		}
	}
}

func TestVerdictOfATokenOfTheTeam(t *testing.T) {
	for _, test := range []struct {
		fate        models.TokenFate
		title, what string
	}{
		{tokenFate(), "This token is good", "It expires in 3 days"},
		{endedFate, "This token has expired", "It expired 5 hours ago"},
		{revokedFate, "This token was revoked", "It was revoked 7 hours ago by Ana Ruiz"},
		{offFate, "The application of this token is switched off", "It was switched off 1 hour ago"},
		{goneFate, "The application of this token was deleted", "It was deleted 22 Nov 2026, 14:00 by " + hostileNames[0]},
		{fateWith(func(f *models.TokenFate) { f.TeamSuspendedAt = before(time.Hour) }), "Your team is suspended", ""},
		{fateWith(func(f *models.TokenFate) { f.ExpiresAt = now }), "This token has expired", "It expired just now"},
	} {
		view := NewVerdictView("", nil, models.TokenVerdict{Known: true, Fate: test.fate}, clock)
		what := strings.TrimSpace(view.What + " " + view.When.Text)
		if view.By != "" {
			what += " by " + view.By
		}
		if view.Title != test.title || what != test.what || (view.Tone == "success") != (test.title == "This token is good") || view.Do == "" {
			t.Errorf("%q, %q, want %q, %q", view.Title, what, test.title, test.what)
		}
	}
}

// Every mistake says what it is and what to do, in sentences.
func TestWordsForMistakes(t *testing.T) {
	for _, mistake := range models.Mistakes {
		view := NewVerdictView(mistake, models.Arounds, models.TokenVerdict{}, clock)
		if view.Title == "" || !strings.HasSuffix(view.Do, ".") || len(view.Around) != len(models.Arounds) || view.Token != "" || view.Refused != "" {
			t.Errorf("%s: %+v", mistake, view)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 59 * time.Second: "59 seconds", 61 * time.Minute: "1 hour", 3*time.Hour + 59*time.Minute: "3 hours", 49 * time.Hour: "2 days",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
