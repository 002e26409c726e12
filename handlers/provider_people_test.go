package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/provider/providertest"
)

func TestPeopleOfTheDomainsJoin(t *testing.T) { // S21
	s, p := providerSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	p.Forge(providertest.Forgery{Claims: map[string]any{"sub": "nia-1", "email": "Nia@Joiner.example", "name": "Nia Holm", "auth_time": s.db.Now().Std().Unix()}})
	b := s.browser(t)
	if got := b.signInByProvider(); got.to() != apps {
		t.Fatalf("%s: %s", got.Status, got.text())
	}
	b.get(apps).expect(t, http.StatusOK, "Nia Holm", "Viewer", "northwind")
	events := s.db.Events(t, ana.TeamID)
	if made := events[1]; made.Action != models.AuditUserAdded || made.Target != "Nia Holm" || made.ActorName != "Nia Holm" || !strings.HasPrefix(made.Detail, "Viewer of northwind, by http://127.0.0.1") {
		t.Errorf("recorded as %+v", made)
	}
	b.post("/logout")
	if got := b.signInByProvider(); got.to() != apps || s.db.Number(t, "SELECT COUNT(*) FROM users") != 2 {
		t.Errorf("the second time: %s", got.Status)
	}
	// S12: an account without a password has none that could be guessed.
	for _, guess := range []string{"", password, "-"} {
		s.browser(t).signIn("nia@joiner.example", guess).expect(t, http.StatusUnprocessableEntity, "That email and password do not match.")
	}
	// Who the person is does not hang on the address.
	p.Forge(providertest.Forgery{Claims: map[string]any{"sub": "nia-1", "email": "nia@elsewhere.example", "email_verified": false}})
	if got := b.signInByProvider(); got.to() != apps {
		t.Errorf("with another address: %s", got.Status)
	}
	p.Become("nia-2", "nia@joiner.example", true)
	if got := s.browser(t).signInByProvider(); !strings.HasPrefix(got.to(), "/login?next=") {
		t.Errorf("another person with her address: %s %q", got.Status, got.to())
	}
}

