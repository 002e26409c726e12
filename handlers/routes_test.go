package handlers_test

import (
	stdcontext "context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func context() stdcontext.Context { return stdcontext.Background() }

// pathOf fills in the parameters of a route. The key of an application has its ID here.
func pathOf(route handlers.Route, app, token string) string {
	return strings.NewReplacer(":id", app, ":tid", token, ":kid", app, ":sid", app).Replace(route.Path)
}

// keyed makes an application with a manual token and a public key.
func keyed(t *testing.T, s *site, actor models.Actor, name string) (models.Application, string) {
	t.Helper()
	app, token := s.application(t, actor, name)
	key := models.ClientKey{ID: app.ID, Name: "laptop", JWK: "{}", Thumbprint: "t", Description: "Ed25519"}
	if err := s.db.AddClientKey(t.Context(), actor, app.ID, key, ""); err != nil {
		t.Fatal(err)
	}
	return app, token
}

func fieldsOf(route handlers.Route) url.Values {
	if route.Method != http.MethodPost {
		return nil
	}
	return url.Values{}
}

// D2: a route that is not public names what it needs.
func TestEveryRouteNamesWhoMay(t *testing.T) {
	for _, route := range newSite(t).pages.Table() {
		named := 0
		for _, says := range []bool{route.Public, route.SignedIn, route.Operator, route.May != ""} {
			if says {
				named++
			}
		}
		if named != 1 {
			t.Errorf("%s %s: %+v", route.Method, route.Path, route.Access)
		}
		if strings.HasSuffix(route.Path, "/reveal") && (route.May != models.MayReveal || !route.Fresh || route.Method != http.MethodPost) {
			t.Errorf("%s %s is not guarded as a value", route.Method, route.Path)
		}
	}
}

func TestSignedOutLeadsToSignIn(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	for _, route := range s.pages.Table() {
		if route.Public {
			continue
		}
		path := pathOf(route, app.ID, token)
		got := s.browser(t).do(route.Method, path, fieldsOf(route), nil)
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/login?next=%2F") {
			t.Errorf("%s %s: %s to %q", route.Method, path, got.Status, got.to())
		}
	}
	assertGood(t, s, app, token)
}

// Roles are enforced by the server, whatever buttons a page shows.
func TestViewersAreRefusedWhatTheyMayNot(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	app, token := keyed(t, s, ana, "Bot")
	viewer := s.signedIn(t, vic)
	for _, route := range s.pages.Table() {
		if route.Public || route.SignedIn {
			continue
		}
		path := pathOf(route, app.ID, token)
		got := viewer.do(route.Method, path, fieldsOf(route), nil)
		if route.Operator {
			got.expect(t, http.StatusForbidden, "Only operators, who run this installation, see Administration.")
			continue
		}
		if route.May != models.MayView {
			got.expect(t, http.StatusForbidden, "Your role, Viewer, does not allow this.")
			continue
		}
		if got.StatusCode == http.StatusForbidden || got.StatusCode >= 500 {
			t.Errorf("%s %s: %s", route.Method, path, got.Status)
		}
		for _, value := range []string{"lk_at_", "lk_cs_"} { // D4
			if strings.Contains(got.body, value) {
				t.Errorf("%s %s shows a viewer %s", route.Method, path, value)
			}
		}
	}
	assertGood(t, s, app, token)
}

// D3: another team's object and one that does not exist get the same bytes.
func TestAnotherTeamsObjectsDoNotExist(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	own, _ := keyed(t, s, eve, "Own")
	neighbour := s.signedIn(t, eve)
	for _, route := range s.pages.Table() {
		if !strings.Contains(route.Path, ":id") {
			continue
		}
		targets := []string{pathOf(route, app.ID, token), pathOf(route, store.NewID(), store.NewID())}
		if strings.Contains(route.Path, ":tid") {
			targets = append(targets, pathOf(route, own.ID, token))
		}
		if strings.Contains(route.Path, ":kid") {
			targets = append(targets, strings.NewReplacer(":id", own.ID, ":kid", app.ID).Replace(route.Path))
		}
		fields := fieldsOf(route)
		if fields != nil {
			fields = values("name", "Mine", "lifespan", "3600", "confirm", "Bot", "overlap", "0")
		}
		var first string
		for i, path := range targets {
			got := neighbour.do(route.Method, path, fields, nil)
			if got.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s", route.Method, path, got.Status)
			}
			body := strings.ReplaceAll(got.body, got.Header.Get("X-Request-Id"), "REQUEST")
			for _, id := range []string{app.ID, own.ID, token} {
				body = strings.ReplaceAll(body, id, "ID")
			}
			body = withoutIDs(body)
			if i == 0 {
				first = body
			} else if body != first {
				t.Errorf("%s %s answers otherwise than a random ID", route.Method, path)
			}
		}
	}
	got := neighbour.get("/user/api_v2/access_tokens?application=" + app.ID)
	got.expect(t, http.StatusNotFound)
	assertGood(t, s, app, token)
}

