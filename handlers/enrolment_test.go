package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

// S17, S5: an app counts once a code of it was given; other sessions end then.
func TestSetUpAnAuthenticatorApp(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b, other := s.signedIn(t, ana), s.signedIn(t, ana)
	b.get(factorPage).expect(t, http.StatusOK, "Second factor", "Authenticator app", "Set up")
	page := b.post(factorPage + "/app")
	page.expect(t, http.StatusOK, "Set up an authenticator app", "Or enter this key by hand")
	a := app{s, seedOn(t, page)}
	if page.Header.Get("Cache-Control") != "no-store" || len(a.seed) != 32 || !strings.Contains(page.body, "<svg role=\"img\"") {
		t.Errorf("the page of the seed: %q, %d characters", page.Header.Get("Cache-Control"), len(a.seed))
	}
	var stored string
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT data FROM ceremonies WHERE kind <> 'setup'").Scan(&stored); err != nil || strings.Contains(stored, a.seed) { // T3
		t.Errorf("the seed waits as %q, %v", stored, err)
	}
	got := b.post(factorPage+"/app/confirm", "code", wrongCode(t, a))
	got.expect(t, http.StatusUnprocessableEntity, "That code does not fit.")
	if seedOn(t, got) != a.seed || s.db.Number(t, "SELECT COUNT(*) FROM users WHERE second_factor") != 0 || !other.signedInNow() {
		t.Error("another seed after a wrong code, or it counts already")
	}
	codes := codesOn(t, b.post(factorPage+"/app/confirm", "code", a.code(t, 0)))
	if s.db.Number(t, "SELECT COUNT(*) FROM users WHERE second_factor") != 1 || other.signedInNow() || !b.signedInNow() {
		t.Error("it does not count, or the wrong sessions ended")
	}
	var sealed []byte
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT sealed FROM authenticators").Scan(&sealed); err != nil || strings.Contains(string(sealed), a.seed) {
		t.Errorf("stored as %x, %v", sealed, err)
	}
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditSecondFactorAdded || event.Detail != "Authenticator app" || event.TargetID != ana.UserID || event.RequestID == "" {
		t.Errorf("recorded as %+v", event)
	}
	for _, event := range s.db.Events(t, "") { // A2
		for _, value := range append(codes, a.seed) {
			if strings.Contains(event.Detail+event.Target, value) {
				t.Errorf("an event holds a value: %+v", event)
			}
		}
	}
	shown := b.get(factorPage)
	shown.expect(t, http.StatusOK, "Authenticator app On", "10 of 10 codes left.")
	for _, value := range append(codes, a.seed) { // P11
		if strings.Contains(shown.body, value) {
			t.Error("the page shows a value again")
		}
	}
	b.post(factorPage+"/app/confirm", "code", a.code(t, 0))
	b.get(factorPage).expect(t, http.StatusOK, "That took too long, or was done already.")
}

// An enrolment is its beginner's, and for ten minutes. S7: it begins with a fresh proof.
func TestEnrolmentsAreBound(t *testing.T) {
	s := newSite(t)
	ana, ben := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "ben", models.RoleViewer)
	b := s.signedIn(t, ana)
	a := app{s, seedOn(t, b.post(factorPage+"/app"))}
	step := b.cookie("latchkey_app").Value
	theirs := s.signedIn(t, ben)
	theirs.do(http.MethodPost, factorPage+"/app/confirm", values("code", a.code(t, 0)),
		http.Header{"Cookie": {"latchkey_session=" + theirs.cookie("latchkey_session").Value + "; latchkey_app=" + step}})
	s.db.Wait(10 * time.Minute)
	b.post(factorPage+"/app/confirm", "code", a.code(t, 0)).expect(t, http.StatusSeeOther)
	if n := s.db.Number(t, "SELECT COUNT(*) FROM authenticators"); n != 0 {
		t.Errorf("%d apps", n)
	}
	s.db.Wait(6 * time.Minute)
	asked := b.post(factorPage + "/app")
	at, err := url.Parse(asked.to())
	if err != nil || at.Path != "/confirm" || at.Query().Get("next") != factorPage {
		t.Fatalf("%s to %q", asked.Status, asked.to())
	}
	a.seed = seedOn(t, b.post("/confirm", "password", password, "next", factorPage, "deed", at.Query().Get("deed")))
	codesOn(t, b.post(factorPage+"/app/confirm", "code", a.code(t, 0)))
	// Options that waited are not shown as a page.
	s.db.Wait(16 * time.Minute)
	at, _ = url.Parse(b.post(factorPage+"/passkeys/options", "name", "x").to())
	if got := b.post("/confirm", "password", password, "deed", at.Query().Get("deed")); got.to() != factorPage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

