package handlers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

const checkPath = "/user/api_v2/access_tokens/check"

func hashOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// valueOf is the value of a manual token.
func (b *browser) valueOf(app models.Application, token string) string {
	b.t.Helper()
	got := b.do(http.MethodPost, "/user/api_v2/applications/"+app.ID+"/tokens/"+token+"/reveal", url.Values{}, http.Header{"Accept": {"application/json"}})
	_, rest, _ := strings.Cut(got.body, `"value":"`)
	value, _, _ := strings.Cut(rest, `"`)
	if value == "" {
		b.t.Fatalf("no value: %s", got.body)
	}
	return value
}

// refuse stores a refused call with a token.
func (s *site) refuse(t *testing.T, app models.Application, token, value string, reason models.Refusal) {
	t.Helper()
	sum := sha256.Sum256([]byte(value))
	call := models.RefusedCall{
		TeamID: app.TeamID, ApplicationID: app.ID, TokenID: token, ValueHash: sum[:], Reason: reason, Route: "/v1", Address: "203.0.113.9", Agent: "probe/1",
		FirstAt: s.db.Now(), LastAt: s.db.Now(), Times: 3,
	}
	if err := s.db.SaveRefusedCalls(t.Context(), []models.RefusedCall{call}); err != nil {
		t.Fatal(err)
	}
}

// The list belongs to the team of the token, on its own page and on the application's.
func TestRefusedCallsPage(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	app, token := s.application(t, ana, "Bot")
	quiet, _ := s.application(t, ana, "Quiet")
	owner := s.signedIn(t, ana)
	value := owner.valueOf(app, token)
	if _, _, err := s.db.RevokeToken(t.Context(), ana, app.ID, token); err != nil {
		t.Fatal(err)
	}
	s.db.Wait(time.Minute)
	s.refuse(t, app, token, value, models.RefusedRevoked)
	const row = "Revoked by ana on 23 Nov 2026, 16:00"
	for _, path := range []string{"/user/api_v2/refused", "/user/api_v2/refused?application=" + app.ID, "/user/api_v2/applications/" + app.ID} {
		got := s.signedIn(t, vic).get(path)
		got.expect(t, http.StatusOK, row, "/v1", "203.0.113.9", "probe/1", "Bot")
		if strings.Contains(got.body, value) || strings.Contains(got.body, hashOf(value)) {
			t.Errorf("%s shows the value or its hash", path)
		}
	}
	for _, path := range []string{"/user/api_v2/refused?application=" + quiet.ID, "/user/api_v2/applications/" + quiet.ID} {
		if got := owner.get(path); got.StatusCode != http.StatusOK || strings.Contains(got.text(), row) {
			t.Errorf("%s: %s %s", path, got.Status, got.text())
		}
	}
	// D3: a neighbour has no such calls and no such application.
	neighbour := s.signedIn(t, eve)
	if got := neighbour.get("/user/api_v2/refused"); strings.Contains(got.body, "Bot") || !strings.Contains(got.text(), "No refused calls") {
		t.Error("a neighbour sees them")
	}
	foreign, none := neighbour.get("/user/api_v2/refused?application="+app.ID), neighbour.get("/user/api_v2/refused?application=0")
	if foreign.StatusCode != http.StatusNotFound || none.StatusCode != http.StatusNotFound {
		t.Errorf("another team's application: %s, none: %s", foreign.Status, none.Status)
	}
}

