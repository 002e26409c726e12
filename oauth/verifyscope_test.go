package oauth_test

import (
	"net/http"
	"strings"
	"testing"
)

func (s *server) verifyScope(t *testing.T, query, value string) answer {
	t.Helper()
	return s.ask(t, http.MethodGet, "/oauth2/verify"+query, "", "Authorization", "Bearer "+value)
}

// forbidden checks the answer to a good token that lacks a scope (RFC 6750 section 3.1).
func forbidden(t *testing.T, what string, got answer, scope string) {
	t.Helper()
	want := noToken + `, error="insufficient_scope"`
	if scope != "" {
		want += `, scope="` + scope + `"`
	}
	if got.status != 403 || got.header.Get("WWW-Authenticate") != want || !strings.Contains(got.body, "insufficient_scope") {
		t.Errorf("%s: %d %q, challenge %s, want %s", what, got.status, got.body, got.header.Get("WWW-Authenticate"), want)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Latchkey-Team") != "" || len(got.header.Values("WWW-Authenticate")) != 1 {
		t.Errorf("%s: headers %v", what, got.header)
	}
}

func TestVerifyScope(t *testing.T) { // O6
	s := newServer(t)
	value := s.token(t, "&scope=api")
	for _, query := range []string{"", "?scope=", "?scope=api", "?scope=api+api", "?scope=api&scope=api", "?other=admin"} {
		if got := s.verifyScope(t, query, value); got.status != 200 || got.header.Get("X-Latchkey-Scope") != "api" {
			t.Errorf("%s: %d, scope %q", query, got.status, got.header.Get("X-Latchkey-Scope"))
		}
	}
	for query, scope := range map[string]string{
		"?scope=stream": "stream", "?scope=api+stream": "api stream", "?scope=API": "API", "?scope=ap": "ap",
		"?scope=api&scope=stream": "api stream", "?scope=&scope=stream": "stream", "?scope=api,stream": "api,stream",
		"?scope=%20api": "api", "?scope=api+": "api", "?scope=api++api": "api api", "?scope=+": "", "?scope=api%09": "", "?scope=api%0aapi": "",
	} {
		forbidden(t, query, s.verifyScope(t, query, value), scope)
	}
	unauthorized(t, "a bad token is not asked for its scope", s.verifyScope(t, "?scope=stream", value+"x"), badToken)
	unauthorized(t, "nor is none", s.ask(t, http.MethodGet, "/oauth2/verify?scope=stream", ""), noToken)
}

// What cannot be read must not be taken for nothing asked.
func TestVerifyScopeThatCannotBeRead(t *testing.T) { // O6
	s := newServer(t)
	value := s.token(t, "&scope=api")
	for _, query := range []string{"?scope=stream%zz", "?scope=stream;x", "?scope=api;stream", "?scope=%", "?a;b&scope=stream"} {
		if got := s.verifyScope(t, query, value); got.status == 200 {
			t.Errorf("%s: lets through", query)
		}
	}
}

// Nothing of the query leaves the header that it is put into.
func TestVerifyScopeIsNoHeaderInjection(t *testing.T) { // O11
	s := newServer(t)
	value := s.token(t, "")
	for query, scope := range map[string]string{
		"?scope=x%0d%0aX-Latchkey-Team:%20forged": "forged",
		"?scope=x%0aSet-Cookie:a":                 "",
		`?scope=x%22,%20error=%22`:                "",
		`?scope=good+x%22y`:                       "good",
		`?scope=x%5c`:                             "",
		"?scope=x%00y":                            "",
		"?scope=%c3%a9":                           "",
		"?scope=%ff":                              "",
		"?scope=x%7fy":                            "",
		"?scope=x%e2%80%a8y":                      "",
	} {
		got := s.verifyScope(t, query, value)
		forbidden(t, query, got, scope)
		if got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a header was added", query)
		}
	}
}

// O6: a scope that the application loses is gone from its live tokens, and comes
// back with it; one that it wins does not reach tokens from before.
func TestVerifyScopeFollowsTheApplication(t *testing.T) {
	s := newServer(t)
	both, one := s.token(t, ""), s.token(t, "&scope=api")
	for _, step := range []struct{ owned, both, one string }{
		{"api", "api", "api"}, {"stream", "stream", ""}, {"stream api", "api stream", "api"}, {"api stream admin", "api stream", "api"},
	} {
		change(t, s, step.owned)
		for value, want := range map[string]string{both: step.both, one: step.one} {
			if got := s.verify(t, value); got.status != 200 || got.header.Get("X-Latchkey-Scope") != want {
				t.Errorf("application has %q: %d, scope %q, want %q", step.owned, got.status, got.header.Get("X-Latchkey-Scope"), want)
			}
		}
	}
	change(t, s, "api")
	forbidden(t, "lost", s.verifyScope(t, "?scope=stream", both), "stream")
}
