package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/provider/providertest"
)

// providerSite is a site with a provider, at which ana@northwind.example is signed in.
// People of joiner.example may join the team northwind as viewers.
func providerSite(t *testing.T, change ...func(*provider.Settings)) (*site, *providertest.Provider) {
	t.Helper()
	var s *site
	p := providertest.New(t, func() time.Time { return s.db.Now().Std() })
	s = newSite(t, func(deps *handlers.Deps) {
		settings := provider.Settings{
			Issuer: p.URL, ClientID: providertest.ClientID, ClientSecret: models.NewSecret(providertest.ClientSecret), Name: "Example ID",
			Newcomers: models.Newcomers{Domains: []string{"joiner.example"}, Team: "Northwind", Role: models.RoleViewer},
		}
		for _, f := range change {
			f(&settings)
		}
		deps.Provider = provider.New(settings, deps.BaseURL+"/login/provider/callback", deps.Now)
	})
	return s, p
}

// leave presses a button that leads to the provider, and returns where that is.
func (b *browser) leave(path string, pairs ...string) string {
	b.t.Helper()
	got := b.post(path, pairs...)
	_, address, ok := strings.Cut(got.Header.Get("Refresh"), "0;url=")
	if got.StatusCode != http.StatusOK || !ok || !strings.Contains(got.text(), "Go to Example ID") {
		b.t.Fatalf("%s does not lead to the provider: %s %s", path, got.Status, got.text())
	}
	return address
}

// visit opens an address of the provider and returns the path that it leads back to.
func (b *browser) visit(address string) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	at, err := answer.Location()
	if err != nil {
		b.t.Fatalf("%s: %v", answer.Status, err)
	}
	return at.RequestURI()
}

// byProvider presses a button and comes back. What a browser says of a navigation that
// another site began goes along.
func (b *browser) byProvider(path string, pairs ...string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, b.visit(b.leave(path, pairs...)), nil, http.Header{"Sec-Fetch-Site": {"cross-site"}})
}

func (b *browser) signInByProvider() answer {
	b.t.Helper()
	return b.byProvider("/login/provider", "next", apps)
}

// linked gives ana a link to the provider.
func linked(t *testing.T, s *site, p *providertest.Provider) models.Actor {
	t.Helper()
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	if err := s.db.LinkIdentity(t.Context(), ana, models.Identity{Issuer: p.URL, Subject: "ana-7", Email: ana.Email}); err != nil {
		t.Fatal(err)
	}
	return ana
}

// nobodyIn fails where a refused sign-in left a session.
func nobodyIn(t *testing.T, b *browser) {
	t.Helper()
	if got := b.get(apps); !strings.HasPrefix(got.to(), "/login") {
		t.Errorf("somebody is signed in: %s", got.Status)
	}
	if n := b.site.db.Number(t, "SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestSignInByProvider(t *testing.T) { // S2, S20, S21, P8
	s, p := providerSite(t)
	ana := linked(t, s, p)
	b := s.browser(t)
	b.get("/login").expect(t, http.StatusOK, "Sign in with Example ID")
	b.get(apps)
	planted := &http.Cookie{Name: "latchkey_session", Value: "planted", Path: "/"}
	at, _ := url.Parse(s.URL)
	b.client.Jar.SetCookies(at, []*http.Cookie{planted})
	if got := b.byProvider("/login/provider", "next", apps+"?q=x"); got.to() != apps+"?q=x" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	if b.cookie("latchkey_session").Value == planted.Value {
		t.Error("the session of before goes on")
	}
	if b.cookie("latchkey_provider") != nil {
		t.Error("the cookie of the journey is left")
	}
	b.get(apps).expect(t, http.StatusOK, "ana", "Owner")
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditSignedIn || event.ActorID != ana.UserID || event.Detail != "through another provider" || event.Address == "" {
		t.Errorf("recorded as %+v", event)
	}
	before := b.cookie("latchkey_session").Value
	if got := b.signInByProvider(); got.to() != apps || b.cookie("latchkey_session").Value == before {
		t.Errorf("signing in again: %s, same session %v", got.Status, b.cookie("latchkey_session").Value == before)
	}
	for _, evil := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "/%2f/evil.example", "javascript:alert(1)"} {
		if got := s.browser(t).byProvider("/login/provider", "next", evil); got.to() != apps {
			t.Errorf("next %q leads to %q", evil, got.to())
		}
	}
}

// S20: state, cookie and code are good once, in the browser that began, for ten minutes.
func TestAnswersOfAnotherBrowserAreRefused(t *testing.T) {
	s, p := providerSite(t)
	linked(t, s, p)
	const says = "This sign-in is out of date"
	b := s.browser(t)
	back := b.visit(b.leave("/login/provider"))
	s.browser(t).get(back).expect(t, http.StatusForbidden, says, "Begin again.")
	other := s.browser(t)
	other.leave("/login/provider")
	other.get(back).expect(t, http.StatusForbidden, says)

	at, _ := url.Parse(back)
	for name, change := range map[string]func(query url.Values){
		"another state": func(q url.Values) { q.Set("state", "AAAAAAAAAAAAAAAAAAAAAA") },
		"no state":      func(q url.Values) { q.Del("state") },
		"two states":    func(q url.Values) { q.Add("state", "x") },
		"two codes":     func(q url.Values) { q.Add("code", "x") },
		"no code":       func(q url.Values) { q.Del("code") },
		"both":          func(q url.Values) { q.Set("error", "access_denied") },
	} {
		query := at.Query()
		change(query)
		got := b.get(at.Path + "?" + query.Encode())
		if got.StatusCode != http.StatusForbidden || !strings.Contains(got.text(), says) {
			t.Errorf("%s: %s %s", name, got.Status, got.text())
		}
	}
	if got := b.do(http.MethodHead, back, nil, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("HEAD: %s", got.Status)
	}
	nobodyIn(t, b)
	if got := b.get(back); got.to() != apps {
		t.Fatalf("what another site's page did ended the journey: %s %s", got.Status, got.text())
	}
	cookie := b.cookie("latchkey_provider")
	b.get(back).expect(t, http.StatusForbidden, says)
	if cookie != nil || p.Calls("/token") != 1 {
		t.Errorf("the answer again: %d calls", p.Calls("/token"))
	}
	late := s.browser(t)
	back = late.visit(late.leave("/login/provider"))
	s.db.Wait(10 * time.Minute)
	late.get(back).expect(t, http.StatusForbidden, says)
}

