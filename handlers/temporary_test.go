package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

const (
	tokensPage    = "/user/api_v2/access_tokens"
	revealPath    = tokensPage + "/temporary/reveal"
	replacePath   = tokensPage + "/temporary/replace"
	countedTokens = "SELECT COUNT(*) FROM tokens WHERE kind = 'temporary'"
)

func (s *site) builtIn(t *testing.T, actor models.Actor) models.Application {
	t.Helper()
	list, err := s.db.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{Search: models.BuiltInName})
	if err != nil || len(list.Rows) != 1 {
		t.Fatal(list, err)
	}
	return list.Rows[0].Application
}

// temporary asks for the value as the script does.
func (b *browser) temporary(t *testing.T) string {
	t.Helper()
	got := b.do(http.MethodPost, revealPath, values(), http.Header{"Accept": {"application/json"}})
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" || !tokens.WellFormed(answer.Value) {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	return answer.Value
}

// refused is why the store says that a token is not good.
func (s *site) refused(t *testing.T, value string) models.Refusal {
	t.Helper()
	bearer, err := s.db.TokenByHash(t.Context(), secrets.Hash(models.NewSecret(value)))
	if err != nil {
		t.Fatal(err)
	}
	reason, _ := bearer.Refused(s.db.Now())
	return reason
}

// Looking makes nothing: the token is made when it is first asked for, once.
func TestTemporaryTokenIsMadeWhenAskedFor(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app := s.builtIn(t, ana)
	owner := s.signedIn(t, ana)
	for range 50 {
		owner.get(tokensPage).expect(t, http.StatusOK, "Temporary token", "Changes in 8 h")
	}
	for _, path := range []string{replacePath, "/user/api_v2/applications", "/user/api_v2/applications/" + app.ID, tokensPage + "?application=" + app.ID} {
		owner.get(path).expect(t, http.StatusOK)
	}
	if n := s.db.Number(t, countedTokens); n != 0 {
		t.Fatalf("looking made %d", n)
	}
	s.db.Wait(time.Minute)
	value := owner.temporary(t)
	if again := owner.temporary(t); again != value || s.db.Number(t, countedTokens) != 1 {
		t.Error("it changed")
	}
	page := owner.get(tokensPage)
	page.expect(t, http.StatusOK, "temporary token ending in "+value[len(value)-4:], "Changes in 7 h 59 min", "Next change: 24 Nov 2026, 00:00 UTC ; the value before stays good for 5 minutes more.",
		"It changes every 12 hours and needs no application.", "Not for production:", "Use a token of an application instead", "No applications yet", "Replace now")
	if strings.Contains(page.body, value) { // D4
		t.Error("the page holds the value")
	}
	var made, shown int
	for _, event := range s.db.Events(t, ana.TeamID) {
		switch event.Action {
		case models.AuditTemporaryMade:
			made++
		case models.AuditTokenShown:
			shown++
		default:
		}
	}
	if made != 1 || shown != 2 {
		t.Errorf("%d made, %d shown", made, shown)
	}
}

// Without the script the answer page shows the value, with the application that was chosen.
func TestTemporaryTokenWithoutScript(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	owner := s.signedIn(t, ana)
	shown := owner.post(revealPath)
	shown.expect(t, http.StatusOK, "lk_at_", "Hide temporary token", "No applications yet")
	if shown.Header.Get("Cache-Control") != "no-store" {
		t.Error("it may be stored")
	}
	s.application(t, ana, "Bot")
	other, _ := s.application(t, ana, "Other")
	shown = owner.post(revealPath, "application", other.ID)
	shown.expect(t, http.StatusOK, owner.temporary(t), "Tokens of Other")
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	foreign, _ := s.application(t, eve, "Theirs")
	owner.post(revealPath, "application", foreign.ID).expect(t, http.StatusNotFound)
}