// A second app takes the place of the first, and leaves the recovery codes.
func TestAnotherApp(t *testing.T) {
	s := newSite(t)
	ana, old, codes := s.withApp(t, "ana")
	b := s.atSecondStep(t, ana)
	b.post("/login/second-factor", "code", old.code(t, 0))
	s.db.Wait(time.Minute)
	fresh, done := b.enrolApp()
	if done.to() != factorPage || s.db.Events(t, ana.TeamID)[0].Detail != "Authenticator app, in place of the one before" {
		t.Fatalf("%s %s", done.Status, done.text())
	}
	s.atSecondStep(t, ana).post("/login/second-factor", "code", old.code(t, 0)).expect(t, http.StatusUnprocessableEntity)
	if got := s.atSecondStep(t, ana).post("/login/second-factor", "code", fresh.code(t, 0)); got.StatusCode != http.StatusSeeOther {
		t.Error(got.Status)
	}
	if got := s.atSecondStep(t, ana).post("/login/second-factor", "use", "recovery", "recovery", codes[0]); got.StatusCode != http.StatusSeeOther {
		t.Error(got.Status)
	}
}

// S18, S5: a person removes any factor; the last takes the recovery codes along.
func TestRemoveFactors(t *testing.T) {
	s := newSite(t, localhost)
	ana, d, _ := s.withPasskey(t, "ana")
	b := s.signedInByPasskey(t, d)
	a, _ := b.enrolApp()
	var id string
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT id FROM passkeys").Scan(&id); err != nil {
		t.Fatal(err)
	}
	other := s.signedInByPasskey(t, d)
	waiting := s.atSecondStep(t, ana)
	remove := factorPage + "/passkeys/" + id + "/remove"
	page := b.get(remove)
	page.expect(t, http.StatusOK, "Remove the passkey Laptop?")
	if strings.Contains(page.text(), "last second factor") {
		t.Error("it is not the last")
	}
	if got := b.post(remove); got.to() != factorPage || other.signedInNow() {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	// Who was on the way when the factors changed begins again.
	waiting.post("/login/second-factor", "code", a.code(t, 0)).expect(t, http.StatusUnprocessableEntity, "Sign in again.")
	s.browser(t).passkeySignIn(d).expect(t, http.StatusUnprocessableEntity)
	b.get(factorPage+"/app/remove").expect(t, http.StatusOK, "It is your last second factor")
	b.post(factorPage+"/app/remove").expect(t, http.StatusSeeOther)
	b.get(factorPage).expect(t, http.StatusOK, "The authenticator app was removed. Your other sessions were ended.")
	for _, table := range []string{"authenticators", "passkeys", "recovery_codes"} {
		if n := s.db.Number(t, "SELECT COUNT(*) FROM "+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if got := s.browser(t).signIn(ana.Email, password); got.to() != "/user/api_v2/applications" || s.db.Number(t, "SELECT COUNT(*) FROM users WHERE second_factor") != 0 {
		t.Errorf("the password alone: %s to %q", got.Status, got.to())
	}
	for _, path := range []string{"/app/remove", "/recovery-codes"} {
		b.get(factorPage+path).expect(t, http.StatusNotFound)
		b.post(factorPage+path).expect(t, http.StatusNotFound)
	}
	var actions []models.AuditAction
	for _, event := range s.db.Events(t, ana.TeamID) {
		if event.TargetID == ana.UserID {
			actions = append(actions, event.Action)
		}
	}
	for _, want := range []models.AuditAction{models.AuditPasskeyAdded, models.AuditPasskeyRemoved, models.AuditSecondFactorAdded, models.AuditSecondFactorRemoved} {
		if !slices.Contains(actions, want) {
			t.Errorf("%s is not recorded", want)
		}
	}
}

// S16: where the team requires a second factor, members without one get nothing but its
// enrolment, on every route of the table.
func TestATeamRequiresASecondFactor(t *testing.T) {
	s := newSite(t, localhost)
	ana, d, _ := s.withPasskey(t, "ana")
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	bot, token := keyed(t, s, ana, "Bot")
	owner, member := s.signedInByPasskey(t, d), s.signedIn(t, vic)
	member.get("/user/team/second-factor").expect(t, http.StatusForbidden)
	member.post("/user/team/second-factor", "required", "1").expect(t, http.StatusForbidden)
	owner.get("/user/team/second-factor").expect(t, http.StatusOK, "Require a second factor?", "1 member has none.")
	owner.post("/user/team/second-factor", "required", "yes").expect(t, http.StatusBadRequest)
	if got := owner.post("/user/team/second-factor", "required", "1"); got.to() != "/user/team" {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditSecondFactorRequired || event.Target != "northwind" {
		t.Errorf("recorded as %+v", event)
	}
	owner.get("/user/team/second-factor").expect(t, http.StatusOK, "Stop requiring a second factor?")
	for _, route := range s.pages.Table() {
		if route.Public || strings.HasSuffix(route.Path, "/logout") {
			continue
		}
		path := pathOf(route, bot.ID, token)
		got := member.do(route.Method, path, fieldsOf(route), nil)
		if led := got.to() == factorPage; led == route.Enrolling && route.Path != "/user/profile/second-factor/app/confirm" && route.Path != "/user/profile/second-factor/passkeys/options" {
			t.Errorf("%s %s: %s to %q", route.Method, path, got.Status, got.to())
		}
		if !route.Enrolling {
			json := member.do(route.Method, path, fieldsOf(route), http.Header{"Accept": {"application/json"}})
			json.expect(t, http.StatusForbidden, `{"confirm":"/user/profile/second-factor"}`)
		}
	}
	assertGood(t, s, bot, token)
	member.get(factorPage).expect(t, http.StatusOK, "northwind requires a second factor. Set one up to go on.")
	member.post("/theme", "theme", "dark", "return", factorPage).expect(t, http.StatusSeeOther)
	member.get("/docs/authorization").expect(t, http.StatusOK)
	member.enrolApp()
	member.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
	// And it stays, as long as it is required.
	got := member.post(factorPage + "/app/remove")
	got.expect(t, http.StatusUnprocessableEntity, "The team northwind requires a second factor, and this is your last. Add another one first.")
	member.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
	owner.post("/user/team/second-factor", "required", "0").expect(t, http.StatusSeeOther)
	member.post(factorPage+"/app/remove").expect(t, http.StatusSeeOther)
	member.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot")
}

// An owner without a second factor is led to one first, and cannot lock themself out.
func TestOwnersGoFirst(t *testing.T) { // S16
	s := newSite(t)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	for _, fields := range []url.Values{nil, values("required", "1")} {
		method := http.MethodGet
		if fields != nil {
			method = http.MethodPost
		}
		if got := b.do(method, "/user/team/second-factor", fields, nil); got.to() != factorPage {
			t.Errorf("%s to %q", got.Status, got.to())
		}
		b.get(factorPage).expect(t, http.StatusOK, "Set up a second factor of your own first, then require it of the team.")
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM teams WHERE requires_second_factor"); n != 0 {
		t.Error("it is required all the same")
	}
}

// S16: an operator requires it of everybody by a setting.
func TestEverybodyNeedsASecondFactor(t *testing.T) {
	s := newSite(t, func(deps *handlers.Deps) { deps.RequireSecondFactor = true })
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	if got := b.get("/user/api_v2/applications"); got.to() != factorPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(factorPage).expect(t, http.StatusOK, "This installation requires a second factor. Set one up to go on.")
	b.enrolApp()
	b.get("/user/api_v2/applications").expect(t, http.StatusOK)
	b.post(factorPage+"/app/remove").expect(t, http.StatusUnprocessableEntity, "Everybody here needs a second factor, and this is your last. Add another one first.")
}

// K2, K7: the seed of one person does not open as another's.
func TestAMovedSeedDoesNotOpen(t *testing.T) {
	s := newSite(t)
	ana, a, _ := s.withApp(t, "ana")
	_, ben, _ := s.withApp(t, "ben")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE authenticators SET sealed = (SELECT a.sealed FROM authenticators a JOIN users u ON u.id = a.user_id WHERE u.name = 'ben') WHERE user_id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	for _, app := range []app{a, ben} {
		b := s.atSecondStep(t, ana)
		b.post("/login/second-factor", "code", app.code(t, 0)).expect(t, http.StatusInternalServerError, "Something went wrong")
		if b.signedInNow() {
			t.Error("signed in")
		}
	}
}