// Without the script the form sends the value. P11, A2: it does not come back, and is not
// logged.
func TestCheckTokenByForm(t *testing.T) {
	var log strings.Builder
	s := newSite(t, func(d *handlers.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, token := s.application(t, ana, "Bot")
	owner := s.signedIn(t, ana)
	value := owner.valueOf(app, token)
	check := func(text string, status int, words ...string) {
		t.Helper()
		got := owner.post(checkPath, "value", text)
		got.expect(t, status, words...)
		if strings.Contains(got.body, value) || len(text) > 2 && strings.Contains(got.body, text) {
			t.Errorf("%q comes back", text)
		}
		if got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control is %q", got.Header.Get("Cache-Control"))
		}
		if typed, _ := got.field("value"); typed != "" {
			t.Errorf("the form holds %q", typed)
		}
	}
	owner.get(checkPath).expect(t, http.StatusOK, "Check a token")
	check("", http.StatusUnprocessableEntity, "Paste a token.")
	check(value, http.StatusOK, "This token is good", "It expires in 5 hours", "It has: api.", "Bot")
	check(" \"Bearer "+value+"\"", http.StatusOK, "This token is good", "Quotes or punctuation stood around it", "The word Bearer stood in front of it")
	check(value[:len(value)-1]+"!", http.StatusOK, "This is not a token")
	check(value+"x", http.StatusOK, "The last characters do not fit", "The value was cut or mistyped")
	check(app.ClientID, http.StatusOK, "This is a client ID, not a token")
	check("lk_cs_"+value[6:], http.StatusOK, "This is a client secret, not a token")
	s.refuse(t, app, token, value, models.RefusedScope)
	check(value, http.StatusOK, "Calls with it were refused 3 times in the last 30 days, the last one just now")
	if err := s.db.SwitchApplication(t.Context(), ana, app.ID, false); err != nil {
		t.Fatal(err)
	}
	check(value, http.StatusOK, "The application of this token is switched off")
	if err := s.db.SwitchApplication(t.Context(), ana, app.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.db.RevokeToken(t.Context(), ana, app.ID, token); err != nil {
		t.Fatal(err)
	}
	s.db.Wait(time.Minute)
	check(value, http.StatusOK, "This token was revoked", "It was revoked by ana 1 minute ago")
	if strings.Contains(log.String(), value) || !strings.Contains(log.String(), checkPath) {
		t.Errorf("log: %s", log.String())
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action LIKE '%heck%'"); n != 0 {
		t.Errorf("%d events", n)
	}
}

// The script sends the hash and is answered with the verdict alone. D3: of another team's
// token it says, byte for byte, what it says of none.
func TestCheckTokenByHash(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	app, token := s.application(t, ana, "Bot")
	owner, neighbour := s.signedIn(t, ana), s.signedIn(t, eve)
	value := owner.valueOf(app, token)
	got := owner.post(checkPath, "mistake", "", "hash", hashOf(value), "around", "quotes", "around", "else")
	got.expect(t, http.StatusOK, "This token is good", "Quotes or punctuation")
	if strings.Contains(got.body, "<html") || !strings.Contains(got.body, "data-verdict") {
		t.Errorf("the answer is %s", got.body)
	}
	owner.post(checkPath, "mistake", "short").expect(t, http.StatusOK, "This is too short for a token")
	s.refuse(t, app, token, value, models.RefusedRevoked)
	const nobodys = "lk_at_BDKrxlqsQHqxz2hudC25OJwJnytGGRjd0M8BXeORlrM4DMfow"
	for _, fields := range [][2][]string{
		{{"mistake", "", "hash", hashOf(value)}, {"mistake", "", "hash", hashOf(nobodys)}},
		{{"value", value}, {"value", nobodys}},
	} {
		foreign, none := neighbour.post(checkPath, fields[0]...), neighbour.post(checkPath, fields[1]...)
		foreign.expect(t, http.StatusOK, "Latchkey does not know this token, or it is another team's")
		if foreign.body != none.body {
			t.Errorf("of another team's: %s\nof none: %s", foreign.body, none.body)
		}
	}
	for _, bad := range [][]string{{"mistake", "odd"}, {"mistake", ""}, {"mistake", "", "hash", "zz"}, {"mistake", "digits", "hash", hashOf("x")[:62]}, {"mistake", "digits"}} {
		if got := owner.post(checkPath, bad...); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", bad, got.Status)
		}
	}
	s.browser(t).post(checkPath, "value", value).expect(t, http.StatusSeeOther) // nobody is signed in
}

// R1: one person asks 60 times a minute.
func TestCheckTokenIsLimited(t *testing.T) {
	s := newSite(t)
	ana, vic := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "vic", models.RoleViewer)
	owner := s.signedIn(t, ana)
	for range 60 {
		owner.post(checkPath, "value", "x").expect(t, http.StatusOK)
	}
	if got := owner.post(checkPath, "value", "x"); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("the 61st: %s", got.Status)
	}
	s.signedIn(t, vic).post(checkPath, "value", "x").expect(t, http.StatusOK)
	s.db.Wait(time.Minute)
	owner.post(checkPath, "value", "x").expect(t, http.StatusOK)
}
