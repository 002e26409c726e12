package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

func setupFields(over ...string) []string {
	fields := map[string]string{"code": setupCode, "name": "Ana Ruiz", "email": "ana@northwind.example", "password": password, "team": "Northwind"}
	for i := 0; i < len(over); i += 2 {
		fields[over[i]] = over[i+1]
	}
	var pairs []string
	for name, value := range fields {
		pairs = append(pairs, name, value)
	}
	return pairs
}

func TestSetupMakesTheFirstAccountAndCloses(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	if got := b.get("/login"); got.to() != "/setup" {
		t.Errorf("sign-in without accounts leads to %q", got.to())
	}
	b.get("/setup").expect(t, http.StatusForbidden, "Set up Latchkey")
	b.get("/setup?code=wrong").expect(t, http.StatusForbidden)
	b.get("/setup?code="+setupCode).expect(t, http.StatusOK, "Your name", "Team name", "Create account")
	b.post("/setup", setupFields("code", "wrong")...).expect(t, http.StatusForbidden)
	for field, bad := range map[string]string{"name": "", "email": "nobody", "password": "short", "team": "\u202eevil"} {
		got := b.post("/setup", setupFields(field, bad)...)
		got.expect(t, http.StatusUnprocessableEntity)
		if _, problem := got.field(field); problem == "" {
			t.Errorf("no error beside %s", field)
		}
		if field != "password" && strings.Contains(got.body, password) {
			t.Errorf("the password stands in the form again")
		}
		if value, _ := got.field("email"); field != "email" && value != "ana@northwind.example" {
			t.Errorf("the email typed is lost: %q", value)
		}
	}
	if got := b.post("/setup", setupFields()...); got.to() != "/user/api_v2/applications" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	b.get("/user/api_v2/applications").expect(t, http.StatusOK, "No applications yet", "Ana Ruiz", "Owner")
	s.browser(t).get("/setup?code="+setupCode).expect(t, http.StatusNotFound)
	s.browser(t).post("/setup", setupFields("email", "second@example.com")...).expect(t, http.StatusNotFound)
}

func TestSetupWorksForOnePersonEvenInARace(t *testing.T) { // S13
	s := newSite(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		b := s.browser(t)
		wg.Go(func() {
			if b.post("/setup", setupFields("email", fmt.Sprintf("ana%d@example.com", i))...).StatusCode == http.StatusSeeOther {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d people set up Latchkey", won.Load())
	}
}

// S12: unknown email, wrong password and disabled user look the same.
func TestSignInTellsNothingAboutAccounts(t *testing.T) {
	s := newSite(t)
	s.member(t, "northwind", "ana", models.RoleOwner)
	s.member(t, "northwind", "dan", models.RoleViewer)
	disable(t, s, "dan")
	var first string
	for i, attempt := range [][2]string{{"ana@northwind.example", "wrong password 1"}, {"who@northwind.example", password}, {"dan@northwind.example", password}} {
		got := s.browser(t).signIn(attempt[0], attempt[1])
		got.expect(t, http.StatusUnprocessableEntity, "That email and password do not match. Check both and try again.")
		body := strings.ReplaceAll(got.body, attempt[0], "EMAIL")
		if i == 0 {
			first = body
		} else if body != first {
			t.Errorf("%s gets another page", attempt[0])
		}
	}
}

func disable(t *testing.T, s *site, name string) {
	t.Helper()
	raw := s.db.Raw(t)
	if _, err := raw.ExecContext(t.Context(), "UPDATE users SET disabled_at = 1 WHERE name = ?", name); err != nil {
		t.Fatal(err)
	}
}

func TestGuessingIsSlowedAndTheOwnerStillGetsIn(t *testing.T) { // S11
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	known := s.signedIn(t, ana)
	for _, email := range []string{ana.Email, "nobody@northwind.example"} {
		for range 5 {
			s.browser(t).signIn(email, "wrong password 1").expect(t, http.StatusUnprocessableEntity)
		}
		got := s.browser(t).signIn(email, password)
		got.expect(t, http.StatusTooManyRequests, "Too many attempts. Try again in 30 seconds.")
		if got.Header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
		}
	}
	elsewhere := s.browser(t).do(http.MethodPost, "/login", values("email", ana.Email, "password", password), http.Header{"X-Forwarded-For": {"192.0.2.9"}})
	if elsewhere.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner is locked out of a new browser elsewhere: %s", elsewhere.Status)
	}
	known.post("/logout")
	if got := known.signIn(ana.Email, password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner is locked out of a known browser: %s", got.Status)
	}
	s.db.Wait(30 * time.Second)
	s.browser(t).signIn(ana.Email, "wrong password 1").expect(t, http.StatusUnprocessableEntity)
	s.browser(t).signIn(ana.Email, password).expect(t, http.StatusTooManyRequests, "Try again in 1 minute.")
	s.db.Wait(time.Minute)
	if got := s.browser(t).signIn(ana.Email, password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the pause: %s", got.Status)
	}
}

// S11, R4: guesses at once are bounded like those one after the other.
func TestGuessingInParallel(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	var checked atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		b := s.browser(t)
		wg.Go(func() {
			if b.signIn(ana.Email, "wrong password 1").StatusCode == http.StatusUnprocessableEntity {
				checked.Add(1)
			}
		})
	}
	wg.Wait()
	if checked.Load() != 5 {
		t.Errorf("%d guesses were checked, want 5", checked.Load())
	}
}