// withoutIDs blanks the page's own address, which the theme form holds.
func withoutIDs(body string) string {
	for {
		at := strings.Index(body, `name="return" value="`)
		if at < 0 {
			return body
		}
		end := strings.Index(body[at+21:], `"`)
		body = body[:at] + body[at+21+end:]
	}
}

// P6: a change that another site's page sends is refused on every route.
func TestCrossSitePostsAreRefused(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	owner := s.signedIn(t, ana)
	for _, route := range s.pages.Table() {
		if route.Method != http.MethodPost {
			continue
		}
		for _, header := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		} {
			got := owner.do(route.Method, pathOf(route, app.ID, token), values("confirm", "Bot", "theme", "dark"), header)
			got.expect(t, http.StatusForbidden, "Latchkey takes changes from its own pages only.")
		}
	}
	owner.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
	assertGood(t, s, app, token)
}

// assertGood checks that nothing of a refused request came through.
func assertGood(t *testing.T, s *site, app models.Application, token string) {
	t.Helper()
	detail, err := s.db.Store.Application(t.Context(), app.TeamID, app.ID)
	if err != nil || detail.Version != 1 || detail.ActiveTokens != 1 || len(detail.Secrets) != 1 || len(detail.Keys) > 1 || !detail.Enabled() {
		t.Errorf("the application was changed: %+v %v", detail, err)
	}
	if got, err := s.db.Store.Token(t.Context(), app.TeamID, app.ID, token); err != nil || got.Status(s.db.Now()) != models.StatusActive {
		t.Errorf("the token was changed: %v", err)
	}
	events := s.db.Events(t, app.TeamID)
	for _, event := range events {
		switch event.Action {
		case models.AuditTokenShown, models.AuditSecretShown:
			t.Errorf("a value was shown: %+v", event)
		case models.AuditKeyRemoved, models.AuditSecretRemoved, models.AuditSecretRotated:
			t.Errorf("a credential was changed: %+v", event)
		}
	}
}

// S7: values and rotation want a proof of identity that is under 15 minutes old.
func TestValuesWantAFreshProof(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	owner := s.signedIn(t, ana)
	s.db.Wait(14 * time.Minute)
	owner.post("/user/api_v2/applications/"+app.ID+"/secret/reveal").expect(t, http.StatusOK, "lk_cs_")
	s.db.Wait(time.Minute)
	for _, route := range s.pages.Table() {
		if !route.Fresh || route.Operator {
			continue
		}
		got := owner.do(route.Method, pathOf(route, app.ID, token), fieldsOf(route), nil)
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/confirm?next=") {
			t.Errorf("%s %s: %s to %q", route.Method, route.Path, got.Status, got.to())
		}
		json := owner.do(route.Method, pathOf(route, app.ID, token), fieldsOf(route), http.Header{"Accept": {"application/json"}})
		json.expect(t, http.StatusForbidden, `"confirm":"/confirm?next=`)
	}
	page := "/user/api_v2/applications/" + app.ID
	before := owner.cookie("latchkey_session").Value
	owner.post("/confirm", "password", "wrong password 1", "next", page).expect(t, http.StatusUnprocessableEntity, "That is not your password.")
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditConfirmFailed || event.ActorID != ana.UserID {
		t.Errorf("the wrong password is recorded as %+v", event)
	}
	if got := owner.post("/confirm", "password", password, "next", page); got.to() != page {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	if owner.cookie("latchkey_session").Value == before { // S2
		t.Error("the proof did not give a new session ID")
	}
	owner.get(page).expect(t, http.StatusOK, "Confirmed. You are not asked again for 15 minutes.")
	owner.post(page+"/tokens/"+token+"/reveal").expect(t, http.StatusOK, "lk_at_")
}
