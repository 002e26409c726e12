package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// operator adds an account that runs the installation.
func (s *site) operator(t testing.TB, team, name string) models.Actor {
	t.Helper()
	actor := s.member(t, team, name, models.RoleOwner)
	if err := s.db.MakeOperator(t.Context(), models.CommandLine, actor.UserID); err != nil {
		t.Fatal(err)
	}
	return actor
}

// adminPathOf fills in the parameters of a route of operators.
func adminPathOf(route handlers.Route, user, team, server, plan string) string {
	return strings.NewReplacer(":user", user, ":team", team, ":server", server, ":plan", plan).Replace(route.Path)
}

func (s *site) resourceServer(t testing.TB, name string) models.ResourceServer {
	t.Helper()
	server := models.ResourceServer{ID: store.NewID(), Name: name, ClientID: store.NewID(), Hash: secrets.Hash(models.NewSecret("old"))}
	if err := s.db.AddResourceServer(t.Context(), models.CommandLine, server); err != nil {
		t.Fatal(err)
	}
	return server
}

// D2: whoever is no operator gets 403 on every page, real object or not, sees no link,
// and changes nothing.
func TestAdministrationIsForOperators(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	server, plan := s.resourceServer(t, "API"), s.plan(t, ana.TeamID, models.Plan{Name: "Pro", Points: 1000})
	owner := s.signedIn(t, ana)
	owner.get("/user/api_v2/applications").expect(t, http.StatusOK)
	if strings.Contains(owner.get("/user/api_v2/applications").body, "/admin") {
		t.Error("an owner sees the link")
	}
	events := len(s.db.Events(t, ""))
	for _, route := range s.pages.Table() {
		if !route.Operator {
			continue
		}
		for _, path := range []string{adminPathOf(route, op.UserID, ana.TeamID, server.ID, plan.ID), adminPathOf(route, "x", "x", "x", "x")} {
			got := owner.do(route.Method, path, fieldsOf(route), nil)
			got.expect(t, http.StatusForbidden, "Only operators, who run this installation, see Administration.")
			if strings.Contains(got.body, `href="/admin`) {
				t.Errorf("%s links to pages of operators", path)
			}
		}
	}
	for _, event := range s.db.Events(t, "")[:len(s.db.Events(t, ""))-events] {
		if event.Action != models.AuditRefused { // A3
			t.Errorf("recorded %+v", event)
		}
	}
}

// Every page of operators opens, changes want a fresh proof, and what does not exist is 404.
func TestOperatorsWalkTheirPages(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	server, plan := s.resourceServer(t, "API"), s.plan(t, ana.TeamID, models.Plan{Name: "Pro", Points: 1000})
	b := s.signedIn(t, op)
	b.get("/user/api_v2/applications").expect(t, http.StatusOK, "Administration")
	if to := b.get("/admin").to(); to != "/admin/teams" {
		t.Errorf("to %q", to)
	}
	for _, route := range s.pages.Table() {
		if !route.Operator || route.Path == "/admin" {
			continue
		}
		if route.Method == http.MethodGet {
			got := b.get(adminPathOf(route, ana.UserID, ana.TeamID, server.ID, plan.ID))
			got.expect(t, http.StatusOK)
			if got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %q", route.Path, got.Header.Get("Cache-Control"))
			}
		}
		if strings.Contains(route.Path, ":") {
			got := b.do(route.Method, adminPathOf(route, "x", "x", "x", "x"), fieldsOf(route), nil)
			got.expect(t, http.StatusNotFound, "Page not found")
		}
	}
	s.db.Wait(16 * time.Minute)
	for _, route := range s.pages.Table() {
		if !route.Operator || !route.Fresh {
			continue
		}
		path := adminPathOf(route, ana.UserID, ana.TeamID, server.ID, plan.ID)
		got := b.do(route.Method, path, fieldsOf(route), nil)
		if !strings.HasPrefix(got.to(), "/confirm?next=%2Fadmin%2F") {
			t.Errorf("%s %s: %s to %q", route.Method, route.Path, got.Status, got.to())
		}
	}
	if s.db.Number(t, "SELECT COUNT(*) FROM users WHERE disabled_at <> 0")+s.db.Number(t, "SELECT COUNT(*) FROM teams WHERE suspended_at <> 0") != 0 {
		t.Error("something was changed without a proof")
	}
}