// T4: whoever asks, and however many at once, a member has one and another member another.
func TestManyBrowsersAskForTheTemporaryToken(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	owner, developer := s.signedIn(t, ana), s.signedIn(t, jon)
	got := make([]string, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			answer := owner.do(http.MethodPost, revealPath, values(), http.Header{"Accept": {"application/json"}})
			got[i] = answer.body
		})
	}
	wg.Wait()
	for _, body := range got {
		if body != got[0] || !strings.Contains(body, "lk_at_") {
			t.Errorf("%s and %s", body, got[0])
		}
	}
	if strings.Contains(got[0], developer.temporary(t)) || s.db.Number(t, countedTokens) != 2 {
		t.Error("two members have one token")
	}
}

// Another member sees that there is one, and by no way its value.
func TestNobodySeesAnothersTemporaryToken(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	app := s.builtIn(t, ana)
	value := s.signedIn(t, jon).temporary(t)
	list, err := s.db.TemporaryTokens(t.Context(), ana.TeamID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	owner, at := s.signedIn(t, ana), "/user/api_v2/applications/"+app.ID
	page := owner.get(at)
	page.expect(t, http.StatusOK, "Temporary tokens", "jon", "token ending in "+value[len(value)-4:], "Revoke all tokens", "Switch off")
	for _, not := range []string{value, "Client credentials", "Generate New Token", "Delete application", "data-reveal", "data-copy-secret", "/edit", "/secret", "/keys"} {
		if strings.Contains(page.body, not) {
			t.Errorf("the page holds %q", not)
		}
	}
	owner.post(at+"/tokens/"+list[0].ID+"/reveal").expect(t, http.StatusNotFound)
	// One may be ended by those who manage tokens, like any other.
	owner.get(at+"/tokens/"+list[0].ID+"/revoke").expect(t, http.StatusOK, "Revoke this token?")
	if got := owner.post(at + "/tokens/" + list[0].ID + "/revoke"); got.to() != at || s.refused(t, value) != models.RefusedRevoked {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

// What does not apply to the built-in application is not there.
func TestBuiltInApplicationHasNothingToSet(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app := s.builtIn(t, ana)
	owner, at := s.signedIn(t, ana), "/user/api_v2/applications/"+app.ID
	value := owner.temporary(t)
	list, _ := s.db.TemporaryTokens(t.Context(), ana.TeamID)
	for _, path := range []string{"/edit", "/delete", "/secret", "/secret/retire", "/secret/remove", "/keys", "/tokens", "/keys/x/remove", "/tokens/" + list[0].ID + "/regenerate"} {
		owner.get(at+path).expect(t, http.StatusNotFound)
	}
	for _, path := range []string{"", "/delete", "/secret", "/secret/retire", "/secret/remove", "/secret/reveal", "/keys", "/keys/x/remove", "/tokens", "/tokens/" + list[0].ID + "/regenerate", "/keep"} {
		owner.post(at+path, "name", "Mine", "lifespan", "60", "confirm", app.Name, "reason", "idle", "overlap", "0").expect(t, http.StatusNotFound)
	}
	if again := s.builtIn(t, ana); again.Version != app.Version || again.Name != models.BuiltInName || s.refused(t, value) != "" {
		t.Errorf("it was changed: %+v", again)
	}
}

// Replace ends the value at once, the one before too; the next is another.
func TestReplacingTheTemporaryToken(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	s.db.Until(models.At(time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)))
	developer := s.signedIn(t, jon)
	before := developer.temporary(t)
	s.db.Wait(2 * time.Minute)
	now, another := developer.temporary(t), s.signedIn(t, ana).temporary(t)
	if before == now || s.refused(t, before) != "" {
		t.Error("it did not change, or the one before ended")
	}
	developer.get(replacePath).expect(t, http.StatusOK, "Replace your temporary token?", "stops working at once")
	if got := developer.post(replacePath); got.to() != tokensPage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	developer.get(tokensPage).expect(t, http.StatusOK, "Your temporary token was replaced.")
	if s.refused(t, before) != models.RefusedRevoked || s.refused(t, now) != models.RefusedRevoked || s.refused(t, another) != "" {
		t.Errorf("%q %q %q", s.refused(t, before), s.refused(t, now), s.refused(t, another))
	}
	if event := s.db.Events(t, jon.TeamID)[0]; event.Action != models.AuditTemporaryReplaced || event.Detail != "2 tokens revoked" {
		t.Errorf("%+v", event)
	}
	if next := developer.temporary(t); next == now || s.refused(t, next) != "" {
		t.Error("the next one is the same, or refused")
	}
	developer.post(replacePath)
	developer.post(replacePath)
	developer.get(tokensPage).expect(t, http.StatusOK, "You had no temporary token.")
}

// Revoke in the row of the built-in application replaces everybody's.
func TestRevokingTheBuiltInApplication(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	app := s.builtIn(t, ana)
	owner, developer := s.signedIn(t, ana), s.signedIn(t, jon)
	own, theirs := owner.temporary(t), developer.temporary(t)
	path := "/user/api_v2/applications/" + app.ID + "/revoke"
	owner.get("/user/api_v2/applications").expect(t, http.StatusOK, "No applications yet", "Temporary (IDE) Built-in", "Tokens of Temporary (IDE)", "Revoke all tokens of Temporary (IDE)")
	owner.get(path).expect(t, http.StatusOK, "Every member’s temporary token stops working at once: 2 active tokens now. Each member gets a new one when they next ask for it.")
	owner.post(path)
	owner.get("/user/api_v2/applications").expect(t, http.StatusOK, "2 tokens of Temporary (IDE) were revoked.")
	if s.refused(t, own) != models.RefusedRevoked || s.refused(t, theirs) != models.RefusedRevoked {
		t.Errorf("%q %q", s.refused(t, own), s.refused(t, theirs))
	}
	if next := developer.temporary(t); next == theirs || s.refused(t, next) != "" {
		t.Error("there is no new one")
	}
}

// A team may do without: who asks is told, and nothing is made.
func TestTemporaryTokensSwitchedOff(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app := s.builtIn(t, ana)
	owner := s.signedIn(t, ana)
	value := owner.temporary(t)
	owner.post("/user/api_v2/applications/" + app.ID + "/disable")
	if s.refused(t, value) != models.RefusedDisabled {
		t.Errorf("%q", s.refused(t, value))
	}
	owner.get(tokensPage).expect(t, http.StatusOK, "Temporary (IDE) was", "Your team has switched temporary tokens off.")
	owner.do(http.MethodPost, revealPath, values(), http.Header{"Accept": {"application/json"}}).expect(t, http.StatusConflict)
	if got := owner.post(revealPath); got.to() != tokensPage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	owner.post("/user/api_v2/applications/" + app.ID + "/enable")
	if again := owner.temporary(t); again != value {
		t.Error("it is another one")
	}
}

// T4, D2: a viewer has none, and neither has a developer who was made one.
func TestViewersAskForNoTemporaryToken(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	developer := s.signedIn(t, jon)
	value := developer.temporary(t)
	if _, err := s.db.ChangeRole(t.Context(), ana, jon.UserID, models.RoleViewer); err != nil {
		t.Fatal(err)
	}
	developer.post(revealPath).expect(t, http.StatusForbidden)
	developer.post(replacePath).expect(t, http.StatusForbidden)
	if page := developer.get(tokensPage); strings.Contains(page.body, "Temporary token") || s.refused(t, value) != models.RefusedRevoked {
		t.Errorf("%q", s.refused(t, value))
	}
}

// The Tokens link of the row leads to the reader's own token; no manual one is made there.
func TestTokensOfTheBuiltInApplication(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app := s.builtIn(t, ana)
	s.application(t, ana, "Zebra") // sorts after the built-in one, which is not chosen by itself
	owner := s.signedIn(t, ana)
	owner.get(tokensPage).expect(t, http.StatusOK, "Tokens of Zebra", "Generate New Token")
	page := owner.get(tokensPage + "?application=" + app.ID)
	page.expect(t, http.StatusOK, "Temporary token", "Changes in", "Tokens of Temporary (IDE)")
	if strings.Contains(page.text(), "Generate New Token") {
		t.Error("it offers to generate one")
	}
}
