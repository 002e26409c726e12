package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/usage"
)

func TestTokensThatAreNotGood(t *testing.T) {
	g := newGate(t, "/=UP", func(d *gateway.Deps) { d.Host = "a" })
	const none, bad = `Bearer realm="latchkey"`, `Bearer realm="latchkey", error="invalid_token"`
	for lines, challenge := range map[string]string{
		"":                                              none,
		"Authorization: Basic " + value:                 none,
		"Authorization: " + value:                       none,
		"Authorization: Bearer":                         none,
		"Authorization: Bearer ":                        none,
		"Authorization: Bearer wrong":                   bad,
		"Authorization: Bearer " + value + "x":          bad,
		"Authorization: Bearer " + value + ", Bearer x": bad,
		"Authorization: Bearer " + value + "\r\nAuthorization: Bearer x": bad,
		"Authorization: Bearer " + strings.Repeat("x", 4000):             bad,
		"X-Authorization: Bearer " + value:                               none,
		"Cookie: token=" + value:                                         none,
		"Authorization: DPoP " + value:                                   none,
		"Proxy-Authorization: Bearer " + value:                           none,
		"Authorization: Bearer \x7f":                                     "", // no header value at all
	} {
		if lines != "" {
			lines += "\r\n"
		}
		conn := g.dial(t)
		_, _ = fmt.Fprintf(conn, "GET /x?token=%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", value, lines)
		res, body := readAnswer(t, conn)
		if challenge == "" {
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %d", lines, res.StatusCode)
			}
			continue
		}
		if res.StatusCode != http.StatusUnauthorized || body != "Unauthorized" || strings.Join(res.Header["Www-Authenticate"], "|") != challenge {
			t.Errorf("%q: %d %q %q", lines, res.StatusCode, body, res.Header["Www-Authenticate"])
		}
		if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%v", res.Header)
		}
	}
	if len(g.upstream.Seen()) > 0 || len(g.meter.refused) > 0 {
		t.Errorf("%+v, %+v", g.upstream.Seen(), g.meter.refused)
	}
	// A2
	if told := g.told(); strings.Contains(told, value) {
		t.Error(told)
	}
}

// A revoked token is refused by the next call.
func TestRevokedToken(t *testing.T) {
	g := newGate(t, "/=UP")
	if answer := g.get(t, "/x"); answer.StatusCode != http.StatusOK {
		t.Fatal(answer.StatusCode)
	}
	if _, err := g.db.RevokeTokens(t.Context(), g.team, g.app.ID); err != nil {
		t.Fatal(err)
	}
	if answer := g.get(t, "/x"); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(g.told(), "refused=revoked") {
		t.Errorf("%d, %s", answer.StatusCode, g.told())
	}
}

func TestMissingScope(t *testing.T) {
	g := newGate(t, "/v1=UP;scope=reports /v2=UP;scope=api")
	answer := g.get(t, "/v1/x")
	if answer.StatusCode != http.StatusForbidden || answer.Header.Get("Www-Authenticate") != `Bearer realm="latchkey", error="insufficient_scope", scope="reports"` ||
		!strings.HasPrefix(answer.body, "insufficient_scope: ") || !strings.Contains(answer.body, "the scope reports.") {
		t.Errorf("%d %v %q", answer.StatusCode, answer.Header, answer.body)
	}
	want := counted{usage.Call{TeamID: g.team.TeamID, ApplicationID: g.app.ID, TokenID: g.token.ID, Route: "/v1", API: "v1", Cost: 1}, http.StatusForbidden, 0}
	if len(g.meter.refused) != 1 || g.meter.refused[0] != want || len(g.upstream.Seen()) > 0 {
		t.Errorf("%+v", g.meter.refused)
	}
	if answer := g.get(t, "/v2/x"); answer.StatusCode != http.StatusOK {
		t.Errorf("%d", answer.StatusCode)
	}
}