func TestAReplayedCallbackWinsOnce(t *testing.T) { // D8, S20
	s, p := providerSite(t)
	linked(t, s, p)
	b := s.browser(t)
	back := b.visit(b.leave("/login/provider"))
	cookie := http.Header{"Cookie": {"latchkey_provider=" + b.cookie("latchkey_provider").Value}}
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		other := s.browser(t)
		wait.Go(func() {
			if other.do(http.MethodGet, back, nil, cookie).to() == apps {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 || p.Calls("/token") != 1 {
		t.Errorf("%d got in, %d codes were traded", won.Load(), p.Calls("/token"))
	}
}

// S20: what the provider signs or says wrongly gets nobody in. provider_test.go has
// the whole table.
func TestForgedAnswersAreRefused(t *testing.T) {
	s, p := providerSite(t)
	linked(t, s, p)
	for name, forgery := range map[string]providertest.Forgery{
		"nonce":          {Claims: map[string]any{"nonce": "another"}},
		"alg none":       {Algorithm: "none"},
		"HS256":          {Algorithm: "HS256"},
		"another issuer": {Answer: func(q url.Values) { q.Set("iss", "https://evil.example") }},
		"token refused":  {Status: map[string]int{"/token": 400}, Body: `{"error":"<script>alert(1)</script>"}`},
	} {
		p.Forge(forgery)
		b := s.browser(t)
		got := b.signInByProvider()
		got.expect(t, http.StatusForbidden, "The answer of Example ID was refused", "Request ID")
		if strings.Contains(got.body, "<script>alert") || got.Header.Get("Set-Cookie") == "" {
			t.Errorf("%s: %s", name, got.body)
		}
		nobodyIn(t, b)
	}
}

func TestAProviderThatRefuses(t *testing.T) {
	s, p := providerSite(t)
	linked(t, s, p)
	denied := func(q url.Values) {
		q.Del("code")
		q.Set("error", "access_denied")
		q.Set("error_description", "<script>alert(1)</script>")
	}
	p.Forge(providertest.Forgery{Answer: denied})
	got := s.browser(t).signInByProvider()
	got.expect(t, http.StatusForbidden, "Example ID did not confirm who you are")
	if strings.Contains(got.body, "alert(1)") || strings.Contains(got.body, "access_denied") {
		t.Errorf("the page says what the provider says:\n%s", got.body)
	}
	p.Forge(providertest.Forgery{Answer: func(q url.Values) {
		denied(q)
		q.Set("iss", "https://evil.example")
	}})
	s.browser(t).signInByProvider().expect(t, http.StatusForbidden, "The answer of Example ID was refused")
}

// A provider that is down stops nothing else.
func TestSignInWhileTheProviderIsDown(t *testing.T) {
	s, p := providerSite(t)
	ana := linked(t, s, p)
	says := "Example ID cannot be reached"
	p.Forge(providertest.Forgery{Status: map[string]int{"/.well-known/openid-configuration": 500}, Body: "<b>down</b>"})
	got := s.browser(t).post("/login/provider")
	got.expect(t, http.StatusServiceUnavailable, says, "Nothing was changed.")
	if got.Header.Get("Retry-After") == "" || strings.Contains(got.body, "<b>down") {
		t.Errorf("Retry-After %q\n%s", got.Header.Get("Retry-After"), got.body)
	}
	s.db.Wait(5 * time.Second)
	p.Forge(providertest.Forgery{})
	b := s.browser(t)
	back := b.visit(b.leave("/login/provider"))
	p.Close()
	b.get(back).expect(t, http.StatusServiceUnavailable, says)
	nobodyIn(t, b)
	if got := s.browser(t).signIn(ana.Email, password); got.to() != apps {
		t.Errorf("by password: %s", got.Status)
	}
}

func TestDeparturesAreBounded(t *testing.T) { // S11, R3
	s, _ := providerSite(t)
	b := s.browser(t)
	for range 120 {
		b.leave("/login/provider")
	}
	got := b.post("/login/provider")
	got.expect(t, http.StatusTooManyRequests, "Too many attempts")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestWithoutAProviderThereAreNoPages(t *testing.T) {
	s := newSite(t)
	ana := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	for _, path := range []string{"/login/provider/callback?state=a&code=b", "/login/provider/link", "/user/profile/provider", "/user/profile/provider/unlink"} {
		ana.get(path).expect(t, http.StatusNotFound)
	}
	for _, path := range []string{"/login/provider", "/login/provider/link", "/confirm/provider", "/user/profile/provider/link", "/user/profile/provider/unlink"} {
		ana.post(path).expect(t, http.StatusNotFound)
	}
	if got := s.browser(t).get("/login"); strings.Contains(got.text(), "Sign in with") {
		t.Error("the sign-in page has a button")
	}
}