func TestWhoMayNotJoin(t *testing.T) { // S21
	for name, test := range map[string]struct {
		email    string
		verified bool
		change   func(*provider.Settings)
		says     string
	}{
		"address not verified":    {"nia@joiner.example", false, nil, "does not vouch for your email address"},
		"another domain":          {"nia@sub.joiner.example", true, nil, "You have no account here yet"},
		"no domains":              {"nia@joiner.example", true, func(s *provider.Settings) { s.Newcomers = models.Newcomers{} }, "You have no account here yet"},
		"known address, unproved": {"ana@northwind.example", false, nil, "does not vouch for your email address"},
		"no such team":            {"nia@joiner.example", true, func(s *provider.Settings) { s.Newcomers.Team = "Southwind" }, "New accounts cannot be made just now"},
		"two such teams":          {"nia@joiner.example", true, func(s *provider.Settings) { s.Newcomers.Team = "Twins" }, "New accounts cannot be made just now"},
		"suspended team":          {"nia@joiner.example", true, func(s *provider.Settings) { s.Newcomers.Team = "Closed" }, "New accounts cannot be made just now"},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := providerSite(t, func(settings *provider.Settings) {
				if test.change != nil {
					test.change(settings)
				}
			})
			s.member(t, "northwind", "ana", models.RoleOwner)
			if _, err := s.db.Raw(t).ExecContext(t.Context(), `INSERT INTO teams (id, name, name_key, created_at, suspended_at)
				VALUES ('t1', 'Twins', ?, 1, 0), ('t2', 'twins', ?, 1, 0), ('t3', 'Closed', ?, 1, 5)`, models.FoldName("Twins"), models.FoldName("Twins"), models.FoldName("Closed")); err != nil {
				t.Fatal(err)
			}
			p.Become("nia-1", test.email, test.verified)
			b := s.browser(t)
			b.signInByProvider().expect(t, http.StatusForbidden, test.says)
			nobodyIn(t, b)
			if n := s.db.Number(t, "SELECT COUNT(*) FROM users") + s.db.Number(t, "SELECT COUNT(*) FROM identities"); n != 1 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// S21: an address alone opens no account. Its owner signs in by other means, then says so.
func TestAnAccountIsLinkedByItsOwnerAlone(t *testing.T) {
	s, p := providerSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	eve := s.member(t, "northwind", "eve", models.RoleViewer)
	p.Become("ana-7", "Ana@Northwind.example", true)
	b := s.browser(t)
	got := b.byProvider("/login/provider", "next", apps+"?q=x")
	if got.to() != "/login?next=%2Flogin%2Fprovider%2Flink" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(got.to()).expect(t, http.StatusOK, "An account with this email exists. Sign in with your password or passkey, then confirm the link to Example ID.")
	nobodyIn(t, b)

	// Somebody else who signs in in this browser gets no link.
	if got := b.post("/login", "email", eve.Email, "password", password, "next", "/login/provider/link"); got.to() != "/login/provider/link" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get("/login/provider/link").expect(t, http.StatusForbidden, "The email addresses differ")
	b.post("/login/provider/link").expect(t, http.StatusForbidden, "The email addresses differ")
	b.post("/logout")

	b.post("/login", "email", ana.Email, "password", password, "next", "/login/provider/link").expect(t, http.StatusSeeOther)
	b.get("/login/provider/link").expect(t, http.StatusOK, "Link Example ID?", "Ana@Northwind.example", ana.Email)
	if n := s.db.Number(t, "SELECT COUNT(*) FROM identities"); n != 0 {
		t.Error("linked before it was confirmed")
	}
	if got := b.post("/login/provider/link"); got.to() != apps+"?q=x" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(apps).expect(t, http.StatusOK, "Example ID was linked.")
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditProviderLinked || event.ActorID != ana.UserID || event.Target != "ana" {
		t.Errorf("recorded as %+v", event)
	}
	b.post("/login/provider/link").expect(t, http.StatusForbidden, "This sign-in is out of date")
	if got := s.browser(t).signInByProvider(); got.to() != apps {
		t.Errorf("by the link: %s %s", got.Status, got.text())
	}
}

func TestALinkWaitsTenMinutes(t *testing.T) {
	s, _ := providerSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.browser(t)
	b.signInByProvider()
	b.signIn(ana.Email, password)
	s.db.Wait(10 * time.Minute)
	b.post("/login/provider/link").expect(t, http.StatusForbidden, "This sign-in is out of date")
}

func TestLinkFromTheProfileAndUnlink(t *testing.T) { // S5, S7, S21
	s, p := providerSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	b.get("/user/profile/provider").expect(t, http.StatusOK, "Sign-in with Example ID", "Link Example ID")
	b.get("/user/profile/provider/unlink").expect(t, http.StatusNotFound)

	// A link wants a fresh proof, and goes on after it.
	s.db.Wait(15 * time.Minute)
	at, _ := url.Parse(b.post("/user/profile/provider/link").to())
	got := b.post("/confirm", "password", password, "deed", at.Query().Get("deed"))
	_, address, _ := strings.Cut(got.Header.Get("Refresh"), "0;url=")
	back := b.visit(address)
	s.signedIn(t, ana).get(back).expect(t, http.StatusForbidden, "This sign-in is out of date")
	if got := b.get(back); got.to() != "/login/provider/link" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	b.post("/login/provider/link").expect(t, http.StatusSeeOther)
	b.get("/user/profile/provider").expect(t, http.StatusOK, "Example ID was linked.", "Linked as ana@northwind.example", "Since 23 Nov 2026", "Unlink")

	if got := b.byProvider("/user/profile/provider/link"); got.to() != "/user/profile/provider" {
		t.Errorf("linking again: %s", got.Status)
	}
	eve := s.signedIn(t, s.member(t, "northwind", "eve", models.RoleViewer))
	eve.byProvider("/user/profile/provider/link").expect(t, http.StatusForbidden, "That is linked already")
	p.Become("eve-1", "other@northwind.example", true)
	eve.get(eve.byProvider("/user/profile/provider/link").to()).expect(t, http.StatusForbidden, "The email addresses differ")
	eve.post("/login/provider/link").expect(t, http.StatusForbidden, "The email addresses differ")
	p.Become("eve-1", "eve@northwind.example", false)
	eve.byProvider("/user/profile/provider/link").expect(t, http.StatusForbidden, "does not vouch for your email address")
	p.Forge(providertest.Forgery{})

	elsewhere := s.browser(t)
	elsewhere.signInByProvider().expect(t, http.StatusSeeOther)
	b.get("/user/profile/provider/unlink").expect(t, http.StatusOK, "Unlink Example ID?", "ana@northwind.example")
	var told []mail.Message
	s.pages.CatchMail(func(message mail.Message) { told = append(told, message) })
	if got := b.post("/user/profile/provider/unlink"); got.to() != "/user/profile/provider" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get("/user/profile/provider").expect(t, http.StatusOK, "Example ID was unlinked.", "Link Example ID")
	if len(told) != 1 || told[0].To != "ana@northwind.example" || !strings.Contains(told[0].Text.Reveal(), "Hello ana,\n\nExample ID was unlinked from your account") { // S23
		t.Errorf("told %d times", len(told))
	}
	if got := elsewhere.get(apps); !strings.HasPrefix(got.to(), "/login") {
		t.Error("the session that came by the link goes on")
	}
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditProviderUnlinked || event.ActorID != ana.UserID {
		t.Errorf("recorded as %+v", event)
	}
	if got := s.browser(t).signInByProvider(); !strings.HasPrefix(got.to(), "/login?next=") {
		t.Errorf("the link works still: %s", got.Status)
	}
}

func TestTheOnlyWayInStays(t *testing.T) {
	s, p := providerSite(t)
	s.member(t, "northwind", "ana", models.RoleOwner)
	p.Forge(providertest.Forgery{Claims: map[string]any{"sub": "nia-1", "email": "nia@joiner.example", "auth_time": s.db.Now().Std().Unix()}})
	b := s.browser(t)
	b.signInByProvider()
	b.get("/user/profile/provider").expect(t, http.StatusOK, "This is your only way in.")
	b.post("/user/profile/provider/unlink").expect(t, http.StatusUnprocessableEntity, "This is your only way in. Add another one first.")
	if n := s.db.Number(t, "SELECT COUNT(*) FROM identities"); n != 1 {
		t.Error("the link is gone")
	}
}

func TestDisabledUsersDoNotGetInByProvider(t *testing.T) { // S3
	s, p := providerSite(t)
	ana := linked(t, s, p)
	disable(t, s, "ana")
	b := s.browser(t)
	b.signInByProvider().expect(t, http.StatusForbidden, "This account is switched off")
	nobodyIn(t, b)
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditSignInFailed || event.TargetID != ana.UserID {
		t.Errorf("recorded as %+v", event)
	}
}

func TestOfASuspendedTeamOneIsInNoTeam(t *testing.T) {
	s, p := providerSite(t)
	linked(t, s, p)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1"); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t)
	b.signInByProvider().expect(t, http.StatusSeeOther)
	b.get(apps).expect(t, http.StatusForbidden)
}

// S7, S22: a proof is as old as the provider says, and without a word of it none.
func TestProofsByProvider(t *testing.T) {
	s, p := providerSite(t)
	ana := linked(t, s, p)
	app, token := keyed(t, s, ana, "Bot")
	reveal := apps + "/" + app.ID + "/tokens/" + token + "/reveal"
	sub := map[string]any{"sub": "ana-7"}
	with := func(authTime any) providertest.Forgery {
		return providertest.Forgery{Claims: map[string]any{"sub": "ana-7", "auth_time": authTime}}
	}
	p.Forge(with(s.db.Now().Std().Add(-14 * time.Minute).Unix()))
	b := s.browser(t)
	b.signInByProvider()
	b.post(reveal).expect(t, http.StatusOK, "lk_at_")
	s.db.Wait(time.Minute)
	b.post(reveal).expect(t, http.StatusSeeOther)

	p.Forge(providertest.Forgery{Claims: sub})
	b = s.browser(t)
	b.signInByProvider()
	at, _ := url.Parse(b.post(reveal).to())
	if at.Path != "/confirm" {
		t.Fatalf("without auth_time a value is shown: %v", at)
	}
	b.get(at.String()).expect(t, http.StatusOK, "Password", "Confirm with Example ID")
	deed := []string{"next", apps, "deed", at.Query().Get("deed")}

	for name, forgery := range map[string]providertest.Forgery{
		"absent": with(nil), "old": with(s.db.Now().Std().Add(-2 * time.Minute).Unix()), "ahead": with(s.db.Now().Std().Add(time.Hour).Unix()),
	} {
		p.Forge(forgery)
		got := b.byProvider("/confirm/provider", deed...)
		if got.StatusCode != http.StatusForbidden || !strings.Contains(got.text(), "That was not a fresh sign-in") {
			t.Errorf("auth_time %s: %s %s", name, got.Status, got.text())
		}
	}
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditConfirmFailed || event.ActorID != ana.UserID {
		t.Errorf("recorded as %+v", event)
	}
	p.Become("eve-1", "eve@northwind.example", true)
	b.byProvider("/confirm/provider", deed...).expect(t, http.StatusForbidden, "That is not you at Example ID")
	p.Forge(providertest.Forgery{Claims: sub})
	b.byProvider("/confirm/provider", deed...).expect(t, http.StatusOK, "lk_at_")
	if asked := p.Asked(); asked.Get("prompt") != "login" || asked.Get("max_age") != "0" {
		t.Errorf("asked for %v", asked)
	}
	b.post(reveal).expect(t, http.StatusOK, "lk_at_")
}

// An account without a password confirms with the provider alone.
func TestConfirmWithoutAPassword(t *testing.T) {
	s, p := providerSite(t)
	s.member(t, "northwind", "ana", models.RoleOwner)
	p.Become("nia-1", "nia@joiner.example", true)
	b := s.browser(t)
	b.signInByProvider()
	got := b.get("/confirm?next=" + apps)
	got.expect(t, http.StatusOK, "Confirm with Example ID", "Confirm that it is you to go on.")
	if _, found := got.field("password"); strings.Contains(got.body, `type="password"`) || found != "" {
		t.Error("a password is asked for that there is not")
	}
	b.post("/confirm", "password", "").expect(t, http.StatusUnprocessableEntity)
	before := b.cookie("latchkey_session").Value
	if got := b.byProvider("/confirm/provider", "next", apps); got.to() != apps || b.cookie("latchkey_session").Value == before {
		t.Errorf("%s %s", got.Status, got.text())
	}
	eve := s.signedIn(t, s.member(t, "northwind", "eve", models.RoleViewer))
	if got := eve.get("/confirm?next=" + apps); strings.Contains(got.text(), "Confirm with") {
		t.Error("somebody without the link is offered it")
	}
}

// S16: whoever has no password and first has to set up a second factor proves with the
// provider that it is them, or they would never get to it.
func TestEnrolWithoutAPassword(t *testing.T) {
	s, p := providerSite(t)
	s.member(t, "northwind", "ana", models.RoleOwner)
	p.Become("nia-1", "nia@joiner.example", true)
	b := s.browser(t)
	b.signInByProvider()
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET requires_second_factor = TRUE"); err != nil {
		t.Fatal(err)
	}
	s.db.Wait(16 * time.Minute)
	b.get(apps).expect(t, http.StatusSeeOther)
	at, err := url.Parse(b.post(factorPage + "/app").to())
	if err != nil || at.Path != "/confirm" {
		t.Fatal(at, err)
	}
	b.get(at.RequestURI()).expect(t, http.StatusOK, "Confirm with Example ID")
	page := b.byProvider("/confirm/provider", "next", at.Query().Get("next"), "deed", at.Query().Get("deed"))
	codesOn(t, b.post(factorPage+"/app/confirm", "code", app{s, seedOn(t, page)}.code(t, 0)))
	b.get(apps).expect(t, http.StatusOK)
}

// S23: a password for an account that had none, and is in use, is another way in: its owner
// is told.
func TestAFirstPasswordByLinkIsTold(t *testing.T) {
	s, p := providerSite(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	op := s.operator(t, "northwind", "op")
	p.Become("nia-1", "nia@joiner.example", true)
	s.browser(t).signInByProvider()
	nia, err := s.db.UserByEmail(t.Context(), "nia@joiner.example")
	if err != nil {
		t.Fatal(err)
	}
	link := shownLink(t, s.signedIn(t, op).post("/admin/users/"+nia.ID+"/link"))
	s.browser(t).post(link, "password", chosenPassword).expect(t, http.StatusSeeOther)
	if got := post.to(nia.Email); !slices.Contains(got, "Your password was changed") {
		t.Errorf("mailed %q", got)
	}
}
