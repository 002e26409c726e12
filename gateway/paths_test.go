package gateway_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
)

func TestTargets(t *testing.T) {
	g := newGate(t, "/graphql=UP/gql /plain=UP /cut=UP;strip /deep=UP/a/b/ /deep/er=UP/c;strip /mark=UP/~x%2Fy")
	for from, want := range map[string]string{
		"/graphql": "/gql", "/graphql/x": "/gql/x", "/graphql/": "/gql/", "/plain": "/plain", "/plain/x/": "/plain/x/",
		"/cut": "/", "/cut/": "/", "/cut/x": "/x", "/deep": "/a/b", "/deep/x": "/a/b/x", "/deep/er": "/c", "/deep/er/x?y=/../z": "/c/x?y=/../z", "/mark/1": "/~x%2Fy/1",
		// Byte for byte, with the escapes as they came.
		"/plain/a%20b%7Ec%25d;v=1:@!$&'()*+,=": "/plain/a%20b%7Ec%25d;v=1:@!$&'()*+,=", "/cut/%C3%A4%252e": "/%C3%A4%252e", "/plain/...": "/plain/...", "/plain/.hidden": "/plain/.hidden",
		"/plain?": "/plain?", "/plain?x=%zz;y&&": "/plain?x=%zz;y&&",
	} {
		status, body := g.raw(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", from, value))
		if status != 200 || !strings.Contains(body, `"uri":`+quoted(want)+`,`) {
			t.Errorf("%s: %d %s, want %s", from, status, body, want)
		}
	}
}

func quoted(text string) string {
	return `"` + strings.ReplaceAll(text, "&", `\u0026`) + `"`
}

// G4: what another server might read as another path is refused, and reaches neither the
// upstream nor a page.
func TestAmbiguousPaths(t *testing.T) {
	g := newGate(t, "/graphql=UP /graphql/admin=UP;scope=admin /v1=UP")
	for _, target := range []string{
		"/graphql/../user/x", "/graphql/..", "/graphql/./x", "/graphql/.", "/graphql/%2e%2e/user", "/graphql/%2E%2e", "/graphql/.%2e/v1", "/graphql/x%2ey",
		"/graphql//admin", "/graphql//", "/graphql/%2f..%2fuser", "/graphql%2fadmin", "/graphql/%2F/user", "/graphql/..%2fuser", "/graphql/%5cuser", "/graphql/..%5c..%5cuser",
		`/graphql/..\user`, `/graphql\..\user`, "/graphql/%00", "/graphql/x%00.json", "/graphql/%0d%0aHost:%20b", "/graphql/%7f", "/graphql/..;/admin", "/graphql/.;x=1/admin", "/graphql/%2e%2e;/admin",
		"/graphql/%c0%ae%c0%ae/user", "/graphql/%ff", "/%67raphql", "/%67raphql/x", "/graphql/%61dmin", "/graphql/ADMIN", "/graphql/Admin/x", "/graphql/admin;x=1", "/graphql/admin;/x",
		"/graphql;x/admin", "http://a/graphql", "http://evil.example/graphql", "https://a/graphql/x", "//a/graphql", "///graphql", "/./graphql", "/x/../graphql", "/%2e/graphql", "/user/..%2fgraphql",
		"*", "graphql", "/GRAPHQL", "/graphql%20", "/graphql%00", "/graphql\x0bx", "/graphql\t",
	} {
		status, body := g.raw(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", target, value))
		// 418 is what is not the gateway's here: the pages' router looks at it, by the same path.
		if status != http.StatusBadRequest && status != http.StatusTeapot {
			t.Errorf("%q: %d %q", target, status, body)
		}
		if status == http.StatusTeapot && strings.HasPrefix(target, "/graphql/") {
			t.Errorf("%q went to the pages", target)
		}
	}
	for _, r := range []string{"CONNECT /graphql", "TRACE /graphql", "CONNECT a:80", "OPTIONS *"} {
		status, _ := g.raw(t, fmt.Sprintf("%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", r, value))
		if status == http.StatusOK && !strings.HasPrefix(r, "OPTIONS") {
			t.Errorf("%s: %d", r, status)
		}
	}
	if seen := g.upstream.Seen(); len(seen) > 0 {
		t.Errorf("the upstream got %+v", seen)
	}
	if c := g.meter.refused; len(c) > 0 {
		t.Errorf("counted: %+v", c)
	}
	// The scope of the nearer route holds for it and all below.
	for _, target := range []string{"/graphql/admin", "/graphql/admin/x"} {
		if answer := g.get(t, target); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", target, answer.StatusCode)
		}
	}
}

// G4: on a host of its own every path is the gateway's, and none is read twice.
func TestAmbiguousPathsOnAnOwnHost(t *testing.T) {
	g := newGate(t, "/=UP /a=UP;scope=other", func(d *gateway.Deps) { d.Host = "api.example.com" })
	for target, want := range map[string]int{
		"/x": 200, "/": 200, "/a": 403, "/a/b": 403, "/A": 400, "/a;x": 400, "//a": 400, "/x/../a": 400, "/%61": 400, "/x%2f..%2fa": 400, "http://api.example.com/x": 400, "*": 400, "/b/a": 200, "/ab": 200,
	} {
		status, body := g.raw(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", target, value))
		if status != want {
			t.Errorf("%s: %d %q, want %d", target, status, body, want)
		}
	}
	status, _ := g.raw(t, "CONNECT api.example.com:80 HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nAuthorization: Bearer "+value+"\r\n\r\n")
	if status != http.StatusBadRequest {
		t.Errorf("CONNECT: %d", status)
	}
}

// G5: what lets a WebSocket in goes no further, on a route with ws whatever it holds.
func TestQueries(t *testing.T) {
	token := wellFormed(t)
	plain, sockets := bare(t, "/a=http://127.0.0.1:1"), bare(t, "/a=http://127.0.0.1:1;ws")
	for raw, want := range map[string][2]string{
		"":                           {"", ""},
		"a=1&b=2":                    {"a=1&b=2", "a=1&b=2"},
		"token=x&a=1":                {"token=x&a=1", "a=1"},
		"a=1&token=x":                {"a=1&token=x", "a=1"},
		"token=" + token:             {"", ""},
		"a=1&token=" + token + "&b=": {"a=1&b=", "a=1&b="},
		"a;token=" + token + ";b":    {"a;b", "a;b"},
		"%74oken=" + token + "&c":    {"c", "c"},
		"to%6ben=lk%5Fat_" + token[6:] + "&token=1": {"token=1", ""},
		"ticket=" + token + "&a":                    {"a", "a"},
		"ticket=abc":                                {"ticket=abc", ""},
		"x=1&ticket":                                {"x=1&ticket", "x=1"},
		"tokens=1&mytoken=2":                        {"tokens=1&mytoken=2", "tokens=1&mytoken=2"},
		"&&a=%zz&;":                                 {"&&a=%zz&;", "&&a=%zz&;"},
	} {
		if got := plain.Query(raw); got != want[0] {
			t.Errorf("%q: %q, want %q", raw, got, want[0])
		}
		if got := sockets.Query(raw); got != want[1] {
			t.Errorf("%q with ws: %q, want %q", raw, got, want[1])
		}
	}
}

// bare is a gateway without anything behind it, for what it reads.
func bare(t testing.TB, routes string) *gateway.Gateway {
	t.Helper()
	parsed, err := models.ParseUpstreams(routes)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.New(gateway.Deps{Routes: parsed, Log: slog.New(slog.DiscardHandler), Now: time.Now})
}

// However a path is written: what the upstream reads is what found the route, nothing in
// it leads elsewhere, and it is sent as it came.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/graphql", "/graphql/a%20b", "/graphql/../x", "/graphql/%2e%2e/x", "/graphql/..;/x", "/plain//x", "/%70lain", "/plain/ä", "/plain/%c0%ae", "/PLAIN/x", "/plain/x;y/z", "/plain/admin;x", `/plain\x`, "/a/b?c"} {
		f.Add(seed)
	}
	g := bare(f, "/graphql=http://127.0.0.1:1/graphql /plain=http://127.0.0.1:1 /plain/admin=http://127.0.0.1:1 /cut=http://127.0.0.1:1;strip")
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")))
		if err != nil {
			return
		}
		route, upstream, problem := g.Reading(r)
		if route == "" || problem != "" {
			return
		}
		got, err := url.ParseRequestURI(upstream)
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", target, upstream, err)
		}
		clean := path.Clean(got.Path)
		if strings.HasSuffix(got.Path, "/") && clean != "/" {
			clean += "/"
		}
		if clean != got.Path || strings.ContainsAny(got.Path, "\\\x00\r\n") {
			t.Fatalf("%q is sent as %q", target, upstream)
		}
		sent := got.Path
		if route == "/cut" {
			sent = path.Join("/cut", sent)
		}
		if again, _, problem := g.Reading(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: sent}}); again != route || problem != "" {
			t.Fatalf("%q found %s and is sent as %q, which is %s", target, route, upstream, again)
		}
		asked, _, _ := strings.Cut(target, "?")
		if rest := strings.TrimPrefix(upstream, route); route != "/cut" && !strings.Contains(asked, "#") && isPlain(asked) && !strings.HasSuffix(asked, rest) {
			t.Fatalf("%q is sent as %q", target, upstream)
		}
	})
}

// isPlain tells whether a path holds only what may stand in a request line (RFC 3986).
func isPlain(target string) bool {
	return strings.Trim(target, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%") == ""
}

// What goes on is what came, less what is secret, whatever the query.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{"a=1&token=x", "token=1;ticket=2", "%74oken=1", "a&&b;;", "token", "x=%zz&token=%zz"} {
		f.Add(seed)
	}
	g := bare(f, "/a=http://127.0.0.1:1;ws")
	f.Fuzz(func(t *testing.T, raw string) {
		got := g.Query(raw)
		if len(got) > len(raw) || g.Query(got) != got {
			t.Fatalf("%q becomes %q", raw, got)
		}
		for _, separator := range []string{"&", ";"} {
			query, _ := url.ParseQuery(strings.ReplaceAll(got, separator, "&"))
			if query.Has("token") || query.Has("ticket") {
				t.Fatalf("%q becomes %q", raw, got)
			}
		}
	})
}