func TestLimits(t *testing.T) {
	const sentence = "The team has no points left. Whoever runs Latchkey can add points."
	rate := usage.Rate{Limit: 600, Remaining: 0, Window: time.Minute, Reset: 1500 * time.Millisecond}
	for limit, want := range map[usage.Limit]int{
		usage.LimitPoints: 402, usage.LimitDay: 402, usage.LimitEnded: 402, usage.LimitRate: 429, usage.LimitStreams: 429,
	} {
		g := newGate(t, "/v1=UP")
		g.meter.refuse = usage.RefusedError{Limit: limit, Text: sentence, RetryAfter: 100 * time.Millisecond, Rate: rate}
		answer := g.get(t, "/v1")
		if answer.StatusCode != want || answer.body != sentence || answer.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: %d %q %v", limit, answer.StatusCode, answer.body, answer.Header)
		}
		if answer.Header.Get("RateLimit-Policy") != `"team";q=600;w=60` || answer.Header.Get("RateLimit") != `"team";r=0;t=2` {
			t.Errorf("%s: %v", limit, answer.Header)
		}
		if len(g.meter.refused) != 1 || g.meter.refused[0].status != want || len(g.upstream.Seen()) > 0 || !strings.Contains(g.told(), "refused="+string(limit)) {
			t.Errorf("%s: %+v %s", limit, g.meter.refused, g.told())
		}
		g.meter.settled(t)
	}
}

