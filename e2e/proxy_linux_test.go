package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// C3: the examples of docs/deploy, as they stand, in front of the real program.
func TestNginx(t *testing.T) {
	t.Parallel()
	newEdge(t, nginx).proven(t)
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	newEdge(t, caddy).proven(t)
}

// proven ends with the cases that stop Latchkey, and with a look at all that
// was written until then.
func (e *edge) proven(t *testing.T) {
	t.Run("answers", e.answers)
	t.Run("spoilt headers", e.spoiltHeaders)
	t.Run("any method", e.anyMethod)
	t.Run("odd paths", e.oddPaths)
	t.Run("headers over HTTP 1", func(t *testing.T) { e.headers(t, false) })
	t.Run("headers over HTTP 2", func(t *testing.T) { e.headers(t, true) })
	t.Run("body", e.body)
	t.Run("revoked", e.revoked)
	t.Run("gateway", e.gateway)
	t.Run("address", e.address)
	t.Run("dashboard", e.dashboard)
	t.Run("TLS", e.onlyModernTLS)
	t.Run("Latchkey fails", e.fails)
	t.Run("Latchkey away", e.away)
	t.Run("Latchkey hangs", e.hangs)
	t.Run("logs", e.logs)
}

// reply is what the client gets.
type reply struct {
	status int
	header http.Header
	body   string
}

// call is a request to the API's host. Opaque keeps the path as it is written.
func (e *edge) call(t *testing.T, method, target, body string, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+apiHost, strings.NewReader(body))
	must(t, err)
	path, query, _ := strings.Cut(target, "?")
	r.URL = &url.URL{Scheme: "https", Host: apiHost, Opaque: path, RawQuery: query}
	if strings.HasPrefix(path, "//") {
		r.URL.Opaque = "//" + apiHost + path // net/http takes what follows "//" for a host
	}
	if header != nil {
		r.Header = header
	}
	return r
}

func (e *edge) send(t *testing.T, c *http.Client, r *http.Request) reply {
	t.Helper()
	res, err := c.Do(r)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return reply{res.StatusCode, res.Header, string(body)}
}

// ask sends a request and tells what reached the API.
func (e *edge) ask(t *testing.T, method, target, authorization string) (reply, []arrival) {
	t.Helper()
	header := http.Header{}
	if authorization != "" {
		header["Authorization"] = strings.Split(authorization, "\n")
	}
	e.api.take()
	got := e.send(t, e.http, e.call(t, method, target, "", header))
	return got, e.api.take()
}

const (
	challenge    = `Bearer realm="latchkey"`
	invalidToken = challenge + `, error="invalid_token"`
	lacksScope   = challenge + `, error="insufficient_scope", scope="reports"`
	lacking      = "Forbidden: insufficient_scope\n"
	badToken     = "Bearer lk_at_not-a-token-of-ours"
)

func (e *edge) answers(t *testing.T) {
	good, wide := "Bearer "+e.good, "Bearer "+e.wide
	for _, c := range []struct {
		name, target, authorization string
		status                      int
		challenge, body             string
	}{
		{"good token", "/things?page=2", good, 200, "", "of the API"},
		{"scheme in small letters", "/", "bearer " + e.good, 200, "", "of the API"},
		{"bad token", "/", badToken, 401, invalidToken, "Unauthorized"},
		{"no token", "/", "", 401, challenge, "Unauthorized"},
		{"another scheme", "/", "Basic " + e.good, 401, challenge, "Unauthorized"},
		{"scope missing", "/reports/2026", good, 403, lacksScope, lacking},
		{"scope missing, no slash", "/reports", good, 403, lacksScope, lacking},
		{"scope there", "/reports/2026", wide, 200, "", "of the API"},
		{"bad token where a scope is needed", "/reports", badToken, 401, invalidToken, "Unauthorized"},
		{"a path that begins like it", "/reportsx", good, 200, "", "of the API"},
		{"the client's scope asks for none", "/?scope=reports", good, 200, "", "of the API"},
		{"the client's scope gives none", "/reports?scope=api", good, 403, lacksScope, lacking},
		{"the client's bad query", "/?scope=%zz", good, 200, "", "of the API"},
		{"the API's own refusal", "/own-refusal", good, 401, "Own", "of the API"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, reached := e.ask(t, http.MethodGet, c.target, c.authorization)
			if challenges := strings.Join(got.header.Values("WWW-Authenticate"), " and "); got.status != c.status || challenges != c.challenge || got.body != c.body {
				t.Errorf("%d, %q, %q, want %d, %q, %q", got.status, challenges, got.body, c.status, c.challenge, c.body)
			}
			if passed := c.body == "of the API"; passed && (len(reached) != 1 || reached[0].uri != c.target) || !passed && len(reached) != 0 {
				t.Errorf("the API got %v", reached)
			}
		})
	}
}

