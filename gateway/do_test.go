package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

func (g *gate) do(t testing.TB, ctx context.Context, method, path, body, token string) (*http.Response, error) { //nolint:revive // t comes first in tests
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of somebody else")
	return g.gateway.Do(ctx, r, models.NewSecret(token), gateway.Caller{Address: "192.0.2.9", Host: "account.example.com"})
}

func TestDo(t *testing.T) {
	g := newGate(t, "/v1=UP;cost=3")
	res, err := g.do(t, t.Context(), http.MethodPost, "/v1/x?a=1", "hello", value)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	seen := answer{res, string(body), err}.seen(t)
	if seen.URI != "/v1/x?a=1" || seen.Body != "hello" || seen.Headers.Get("X-Forwarded-For") != "192.0.2.9" || seen.Headers.Get("X-Forwarded-Host") != "account.example.com" || hasHeader(seen.Headers, "Authorization") {
		t.Errorf("%+v", seen)
	}
	if c := g.meter.next(t); c.status != 200 || c.Cost != 3 {
		t.Errorf("%+v", c)
	}
}

// The same checks and limits as for everybody.
func TestDoIsRefused(t *testing.T) {
	g := newGate(t, "/v1=UP /admin=UP;scope=admin")
	for path, want := range map[string]int{"/v1/x": 401, "/v1/../x": 400, "/other": 404} {
		res, err := g.do(t, t.Context(), http.MethodGet, path, "", "wrong")
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s: %v %v", path, res, err)
		}
		_ = res.Body.Close()
	}
	g.meter.refuse = usage.RefusedError{Limit: usage.LimitPoints, Text: "None left."}
	for path, want := range map[string]int{"/v1": 402, "/admin": 403} {
		res, err := g.do(t, t.Context(), http.MethodGet, path, "", value)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s: %v %v", path, res, err)
		}
		_ = res.Body.Close()
	}
	if len(g.upstream.Seen()) > 0 {
		t.Errorf("%+v", g.upstream.Seen())
	}
}

// An answer is read as it comes; closing it ends the call.
func TestDoStreams(t *testing.T) {
	g := newGate(t, "/=UP")
	res, err := g.do(t, t.Context(), http.MethodGet, "/sse", "", value)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("data: 0\n\n"))
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "data: 0\n\n" {
		t.Fatalf("%q %v", first, err)
	}
	_ = res.Body.Close()
	await(t, g.upstream.Left)
	if c := g.meter.next(t); c.status != 200 {
		t.Errorf("%+v", c)
	}
	// Nobody reads, and somebody waits no longer.
	ctx, leave := context.WithCancel(t.Context())
	if res, err = g.do(t, ctx, http.MethodGet, "/large?bytes=100000000", "", value); err != nil {
		t.Fatal(err)
	}
	leave()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("whole")
	}
	_ = res.Body.Close()
	g.meter.next(t)
}

func TestDoIsCut(t *testing.T) {
	g := newGate(t, "/=UP")
	res, err := g.do(t, t.Context(), http.MethodGet, "/cut?framed", "", value)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil || string(body) != "half" {
		t.Errorf("%q %v", body, err)
	}
}

// A6: a fault in one call ends that call, and nothing besides it.
func TestDoPanics(t *testing.T) {
	g := newGate(t, "/=UP")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	from := gateway.Caller{Note: func(string, string) { panic("a fault with " + value) }}
	if res, err := g.gateway.Do(t.Context(), r, models.NewSecret(value), from); err == nil {
		_ = res.Body.Close()
		t.Error(res.Status)
	}
	if told := g.told(); !strings.Contains(told, "level=ERROR") || !strings.Contains(told, "do_test.go") || strings.Contains(told, value) {
		t.Error(told)
	}
}
