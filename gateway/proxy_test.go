package gateway_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/usage"
)

func TestForwardsACall(t *testing.T) {
	g := newGate(t, "/v1=UP;api=v2;cost=5")
	r := g.request(t, http.MethodPost, "/v1/things?a=1&b=%20x", strings.NewReader("hello"))
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("X-Custom", "kept")
	answer := g.send(t, r)
	got := answer.seen(t)
	if got.Method != http.MethodPost || got.URI != "/v1/things?a=1&b=%20x" || got.Body != "hello" || got.Length != 5 || "http://"+got.Host != g.upstream.URL {
		t.Errorf("%+v", got)
	}
	for name, want := range map[string]string{
		"X-Custom": "kept", "Content-Type": "text/plain", "X-Latchkey-Team": g.team.TeamID, "X-Latchkey-Application": g.app.ID, "X-Latchkey-Client-Id": g.app.ClientID,
		"X-Latchkey-Scope": "api", "X-Latchkey-Token-Id": g.token.ID, "X-Latchkey-Expires": g.token.ExpiresAt.Std().Format("2006-01-02T15:04:05Z07:00"),
		"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http", "X-Forwarded-Host": strings.TrimPrefix(g.URL, "http://"), "X-Request-Id": "REQUEST",
		"User-Agent": "Go-http-client/1.1",
	} {
		if values := got.Headers[name]; len(values) != 1 || values[0] != want {
			t.Errorf("%s: %q, want %q", name, values, want)
		}
	}
	if hasHeader(got.Headers, "Authorization") || hasHeader(got.Headers, "Accept-Encoding") {
		t.Errorf("the upstream got %v", got.Headers)
	}
	if answer.Header.Get("X-Request-Id") != "REQUEST" {
		t.Errorf("%v", answer.Header)
	}
	want := usage.Call{TeamID: g.team.TeamID, ApplicationID: g.app.ID, TokenID: g.token.ID, Route: "/v1", API: "v2", Cost: 5}
	if c := g.meter.next(t); c.Call != want || c.status != 200 || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
	g.meter.settled(t)
}

func TestGzipPassesUntouched(t *testing.T) {
	g := newGate(t, "/=UP")
	r := g.request(t, http.MethodGet, "/gzip", nil)
	r.Header.Set("Accept-Encoding", "br;q=0.5, gzip")
	answer := g.send(t, r)
	zip, err := gzip.NewReader(strings.NewReader(answer.body))
	if err != nil || answer.Header.Get("Content-Encoding") != "gzip" || answer.Header.Get("X-Asked") != "br;q=0.5, gzip" {
		t.Fatalf("%v %v", answer.Header, err)
	}
	if text, err := io.ReadAll(zip); err != nil || string(text) != "small when packed" {
		t.Errorf("%q %v", text, err)
	}
	// Nobody asked for it, and the gateway neither asks nor unpacks.
	if answer := g.get(t, "/gzip"); answer.Header.Get("Content-Encoding") != "gzip" || answer.Header.Get("X-Asked") != "" {
		t.Errorf("%v", answer.Header)
	}
}

func TestTrailersBothWays(t *testing.T) {
	for name, upstream := range map[string]func(testing.TB) *gatewaytest.Upstream{"HTTP/1.1": gatewaytest.New, "HTTP/2": gatewaytest.NewTLS} {
		t.Run(name, func(t *testing.T) {
			up := upstream(t)
			g := newGateTo(t, up, "/=UP", trusting(up))
			r := g.request(t, http.MethodPost, "/trailers", io.MultiReader(strings.NewReader("abc"), strings.NewReader("def")))
			r.Trailer = http.Header{"X-Sum": {"42"}}
			answer := g.send(t, r)
			if answer.body != "6" || answer.err != nil || answer.Trailer.Get("X-Sum") != "42" || answer.Trailer.Get("X-Late") != "late" {
				t.Errorf("%q %v, trailers %v", answer.body, answer.err, answer.Trailer)
			}
			// G1: a trailer is as foreign as a header.
			if hasHeader(answer.Trailer, "Set-Cookie") || hasHeader(answer.Trailer, "X-Latchkey-Team") {
				t.Errorf("%v", answer.Trailer)
			}
			g.meter.next(t)
			// G2: nor does one of a client say whose the call is.
			r = g.request(t, http.MethodPost, "/echo", io.MultiReader(strings.NewReader("abc")))
			r.Trailer = http.Header{"X-Latchkey-Team": {"forged"}, "Cookie": {"a=b"}, "X-Kept": {"kept"}}
			if got := g.send(t, r).seen(t); len(got.Trailers) != 1 || got.Trailers.Get("X-Kept") != "kept" || got.Headers.Get("X-Latchkey-Team") != g.team.TeamID {
				t.Errorf("%v", got.Trailers)
			}
		})
	}
}

// trusting lets the gateway know the certificate of an upstream.
func trusting(up *gatewaytest.Upstream) func(*gateway.Deps) {
	return func(d *gateway.Deps) {
		if up.Certificate() != nil {
			d.CAs = poolOf(up)
		}
	}
}

func TestHTTP2ToTheUpstream(t *testing.T) {
	up := gatewaytest.NewTLS(t)
	g := newGateTo(t, up, "/=UP", trusting(up))
	if got := g.get(t, "/x").seen(t); got.Proto != "HTTP/2.0" {
		t.Errorf("%+v", got)
	}
	// C2: a certificate that nobody knows is refused.
	stranger := newGateTo(t, up, "/=UP")
	if answer := stranger.get(t, "/x"); answer.StatusCode != http.StatusBadGateway || !strings.Contains(stranger.told(), "certificate") {
		t.Errorf("%d %s", answer.StatusCode, stranger.told())
	}
	if c := stranger.meter.next(t); c.status != http.StatusBadGateway || c.points != 0 {
		t.Errorf("%+v", c)
	}
}