// S4: an operator's session is shorter than others'.
func TestOperatorsSessionsAreShort(t *testing.T) {
	s := newSite(t)
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	short, long := s.signedIn(t, op), s.signedIn(t, ana)
	s.db.Wait(61 * time.Minute)
	long.get("/user/api_v2/applications").expect(t, http.StatusOK)
	if got := short.get("/admin/teams"); !strings.HasPrefix(got.to(), "/login") {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

func TestSuspendingATeam(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	ben := s.member(t, "contoso", "ben", models.RoleDeveloper)
	app, _ := s.application(t, ana, "Bot")
	member, other, b := s.signedIn(t, ana), s.signedIn(t, ben), s.signedIn(t, op)
	path := "/admin/teams/" + ana.TeamID

	b.get(path+"/suspend").expect(t, http.StatusOK, "Suspend northwind ?", "refused at once")
	for _, bad := range []string{"two\nlines", "\u202eevil", strings.Repeat("x", 201)} {
		got := b.post(path+"/suspend", "reason", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if value, problem := got.field("reason"); problem == "" || len(value) < 4 {
			t.Errorf("%q: %q %q", bad, value, problem)
		}
	}
	member.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
	if got := b.post(path+"/suspend", "reason", " Unpaid <b>bill</b> "); got.to() != "/admin/teams" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	b.get("/admin/teams").expect(t, http.StatusOK, "northwind is suspended. Its tokens are refused.", "Suspended", "Unpaid <b>bill</b>")
	for _, page := range []string{"/user/api_v2/applications", "/user/api_v2/applications/" + app.ID, "/user/api_v2/access_tokens"} {
		member.get(page).expect(t, http.StatusForbidden, "northwind is suspended", "23 Nov 2026, 16:00 UTC", "The reason given: Unpaid <b>bill</b>")
	}
	member.post("/user/api_v2/applications/"+app.ID+"/secret/reveal").expect(t, http.StatusForbidden, "northwind is suspended")
	s.signedIn(t, ana).get("/user/api_v2/applications").expect(t, http.StatusForbidden, "northwind is suspended")
	other.get("/user/api_v2/applications").expect(t, http.StatusOK)

	if got := b.post(path + "/resume"); got.to() != "/admin/teams" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	member.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
}

// D3: an operator is no member: another team's objects are 404, as for everyone.
func TestOperatorsSeeNoValuesOfOtherTeams(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	b := s.signedIn(t, op)
	for _, route := range s.pages.Table() {
		if strings.Contains(route.Path, ":id") {
			b.do(route.Method, pathOf(route, app.ID, token), fieldsOf(route), nil).expect(t, http.StatusNotFound)
		}
	}
	assertGood(t, s, app, token)
	for _, page := range []string{"/admin/teams", "/admin/users/" + ana.UserID, "/admin/server"} {
		if body := b.get(page).body; strings.Contains(body, "lk_at_") || strings.Contains(body, "lk_cs_") || strings.Contains(body, "$argon2id$") {
			t.Errorf("%s shows a value", page)
		}
	}
}

// S3, S13: disabling ends every session at once, and the last operator stays.
func TestDisablingAUser(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	member, b := s.signedIn(t, ana), s.signedIn(t, op)
	path := "/admin/users/" + ana.UserID
	b.get(path+"/disable").expect(t, http.StatusOK, "Disable ana ?", "northwind has no other owner.")
	if got := b.post(path + "/disable"); got.to() != path {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	if got := member.get("/user/api_v2/applications"); !strings.HasPrefix(got.to(), "/login") {
		t.Errorf("the session goes on: %s", got.Status)
	}
	member.signIn(ana.Email, password).expect(t, http.StatusUnprocessableEntity, "do not match")
	b.get(path).expect(t, http.StatusOK, "The account of ana is disabled.", "Disabled", "Enable account")
	b.post(path+"/link").expect(t, http.StatusConflict)
	if got := b.post(path + "/enable"); got.to() != path {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	s.signedIn(t, ana).get("/user/api_v2/applications").expect(t, http.StatusOK)

	own := "/admin/users/" + op.UserID
	if page := b.get(own).text(); strings.Contains(page, "Disable account") || strings.Contains(page, "Take away") || !strings.Contains(page, "your own account") {
		t.Error(page)
	}
	for _, deed := range []string{"/disable", "/operator", "/factors"} {
		b.post(own+deed).expect(t, http.StatusUnprocessableEntity, "This is your own account. Ask another operator.")
	}
	b.get("/admin/users").expect(t, http.StatusOK, "op@contoso.example")
}

func TestMakingOperators(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "contoso", "ana", models.RoleViewer)
	member, b := s.signedIn(t, ana), s.signedIn(t, op)
	path := "/admin/users/" + ana.UserID
	member.get("/admin/teams").expect(t, http.StatusForbidden)
	for range 2 { // a second press does not turn it round
		if got := b.post(path+"/operator", "operator", "yes"); got.to() != path {
			t.Fatalf("%s to %q", got.Status, got.to())
		}
	}
	member.get("/admin/teams").expect(t, http.StatusOK)
	b.get(path+"/operator").expect(t, http.StatusOK, "Take Administration away from ana ?")
	for range 2 {
		b.post(path + "/operator")
	}
	member.get("/admin/teams").expect(t, http.StatusForbidden)
	s.signedIn(t, op).get("/admin/users/"+ana.UserID).expect(t, http.StatusOK, "Make them an operator")
}

func TestEndingSessionsAndFactors(t *testing.T) { // S6, S15
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	first, second, b := s.signedIn(t, ana), s.signedIn(t, ana), s.signedIn(t, op)
	path := "/admin/users/" + ana.UserID
	b.get(path).expect(t, http.StatusOK, "Open sessions 2")
	b.post(path + "/sessions")
	b.get(path).expect(t, http.StatusOK, "All sessions of ana were ended.", "Open sessions 0")
	for _, browser := range []*browser{first, second} {
		if got := browser.get("/user/api_v2/applications"); !strings.HasPrefix(got.to(), "/login") {
			t.Errorf("a session goes on: %s", got.Status)
		}
	}
	b.post(path+"/factors").expect(t, http.StatusUnprocessableEntity, "It changed in the meantime.")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET second_factor = TRUE WHERE id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	b.get("/admin/users").expect(t, http.StatusOK, "ana@northwind.example northwind · Owner On")
	b.get(path+"/factors").expect(t, http.StatusOK, "Make sure that it is them")
	b.post(path + "/factors")
	b.get(path).expect(t, http.StatusOK, "The second factor of ana was removed.", "Second factor Off")
}

var shownSecret = regexp.MustCompile(`<code data-revealed>(lk_cs_[^<]+)</code>`)

// The secret of a resource server is in one answer and nowhere else (T3).
func TestResourceServers(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.operator(t, "contoso", "op"))
	b.get("/admin/resource-servers").expect(t, http.StatusOK, "No resource servers yet")
	for _, bad := range []string{"", "\u202eevil", strings.Repeat("x", 65)} {
		got := b.post("/admin/resource-servers/new", "name", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if _, problem := got.field("name"); problem == "" {
			t.Errorf("%q: no error", bad)
		}
	}
	added := b.post("/admin/resource-servers/new", "name", "Price API")
	added.expect(t, http.StatusOK, "Resource server credentials", "This is shown once.")
	if added.Header.Get("Cache-Control") != "no-store" {
		t.Error(added.Header)
	}
	secret := shownSecret.FindStringSubmatch(added.body)
	if secret == nil {
		t.Fatal(added.text())
	}
	got := b.post("/admin/resource-servers/new", "name", "PRICE api")
	got.expect(t, http.StatusUnprocessableEntity)
	if value, problem := got.field("name"); value != "PRICE api" || !strings.Contains(problem, "already") {
		t.Errorf("%q %q", value, problem)
	}
	servers, err := s.db.ResourceServers(t.Context())
	if err != nil || len(servers) != 1 {
		t.Fatal(servers, err)
	}
	proves := func(value string) bool {
		client, err := s.db.ClientByID(t.Context(), servers[0].ClientID)
		return err == nil && secrets.Equal(client.Secrets[0].Hash, secrets.Hash(models.NewSecret(value)))
	}
	path := "/admin/resource-servers/" + servers[0].ID
	list := b.get("/admin/resource-servers")
	list.expect(t, http.StatusOK, "Price API", servers[0].ClientID)
	if strings.Contains(list.body, "lk_cs_") || !proves(secret[1]) {
		t.Error("the secret stands in the list, or does not work")
	}
	b.get(path+"/rotate").expect(t, http.StatusOK, "The old secret stops working at once.")
	rotated := shownSecret.FindStringSubmatch(b.post(path + "/rotate").body)
	if rotated == nil || rotated[1] == secret[1] || proves(secret[1]) || !proves(rotated[1]) {
		t.Error("the secret was not rotated")
	}
	b.get(path+"/remove").expect(t, http.StatusOK, "Remove Price API ?")
	if got := b.post(path + "/remove"); got.to() != "/admin/resource-servers" {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	if _, err := s.db.ClientByID(t.Context(), servers[0].ClientID); err == nil {
		t.Error("it is still there")
	}
	b.post(path+"/rotate").expect(t, http.StatusNotFound)
	for _, event := range s.db.Events(t, "") {
		if event.TargetType == "resource server" && (event.TeamID != "" || strings.Contains(event.Detail, "lk_")) {
			t.Errorf("%+v", event)
		}
	}
}

func TestNewTeam(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.operator(t, "contoso", "op"))
	for _, bad := range [][]string{{"team", "", "name", "Ana", "email", "ana@x.example"}, {"team", "T", "name", "\u202e", "email", "ana@x.example"}, {"team", "T", "name", "Ana", "email", "nobody"}, {"team", "CONTOSO", "name", "Ana", "email", "ana@x.example"}} {
		got := b.post("/admin/teams/new", bad...)
		got.expect(t, http.StatusUnprocessableEntity)
		if value, _ := got.field("name"); value != bad[3] {
			t.Errorf("%v: typed name is %q", bad, value)
		}
	}
	made := b.post("/admin/teams/new", "team", "Northwind", "name", "Ana", "email", "ana@northwind.example")
	made.expect(t, http.StatusOK, "Password link", "for 7 days", "shown once")
	link := shownLink(t, made)
	s.db.Wait(6 * 24 * time.Hour)
	ana := s.browser(t)
	ana.signIn("ana@northwind.example", "").expect(t, http.StatusUnprocessableEntity)
	ana.get(link).expect(t, http.StatusOK, "Set a new password", "Ana")
	if got := ana.post(link, "password", "seven gulls over Brest again"); got.to() != "/user/api_v2/applications" {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	ana.get("/user/api_v2/applications").expect(t, http.StatusOK, "Northwind", "Owner")
	b = s.signedIn(t, s.operator(t, "fabrikam", "op2"))
	if got := b.post("/admin/teams/new", "team", "Southwind", "name", "x", "email", "ANA@northwind.example"); got.to() != "/admin/teams" {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.get("/admin/teams").expect(t, http.StatusOK, "Southwind was created. Ana is its owner.")
}

func TestServerPage(t *testing.T) {
	s := newSite(t, func(d *handlers.Deps) {
		d.Installation = models.Installation{Version: "v9.9", StartedAt: models.At(d.Now()), Settings: []models.Setting{
			{Name: "LATCHKEY_LOG", Default: "text", Set: true, Open: true, Value: "json"}, {Name: "LATCHKEY_SMTP_URL", Set: true}, {Name: "LATCHKEY_DOCS_URL", Open: true},
			{Name: "LATCHKEY_UNNAMED", Default: "off"},
		}}
	})
	op := s.operator(t, "contoso", "op")
	s.application(t, op, "Bot")
	b := s.signedIn(t, op)
	b.get("/admin/server").expect(t, http.StatusOK, "v9.9", "Started Just now", "Users 1", "Applications 2", "manual 1 0 0", "LATCHKEY_LOG json text", "LATCHKEY_SMTP_URL Set None", "LATCHKEY_DOCS_URL Not set None", "LATCHKEY_UNNAMED off off", "No mail goes out")
	space := []string{"Database file", "Free in the file", "Write-ahead log"}
	if s.db.OnPostgres() { // which sees to both itself
		space = []string{"Just now Database "}
	}
	b.get("/admin/server").expect(t, http.StatusOK, space...)
	b.post("/admin/server/mail").expect(t, http.StatusNotFound)
	s.application(t, op, "Other")
	b.get("/admin/server").expect(t, http.StatusOK, "Applications 3", "manual 1 0 0")
	s.db.Wait(time.Minute)
	b.get("/admin/server").expect(t, http.StatusOK, "manual 2 0 0")
}

func TestAdminSearch(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.operator(t, "contoso", "op"))
	for range 26 {
		name := "worker" + store.NewID()[24:]
		s.db.Member(t, "team of "+name, name, models.RoleOwner)
	}
	for _, page := range []string{"/admin/users", "/admin/teams"} {
		b.get(page).expect(t, http.StatusOK, "1 to 25 of 27")
		b.get(page+"?page=2&q=worker").expect(t, http.StatusOK, "26 to 26 of 26")
		b.get(page+"?page=9").expect(t, http.StatusOK, "Nothing on this page")
		b.get(page+"?q="+url.QueryEscape(`"><svg onload=alert(1)>`)).expect(t, http.StatusOK, "Nothing matches")
		b.get(page+"?q=%ff%00&page=x").expect(t, http.StatusOK)
		b.get(page+"?q="+strings.Repeat("é", 300)).expect(t, http.StatusOK, "Nothing matches")
	}
}
