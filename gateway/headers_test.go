package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway"
)

// G2: nothing that lets somebody in here, and nothing that only we say, reaches the
// upstream from a client, however its name is written.
func TestClientHeadersThatStayHere(t *testing.T) {
	g := newGate(t, "/=UP", func(d *gateway.Deps) { d.Host = "a" })
	forged := []string{
		"X-Latchkey-Team: forged", "x-latchkey-team: forged", "X_Latchkey_Team: forged", "X-LATCHKEY_Scope: forged", "x_latchkey-token_id: forged", "X-Latchkey-Anything: forged", "X_LATCHKEY_EXPIRES: forged",
		"X.Latchkey.Team: forged", "X!Latchkey~Scope: forged", "X.Forwarded.For: forged",
		"Cookie: session=forged", "cookie: b=forged", "Proxy-Authorization: Basic forged", "Proxy: http://forged", "Proxy-Anything: forged", "Proxy_Connection: forged",
		"Forwarded: for=forged", "X-Forwarded-For: forged", "X_Forwarded_For: forged", "X-Forwarded-Host: forged", "X-Forwarded-Proto: forged", "X-Forwarded-Prefix: forged", "X-Forwarded-Uri: forged", "X-Forwarded-User: forged",
		"X-Real-IP: forged", "X-Original-URL: /forged", "X-Rewrite-URL: /forged", "True-Client-IP: forged", "X-Request-Id: forged",
		"Connection: X-Latchkey-Team, X-Latchkey-Scope, X-Named, keep-alive, X-Forwarded-For, Authorization", "Connection: X-Latchkey-Token-Id", "X-Named: forged", "Keep-Alive: forged", "TE: forged", "HTTP2-Settings: forged",
		"Upgrade: h2c", "Trailer: X-Forged",
	}
	status, body := g.raw(t, fmt.Sprintf("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nX-Kept: kept\r\nX-Latchke: near\r\n%s\r\n\r\n", value, strings.Join(forged, "\r\n")))
	if status != http.StatusOK || strings.Contains(strings.ToLower(body), "forged") || strings.Contains(body, value) || strings.Contains(body, "h2c") {
		t.Fatalf("%d %s", status, body)
	}
	got := g.upstream.Seen()[0].Headers
	for _, name := range headerNames(got) {
		switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
		case "authorization", "cookie", "connection", "upgrade", "proxy", "forwarded", "keep-alive", "te", "trailer":
			t.Errorf("the upstream got %s", name)
		}
		if strings.Contains(name, "_") {
			t.Errorf("the upstream got %s", name)
		}
	}
	for name, want := range map[string]string{"X-Latchkey-Team": g.team.TeamID, "X-Latchkey-Scope": "api", "X-Latchkey-Token-Id": g.token.ID, "X-Forwarded-For": "192.0.2.7", "X-Kept": "kept", "X-Latchke": "near"} {
		if values := got[name]; len(values) != 1 || values[0] != want {
			t.Errorf("%s: %q", name, values)
		}
	}
}

// G3: the chain of a trusted proxy is kept, and what it says of host and scheme.
func TestForwardedByAProxy(t *testing.T) {
	g := newGate(t, "/=UP")
	g.from = gateway.Caller{Address: "192.0.2.1", Chain: "203.0.113.9, 192.0.2.1, 10.0.0.1", Host: "api.example.com", HTTPS: true, RequestID: "R"}
	answer := g.get(t, "/x")
	for name, want := range map[string]string{"X-Forwarded-For": "203.0.113.9, 192.0.2.1, 10.0.0.1", "X-Forwarded-Host": "api.example.com", "X-Forwarded-Proto": "https"} {
		if got := answer.seen(t).Headers.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	// P5
	if got := answer.Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains" {
		t.Errorf("%q", got)
	}
}

// G1: an upstream speaks for itself, not for this origin.
func TestUpstreamHeadersThatStayThere(t *testing.T) {
	never := []string{"Set-Cookie", "Set-Cookie2", "X-Latchkey-Team", "X_Latchkey_Scope", "X-Points-Cost", "X-Named", "Proxy-Authenticate", "Keep-Alive"}
	wide := []string{"Service-Worker-Allowed", "Clear-Site-Data", "Alt-Svc", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}
	for host, shared := range map[string]bool{"": true, "a": false} {
		g := newGate(t, "/v1=UP;strip", func(d *gateway.Deps) { d.Host = host })
		r := g.request(t, http.MethodGet, "/v1/hostile", nil)
		r.Host = "a"
		answer := g.send(t, r)
		for _, name := range never {
			if hasHeader(answer.Header, name) {
				t.Errorf("host %q: the client got %s", host, name)
			}
		}
		for _, name := range wide {
			if hasHeader(answer.Header, name) == shared {
				t.Errorf("host %q: %s is %q", host, name, answer.Header[name])
			}
		}
		want := map[string]string{"Content-Security-Policy": "default-src *", "X-Content-Type-Options": "sniff", "Strict-Transport-Security": "max-age=0"}
		if shared {
			want = map[string]string{"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff", "Strict-Transport-Security": ""}
		}
		want["X-Request-Id"], want["X-Kept"] = "REQUEST", "kept"
		for name, text := range want {
			if got := strings.Join(answer.Header[name], "|"); got != text {
				t.Errorf("host %q: %s is %q, want %q", host, name, got, text)
			}
		}
		if c := g.meter.next(t); c.points != 7 {
			t.Errorf("%+v", c)
		}
	}
}