func TestHead(t *testing.T) {
	g := newGate(t, "/=UP")
	answer := g.send(t, g.request(t, http.MethodHead, "/large?bytes=5000", nil))
	if answer.StatusCode != 200 || answer.body != "" {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
}

func TestInterimAnswers(t *testing.T) {
	g := newGate(t, "/=UP")
	var early []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		if code == http.StatusEarlyHints {
			early = append(early, h)
		}
		return nil
	}})
	answer := g.send(t, g.request(t, http.MethodGet, "/interim", nil).WithContext(ctx))
	if answer.body != "done" || len(early) != 1 || early[0].Get("Link") == "" {
		t.Fatalf("%q, before it %v", answer.body, early)
	}
	// G1: the rules hold for these too, and what is ours comes with the last one.
	if early[0].Get("Set-Cookie") != "" || answer.Header.Get("Set-Cookie") != "" || answer.Header.Get("X-Request-Id") != "REQUEST" || answer.Header.Get("Content-Security-Policy") != "sandbox" {
		t.Errorf("%v, %v", early[0], answer.Header)
	}
}

func TestExpectContinue(t *testing.T) {
	g := newGate(t, "/=UP")
	conn := g.dial(t)
	in := bufio.NewReader(conn)
	_, _ = fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", value)
	first, err := http.ReadResponse(in, nil)
	if err != nil || first.StatusCode != http.StatusContinue {
		t.Fatalf("%v %v", first, err)
	}
	_, _ = io.WriteString(conn, "hello")
	second, err := http.ReadResponse(in, nil)
	if err != nil || second.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", second, err)
	}
	body, _ := io.ReadAll(second.Body)
	if !strings.Contains(string(body), `"body":"hello"`) {
		t.Errorf("%s", body)
	}
	// An upstream that wants none of the body gets none.
	conn = g.dial(t)
	in = bufio.NewReader(conn)
	_, _ = fmt.Fprintf(conn, "POST /early HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", value)
	if first, err = http.ReadResponse(in, nil); err != nil || first.StatusCode != http.StatusForbidden {
		t.Errorf("%v %v", first, err)
	}
}

// Each piece comes through before the next is sent.
func TestStreamsBothWays(t *testing.T) {
	for name, upstream := range map[string]func(testing.TB) *gatewaytest.Upstream{"HTTP/1.1": gatewaytest.New, "HTTP/2": gatewaytest.NewTLS} {
		t.Run(name, func(t *testing.T) {
			up := upstream(t)
			g := newGateTo(t, up, "/=UP", trusting(up))
			read, write := io.Pipe()
			res, err := (&http.Client{}).Do(g.request(t, http.MethodPost, "/both", read))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for _, piece := range []string{"one", "two", "three"} {
				if _, err := io.WriteString(write, piece); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(piece))
				if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != piece {
					t.Fatalf("%q %v", got, err)
				}
			}
			_ = write.Close()
			if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
				t.Errorf("%q %v", rest, err)
			}
		})
	}
}

func TestServerSentEvents(t *testing.T) {
	g := newGate(t, "/=UP")
	ctx, leave := context.WithCancel(t.Context())
	res, err := http.DefaultClient.Do(g.request(t, http.MethodGet, "/sse?n=2", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for _, want := range []string{"data: 0", "", "data: 1", ""} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q, want %q", lines.Text(), want)
		}
	}
	await(t, g.upstream.Arrived)
	leave()
	await(t, g.upstream.Left)
	if c := g.meter.next(t); c.status != 200 || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
}

func TestLargeBodies(t *testing.T) {
	g := newGate(t, "/=UP")
	const size = 20 << 20
	answer := g.get(t, fmt.Sprint("/large?bytes=", size))
	if len(answer.body) != size || answer.err != nil {
		t.Errorf("%d bytes, %v", len(answer.body), answer.err)
	}
	up := bytes.Repeat([]byte("x"), 1<<20)
	if got := g.send(t, g.request(t, http.MethodPut, "/x", bytes.NewReader(up))).seen(t); len(got.Body) != len(up) {
		t.Errorf("%d bytes", len(got.Body))
	}
}

func TestNoRouteNoGateway(t *testing.T) {
	g := newGate(t, "/v1=UP")
	for _, path := range []string{"/", "/v2", "/v11", "/v1x/y", "/V1", "/user"} {
		if answer := g.get(t, path); answer.StatusCode != http.StatusTeapot {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	none := newGate(t, "")
	if answer := none.get(t, "/"); answer.StatusCode != http.StatusTeapot {
		t.Errorf("no routes at all: %d", answer.StatusCode)
	}
}

// With a host of its own only routes are there, and only there are routes.
func TestOwnHost(t *testing.T) {
	g := newGate(t, "/v1=UP", func(d *gateway.Deps) { d.Host = "api.example.com" })
	for host, want := range map[string][2]int{
		"api.example.com": {200, 404}, "API.example.com:8443": {200, 404}, "api.example.com.": {200, 404}, "account.example.com": {418, 418}, "x.api.example.com": {418, 418},
	} {
		for i, path := range []string{"/v1/x", "/user/profile"} {
			r := g.request(t, http.MethodGet, path, nil)
			r.Host = host
			if answer := g.send(t, r); answer.StatusCode != want[i] {
				t.Errorf("%s%s: %d %q", host, path, answer.StatusCode, answer.body)
			}
		}
	}
}
