package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

func TestHeadersOfEveryAnswer(t *testing.T) { // P3, P4, P7, P9
	s, b, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	for _, path := range []string{"/", "/login", "/nowhere", apps, apps + "/" + app.ID, apps + "/nothing", "/docs/authorization"} {
		got := b.get(path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
		} {
			if value := got.Header.Get(name); value != want {
				t.Errorf("%s: %s is %q", path, name, value)
			}
		}
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || got.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: policy %q", path, policy)
		}
		if got.StatusCode == http.StatusOK && !strings.EqualFold(got.Header.Get("Content-Type"), "text/html; charset=UTF-8") {
			t.Errorf("%s: %s", path, got.Header.Get("Content-Type"))
		}
	}
}

func TestBodiesHaveALimit(t *testing.T) { // R2
	_, b, _ := owner(t)
	b.post(apps, "name", strings.Repeat("x", 70_000)).expect(t, http.StatusRequestEntityTooLarge, "The form holds more than Latchkey takes.")
	got := b.do(http.MethodPost, apps, nil, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	got.expect(t, http.StatusUnprocessableEntity)
}

// S10: password fields take managers and pasting, and can be shown.
func TestPasswordFields(t *testing.T) {
	fresh, set := newSite(t), newSite(t)
	ana := set.member(t, "northwind", "ana", models.RoleOwner)
	for _, test := range []struct {
		page         answer
		autocomplete string
	}{
		{fresh.browser(t).get("/setup?code=" + setupCode), "new-password"},
		{set.browser(t).get("/login"), "current-password"},
		{set.signedIn(t, ana).get("/confirm"), "current-password"},
	} {
		test.page.expect(t, http.StatusOK, "Show password")
		control := regexp.MustCompile(`<input[^>]*name="password"[^>]*>`).FindString(test.page.body)
		for _, part := range []string{`type="password"`, `autocomplete="` + test.autocomplete + `"`} {
			if !strings.Contains(control, part) {
				t.Errorf("%s: no %s in %s", test.page.Request.URL.Path, part, control)
			}
		}
		if strings.Contains(control, "maxlength") || strings.Contains(control, "onpaste") {
			t.Errorf("%s: %s", test.page.Request.URL.Path, control)
		}
	}
}

func TestTheme(t *testing.T) {
	_, b, _ := owner(t)
	if got := b.post("/theme", "theme", "dark", "return", apps+"?q=a"); got.to() != apps+"?q=a" {
		t.Errorf("back to %q", got.to())
	}
	if got := b.get(apps); !strings.Contains(got.body, `data-theme="dark"`) {
		t.Error("the page is not dark")
	}
	b.post("/theme", "theme", "system", "return", apps)
	if got := b.get(apps); strings.Contains(got.body, "data-theme=\"dark\"") {
		t.Error("the page does not follow the system again")
	}
	b.post("/theme", "theme", "pink").expect(t, http.StatusBadRequest)
	if got := b.post("/theme", "theme", "light", "return", "//evil.example"); got.to() != apps {
		t.Errorf("led away to %q", got.to())
	}
}

func TestDocsShowTheReadersOwnAddress(t *testing.T) {
	s := newSite(t, func(deps *handlers.Deps) { deps.BaseURL = "https://account.example.com" })
	s.browser(t).get("/docs/authorization").expect(t, http.StatusOK, "How authorization works", "https://account.example.com/oauth2/token", "curl", "Python", "Go", "JavaScript")
}

// P8: after signing in, the way leads to a page of this site.
func TestRedirectsStayHere(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	for next, want := range map[string]string{
		apps + "?q=a%26b&page=2": apps + "?q=a%26b&page=2", "/": "/",
		"": apps, "https://evil.example/": apps, "//evil.example": apps, "/\\evil.example": apps, "\\\\evil": apps,
		"/%2fevil.example": apps, "/%5cevil.example": apps, "/\tevil": apps, "/%0d%0aSet-Cookie:x": apps, "javascript:alert(1)": apps, "/%zz": apps,
	} {
		if got := s.browser(t).post("/login", "email", ana.Email, "password", password, "next", next); got.to() != want {
			t.Errorf("next %q leads to %q", next, got.to())
		}
	}
}

func TestOddAddresses(t *testing.T) {
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Bot")
	for _, id := range []string{"x", "1'%20OR%20'1'='1", "%00", "..%2f..", strings.Repeat("a", 3000), app.ID + "'", strings.ToUpper(app.ID)} {
		for _, path := range []string{apps + "/" + id, apps + "/" + id + "/delete", apps + "/" + app.ID + "/tokens/" + id + "/revoke", "/user/api_v2/access_tokens?application=" + id} {
			if id == strings.ToUpper(app.ID) && !strings.ContainsAny(app.ID, "abcdef") {
				continue
			}
			b.get(path).expect(t, http.StatusNotFound, "Page not found")
		}
	}
	for _, query := range []string{"?page=-1", "?page=x", "?page=99999999999999999999", "?sort=id;drop", "?dir=x", "?q=%25%27%22%5c", "?q=" + strings.Repeat("é", 2000)} {
		b.get(apps+query).expect(t, http.StatusOK, "Applications")
	}
	assertGood(t, s, app, token)
}

// A database that takes no writes still shows pages; a change says so and
// nothing is half done.
func TestDatabaseThatTakesNoWrites(t *testing.T) { // A6
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Bot")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), `UPDATE sessions SET flash = '{"tone":"success","text":"A message is waiting"}'`); err != nil {
		t.Fatal(err)
	}
	release := s.db.Lock(t)
	b.get(apps).expect(t, http.StatusOK, "Bot", "is waiting")
	got := b.post(apps+"/"+app.ID+"/revoke", "x", "y")
	got.expect(t, http.StatusServiceUnavailable, "Its database is busy or away. Nothing was changed.")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	release()
	assertGood(t, s, app, token)
	b.post(apps+"/"+app.ID+"/revoke").expect(t, http.StatusSeeOther)
}

func TestPagesAreCompressedAndValuesAreNot(t *testing.T) {
	s, b, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	gzip := http.Header{"Accept-Encoding": {"gzip"}}
	page := b.do(http.MethodGet, apps+"/"+app.ID, nil, gzip)
	if page.Header.Get("Content-Encoding") != "gzip" || len(page.body) > 8<<10 {
		t.Errorf("%q, %d bytes", page.Header.Get("Content-Encoding"), len(page.body))
	}
	if shown := b.do(http.MethodPost, apps+"/"+app.ID+"/secret/reveal", values(), gzip); shown.Header.Get("Content-Encoding") != "" {
		t.Error("an answer with a value is compressed")
	}
}