// O9: two headers, or one that is too long, are closed by the proxy or by
// Latchkey, whoever sees them first.
func (e *edge) spoiltHeaders(t *testing.T) {
	good := "Bearer " + e.good
	for name, authorization := range map[string]string{
		"two tokens, good one first": good + "\n" + badToken, "two tokens, good one last": badToken + "\n" + good, "the same token twice": good + "\n" + good,
		"6 kB": good + strings.Repeat("x", 6_000), "12 kB": good + strings.Repeat("x", 12_000), "40 kB": good + strings.Repeat("x", 40_000),
	} {
		if got, reached := e.ask(t, http.MethodGet, "/", authorization); got.status < 400 || got.status >= 500 || len(reached) != 0 {
			t.Errorf("%s: %d, and the API got %d requests", name, got.status, len(reached))
		}
	}
	header := http.Header{"Authorization": {good}}
	for _, name := range []string{"X-A", "X-B", "X-C", "X-D", "X-E", "X-F"} {
		header.Set(name, strings.Repeat("x", 6_000))
	}
	got := e.send(t, e.http, e.call(t, http.MethodGet, "/", "", header))
	if reached := e.api.take(); got.status < 400 || got.status >= 500 || len(reached) != 0 {
		t.Errorf("36 kB of other headers: %d, and the API got %d requests", got.status, len(reached))
	}
}

// O12: whatever the method, Latchkey is asked.
func (e *edge) anyMethod(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "QUERY", "PROPFIND"} {
		if got, reached := e.ask(t, method, "/", badToken); got.status != 401 || got.header.Get("WWW-Authenticate") != invalidToken || len(reached) != 0 {
			t.Errorf("%s with a bad token: %d, and the API got %v", method, got.status, reached)
		}
		if got, reached := e.ask(t, method, "/reports", "Bearer "+e.good); got.status != 403 || len(reached) != 0 {
			t.Errorf("%s without the scope: %d, and the API got %v", method, got.status, reached)
		}
		if got, reached := e.ask(t, method, "/", "Bearer "+e.good); got.status != 200 || len(reached) != 1 || reached[0].method != method {
			t.Errorf("%s with a good token: %d, and the API got %v", method, got.status, reached)
		}
	}
	if got, reached := e.ask(t, http.MethodTrace, "/", badToken); got.status < 400 || len(reached) != 0 {
		t.Errorf("TRACE with a bad token: %d, and the API got %v", got.status, reached)
	}
}

// oddPaths are ones that a proxy and an API may read in two ways, so that the
// scope of one would be checked and the other answered.
func (e *edge) oddPaths(t *testing.T) {
	for _, path := range []string{
		"/reports%2f..%2fthings", "/reports/..%2Fthings", "/reports/../things", "/things/../reports", "/things/..", "/./reports", "/things/%2e%2e/reports",
		"//reports", "/things//reports", "/things/..;/reports", "/reports;x=1", "/reports%3bx=1", `/things\..\reports`, "/things%5c..%5creports",
	} {
		if got, reached := e.ask(t, http.MethodGet, path, "Bearer "+e.good); got.status != http.StatusBadRequest || len(reached) != 0 {
			t.Errorf("%s: %d, want 400, and the API got %v", path, got.status, reached)
		}
	}
	for _, target := range []string{"/things/.well-known", "/a..b/c.", "/things?at=/../x;y//z%2f", "/caf%C3%A9/a%20b"} {
		if got, reached := e.ask(t, http.MethodGet, target, "Bearer "+e.good); got.status != 200 || len(reached) != 1 || reached[0].uri != target {
			t.Errorf("%s: %d, and the API got %v", target, got.status, reached)
		}
	}
	if got, reached := e.ask(t, http.MethodGet, "/_verify/", "Bearer "+e.good); e.proxy.name == nginx.name && (got.status != 404 || len(reached) != 0) {
		t.Errorf("/_verify/: %d, and the API got %v", got.status, reached)
	}
}
