package models

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestExplorerTargets(t *testing.T) {
	for _, c := range []struct{ route, path, query, want string }{
		{"/v1", "", "", "/v1"},
		{"/v1", "/", "", "/v1/"},
		{"/", "", "", "/"},
		{"/", "/orders", "", "/orders"},
		{"/v1", "/orders/4 2", "a=b c&d=é", "/v1/orders/4%202?a=b%20c&d=%C3%A9"},
		{"/v1", "/a%2Fb", "?x=%41&y=100%", "/v1/a%2Fb?x=%41&y=100%25"},
		{"/v1", "/it's/[1]/{id}/\"", "f[0]='x'", "/v1/it%27s/%5B1%5D/%7Bid%7D/%22?f%5B0%5D=%27x%27"},
		{"/v1", "/..a/b..", "", "/v1/..a/b.."},
	} {
		got, err := ExplorerInput{Method: "GET", Path: c.path, Query: c.query}.Validate(Upstream{Path: c.route})
		if err != nil || got.Target != c.want {
			t.Errorf("%s %q %q: %q %v, want %q", c.route, c.path, c.query, got.Target, err, c.want)
		}
	}
}

func TestExplorerNamesTheBody(t *testing.T) {
	for _, c := range []struct{ headers, body, want string }{
		{"", "", ""},
		{"", `{"a":1}`, "application/json"},
		{"", "hello", "text/plain; charset=utf-8"},
		{"content-type: text/csv", `{"a":1}`, "text/csv"},
	} {
		got, err := ExplorerInput{Method: "POST", Headers: c.headers, Body: c.body}.Validate(Upstream{Path: "/v1"})
		kind := ""
		for _, h := range got.Headers {
			if strings.EqualFold(h.Name, "Content-Type") {
				kind += h.Value
			}
		}
		if err != nil || kind != c.want {
			t.Errorf("%q, %q: %q %v, want %q", c.headers, c.body, kind, err, c.want)
		}
	}
}

func TestExplorerHeaders(t *testing.T) {
	got, err := ExplorerInput{Method: "GET", Headers: "\r\n A: 1\r\nb:2 : 3\n\nX-Empty:\nA: two\tparts\n"}.Validate(Upstream{Path: "/v1"})
	want := []HeaderLine{{"A", "1"}, {"b", "2 : 3"}, {"X-Empty", ""}, {"A", "two\tparts"}}
	if err != nil || !slices.Equal(got.Headers, want) {
		t.Errorf("%v %v", got.Headers, err)
	}
	for _, bad := range []string{strings.Repeat("A: b\n", 51), "A: " + strings.Repeat("b", 4096), "Á: b", "A B: c", "A: b\x7f", "AUTHORIZATION : x", "authorization: x", "Te: trailers"} {
		if _, err := (ExplorerInput{Method: "GET", Headers: bad}).Validate(Upstream{Path: "/v1"}); err == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
}

// G4: whatever is typed stays below the route, is one address and holds nothing that code or
// a header could read as an end.
func FuzzExplorerInput(f *testing.F) {
	f.Add("/v1", "POST", "/orders/42", "a=1", "A: b", "body")
	f.Add("/", "GET", "//evil.example/..", "?%", "", "")
	f.Add("/v1", "GET", "/%2e%2e/%2f", "a=%zz&\"'", "Host: x", "")
	f.Add("/v1", "PUT", "/é\u2028/\\", "#", "X: \r\n", "\x00")
	f.Fuzz(func(t *testing.T, base, method, path, query, headers, body string) {
		routes, err := ParseUpstreams(base + "=http://127.0.0.1")
		if err != nil || len(routes) != 1 {
			return
		}
		got, err := ExplorerInput{Method: method, Path: path, Query: query, Headers: headers, Body: body}.Validate(routes[0])
		if err != nil {
			if problems, ok := err.(FieldErrors); !ok || len(problems) == 0 { //nolint:errorlint // it is not wrapped
				t.Error(err)
			}
			return
		}
		at, err := url.ParseRequestURI(got.Target)
		if err != nil || at.Host != "" || at.Fragment != "" || !routes[0].Covers(at.Path) || slices.Contains(strings.Split(at.Path, "/"), "..") {
			t.Errorf("%q leads to %q: %v", path, got.Target, err)
		}
		if i := strings.IndexFunc(got.Target, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'<>\\`", r) }); i >= 0 {
			t.Errorf("%q holds %q", got.Target, got.Target[i])
		}
		for _, h := range got.Headers {
			if !isHeaderName(h.Name) || strings.ContainsFunc(h.Value, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) || strings.EqualFold(h.Name, "Authorization") {
				t.Errorf("header %q", h)
			}
		}
	})
}