func TestRateOnEveryAnswer(t *testing.T) {
	g := newGate(t, "/v1=UP;strip /away=http://127.0.0.1:1")
	g.meter.rate = usage.Rate{Limit: 60, Remaining: 59, Window: time.Minute, Reset: time.Second}
	for _, path := range []string{"/v1/x", "/v1/interim", "/v1/status?code=500", "/away"} {
		if answer := g.get(t, path); answer.Header.Get("RateLimit-Policy") != `"team";q=60;w=60` || answer.Header.Get("RateLimit") != `"team";r=59;t=1` {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
	}
	g.meter.rate = usage.Rate{}
	if answer := g.get(t, "/v1/x"); hasHeader(answer.Header, "RateLimit") || hasHeader(answer.Header, "RateLimit-Policy") {
		t.Errorf("%v", answer.Header)
	}
}

// A6: who cannot know does not let through.
func TestStoreAway(t *testing.T) {
	g := newGate(t, "/=UP")
	g.meter.refuse = models.ErrUnavailable
	answer := g.get(t, "/x")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || len(g.meter.refused) != 1 {
		t.Errorf("the meter cannot say: %d %v", answer.StatusCode, answer.Header)
	}
	g = newGate(t, "/=UP")
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
	answer = g.get(t, "/x")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || len(g.upstream.Seen()) > 0 {
		t.Errorf("the verifier cannot say: %d %v", answer.StatusCode, answer.Header)
	}
}

// A WebSocket is not let through to a route that has none, and not answered by silence.
func TestUpgradeWithoutWebSockets(t *testing.T) {
	g := newGate(t, "/=UP")
	r := g.request(t, http.MethodGet, "/ws", nil)
	r.Header.Set("Connection", "keep-alive, Upgrade")
	r.Header.Set("Upgrade", "WebSocket")
	answer := g.send(t, r)
	if answer.StatusCode != http.StatusForbidden || !strings.Contains(answer.body, "takes no WebSockets") || len(g.upstream.Seen()) > 0 {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
}

// R3: more calls than the server bears are told so.
func TestTooManyCalls(t *testing.T) {
	g := newGate(t, "/=UP", func(d *gateway.Deps) { d.Limits.Calls = 2 })
	for _, token := range []string{value, g.neighbour(t)} {
		r := g.request(t, http.MethodGet, "/hang", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		go func() { _, _ = http.DefaultClient.Do(r) }()
		await(t, g.upstream.Arrived)
	}
	answer := g.get(t, "/x")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
	g.CloseClientConnections()
	for range 2 {
		if c := g.meter.next(t); c.status != 499 {
			t.Errorf("%+v", c)
		}
	}
	if answer := g.get(t, "/x"); answer.StatusCode != http.StatusOK {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
}

func TestCosts(t *testing.T) {
	g := newGate(t, "/=UP;cost=5")
	for query, want := range map[string]int64{
		"": usage.CostOfRoute, "?points=0": 0, "?points=12": 12, "?points=1000000": 1_000_000,
		"?points=1000001": usage.CostOfRoute, "?points=-1": usage.CostOfRoute, "?points=1.5": usage.CostOfRoute, "?points=": usage.CostOfRoute, "?points=%2B3": usage.CostOfRoute,
		"?points=99999999999999999999": usage.CostOfRoute, "?points=1&points=2": usage.CostOfRoute, "?points=0x10": usage.CostOfRoute,
	} {
		if answer := g.get(t, "/cost"+query); answer.StatusCode != 200 || hasHeader(answer.Header, "X-Points-Cost") {
			t.Errorf("%q: %d %v", query, answer.StatusCode, answer.Header)
		}
		if c := g.meter.next(t); c.points != want || c.status != 200 {
			t.Errorf("%q: %+v, want %d", query, c, want)
		}
	}
	if n := strings.Count(g.told(), "named a cost"); n < 1 || n > 2 {
		t.Errorf("told %d times", n)
	}
	// As a trailer it counts where the header is not there.
	r := g.request(t, http.MethodPost, "/trailers", nil)
	r.Header.Set("X-Cost", "33")
	if answer := g.send(t, r); answer.StatusCode != 200 || hasHeader(answer.Trailer, "X-Points-Cost") {
		t.Errorf("%v", answer.Trailer)
	}
	if c := g.meter.next(t); c.points != 33 {
		t.Errorf("%+v", c)
	}
	g.meter.settled(t)
	// What the upstream answers costs what it costs.
	if answer := g.get(t, "/status?code=503"); answer.StatusCode != 503 {
		t.Errorf("%d", answer.StatusCode)
	}
	if c := g.meter.next(t); c.status != 503 || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
}

// neighbour returns a token of another team.
func (g *gate) neighbour(t *testing.T) string {
	t.Helper()
	const other = "lk_at_of-another-team"
	eve := g.db.Member(t, "contoso", "eve", models.RoleOwner)
	g.db.Token(t, eve, g.db.Application(t, eve, "Bot"), models.KindClientCredentials, string(secrets.Hash(models.NewSecret(other))))
	return other
}

// R1: one team's calls leave room for those of others.
func TestTeamLeavesRoom(t *testing.T) {
	g := newGate(t, "/=UP", func(d *gateway.Deps) { d.Limits.Calls = 4 })
	for range 2 {
		go func() { _, _ = http.DefaultClient.Do(g.request(t, http.MethodGet, "/hang", nil)) }()
		await(t, g.upstream.Arrived)
	}
	answer := g.get(t, "/x")
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" || !strings.HasPrefix(answer.body, "The team has as many calls open") {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
	r := g.request(t, http.MethodGet, "/x", nil)
	r.Header.Set("Authorization", "Bearer "+g.neighbour(t))
	if answer := g.send(t, r); answer.StatusCode != http.StatusOK {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
	g.CloseClientConnections()
	for range 4 {
		g.meter.next(t)
	}
	if answer := g.get(t, "/x"); answer.StatusCode != http.StatusOK {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
}

// What stays open is told to the meter when it begins, once; an upgrade that comes to nothing
// costs nothing.
func TestStreamsAreSettledWhenTheyBegin(t *testing.T) {
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: another\r\n\r\n")
	}))
	t.Cleanup(odd.Close)
	g := newGate(t, "/v1=UP;strip;ws /odd="+odd.URL+";ws")
	dial := func(path string) (*websocket.Conn, error) {
		socket, _, err := websocket.Dial(t.Context(), g.URL+path, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + value}}})
		return socket, err
	}
	socket, err := dial("/v1/ws")
	if err != nil {
		t.Fatal(err)
	}
	if c := g.meter.next(t); c.status != http.StatusSwitchingProtocols || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
	_ = socket.CloseNow()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = http.DefaultClient.Do(g.request(t, http.MethodGet, "/v1/sse", nil).WithContext(ctx)) }() //nolint:contextcheck // ctx is from t
	await(t, g.upstream.Arrived)
	if c := g.meter.next(t); c.status != http.StatusOK || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
	cancel()
	await(t, g.upstream.Left)
	if _, err := dial("/odd/ws"); err == nil {
		t.Error("another protocol was opened")
	}
	if c := g.meter.next(t); c.status != http.StatusBadGateway || c.points != 0 {
		t.Errorf("%+v", c)
	}
	eventually(t, "all are over", func() bool { return g.gateway.Open() == 0 })
	g.meter.settled(t)
}