// Guesses from many addresses slow the whole account shortly, and no more.
func TestGuessingFromManyAddresses(t *testing.T) { // S11
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	from := func(i int, guess string) answer {
		return s.browser(t).do(http.MethodPost, "/login", values("email", ana.Email, "password", guess), http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", i)}})
	}
	for i := range 20 {
		from(i, "wrong password 1").expect(t, http.StatusUnprocessableEntity)
	}
	from(100, password).expect(t, http.StatusTooManyRequests, "Try again in 10 seconds.")
	s.db.Wait(10 * time.Second)
	if got := from(100, password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the short pause: %s", got.Status)
	}
}

func TestGuessingFromOneAddressIsSlowed(t *testing.T) { // S11
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	for i := range 20 {
		s.browser(t).signIn(fmt.Sprintf("user%d@example.com", i), "wrong password 1").expect(t, http.StatusUnprocessableEntity)
	}
	s.browser(t).signIn(ana.Email, password).expect(t, http.StatusTooManyRequests)
	elsewhere := s.browser(t).do(http.MethodPost, "/login", values("email", ana.Email, "password", password), http.Header{"X-Forwarded-For": {"192.0.2.9"}})
	if elsewhere.StatusCode != http.StatusSeeOther {
		t.Errorf("another address: %s", elsewhere.Status)
	}
}

func TestSessionsEnd(t *testing.T) { // S3, S4
	page := "/user/api_v2/applications"
	for name, test := range map[string]struct {
		operator bool
		steps    []time.Duration
		last     time.Duration
	}{
		"unused":          {false, nil, 12 * time.Hour},
		"in all":          {false, []time.Duration{11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour}, 3 * time.Hour},
		"operator unused": {true, nil, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ana := s.member(t, "northwind", "ana", models.RoleOwner)
			if test.operator {
				if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET operator = TRUE"); err != nil {
					t.Fatal(err)
				}
			}
			b := s.signedIn(t, ana)
			for _, step := range test.steps {
				s.db.Wait(step)
				b.get(page).expect(t, http.StatusOK)
			}
			s.db.Wait(test.last)
			got := b.get(page)
			if got.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s", got.Status)
			}
			b.get(got.to()).expect(t, http.StatusOK, "You were signed out. Sign in again to go on.")
			if got := b.post("/login", "email", ana.Email, "password", password, "next", page+"?q=x"); got.to() != page+"?q=x" {
				t.Errorf("not led back: %q", got.to())
			}
		})
	}
}

func TestCookies(t *testing.T) { // S1, S2, P5, P10
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.browser(t)
	got := b.signIn(ana.Email, password)
	for _, cookie := range got.Cookies() {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("cookie %s", cookie.Name)
		}
		for _, word := range []string{ana.UserID, ana.TeamID, "owner", ana.Email} {
			if strings.Contains(cookie.Value, word) {
				t.Errorf("cookie %s holds %s", cookie.Name, word)
			}
		}
	}
	old := b.cookie("latchkey_session")
	if got := b.signIn(ana.Email, password); got.StatusCode != http.StatusSeeOther || b.cookie("latchkey_session").Value == old.Value {
		t.Fatal("signing in again keeps the session ID")
	}
	replay := func(cookie string) string {
		return s.browser(t).do(http.MethodGet, "/user/api_v2/applications", nil, http.Header{"Cookie": {"latchkey_session=" + cookie}}).to()
	}
	if !strings.HasPrefix(replay(old.Value), "/login") {
		t.Error("the session before the second sign-in lives")
	}
	current := b.cookie("latchkey_session").Value
	if replay(current) != "" {
		t.Error("the session does not live")
	}
	if !strings.HasPrefix(replay(current[:len(current)-2]+"xx"), "/login") {
		t.Error("a cookie with another signature is taken")
	}
	out := b.post("/logout")
	if out.to() != "/login" || out.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("signing out: %s to %q", out.Status, out.to())
	}
	if !strings.HasPrefix(replay(current), "/login") {
		t.Error("a replayed cookie works after signing out")
	}
}

func TestCookiesUnderHTTPS(t *testing.T) { // P5
	s := newSite(t, func(deps *handlers.Deps) { deps.HTTPS, deps.BaseURL = true, "https://account.example.com" })
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	got := s.browser(t).signIn(ana.Email, password)
	if len(got.Cookies()) != 2 {
		t.Fatalf("%d cookies", len(got.Cookies()))
	}
	for _, cookie := range got.Cookies() {
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure {
			t.Errorf("cookie %s secure %v", cookie.Name, cookie.Secure)
		}
	}
	if got.Header.Get("Strict-Transport-Security") != "max-age=31536000; includeSubDomains" {
		t.Error("no HSTS")
	}
}
