package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

const bearer = "a-token-of-this-test"

// site is the whole server, listening, before an upstream.
type site struct {
	base     string
	upstream *gatewaytest.Upstream
	db       *storetest.DB
	// ana owns the team of app, which bearer is a token of.
	ana models.Actor
	app models.Application
	// env has commands work on the same database.
	env map[string]string

	mu  sync.Mutex
	log strings.Builder
}

func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// line waits for a line of the log that holds all words.
func (s *site) line(t *testing.T, words ...string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		text := s.log.String()
		s.mu.Unlock()
		for line := range strings.Lines(text) {
			if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
				return line
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no line with %q in\n%s", words, text)
		}
	}
}

// newSite serves routes, in which UP stands for the upstream.
func newSite(t *testing.T, routes string, change func(*Config), server func(*http.Server)) *site {
	t.Helper()
	s := serveSite(t, gatewaytest.New(t), routes, change, server)
	s.addToken(t)
	return s
}

// serveSite does so with whatever there is in the database.
func serveSite(t *testing.T, upstream *gatewaytest.Upstream, routes string, change func(*Config), server func(*http.Server)) *site {
	t.Helper()
	s := &site{upstream: upstream}
	w, db := testWorldWith(t, slog.New(slog.NewTextHandler(s, nil)), func(c *Config) {
		if problem := parseUpstreams(c, strings.ReplaceAll(routes, "UP", s.upstream.URL)); problem != "" {
			t.Fatal(problem)
		}
		change(c)
		s.db = &storetest.DB{Path: c.Database}
		s.env = map[string]string{"LATCHKEY_DATABASE": c.Database, "LATCHKEY_KEYS": c.Keys}
	})
	s.db.Store = db
	srv := newServer(newEcho(w), w.log)
	server(srv)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.base = "http://" + listener.Addr().String()
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

func asIs(*Config) {}

func asItIs(*http.Server) {}

// addToken stores the token that the tests send.
func (s *site) addToken(t *testing.T) {
	t.Helper()
	db := s.db
	_, err := db.AddUser(t.Context(), models.CommandLine, store.Account{Name: "Ana", Email: "ana@example.com", PasswordHash: "-", Team: "Northwind", Role: models.RoleOwner})
	if err != nil {
		t.Fatal(err)
	}
	user, err := db.UserByEmail(t.Context(), "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	teams, err := db.Memberships(t.Context(), user.ID)
	if err != nil || len(teams) != 1 {
		t.Fatal(teams, err)
	}
	s.ana = models.Actor{UserID: user.ID, UserName: "Ana", TeamID: teams[0].TeamID, Role: models.RoleOwner}
	s.app = models.Application{ID: store.NewID(), Type: models.TypeService, Name: "Bot", ClientID: store.NewID(), Lifespan: 3600, Scopes: "api"}
	if _, err := db.CreateApplication(t.Context(), s.ana, s.app, models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: []byte("s"), Last4: "wxyz"}, ""); err != nil {
		t.Fatal(err)
	}
	now := clockMillis()
	if err := db.InsertTokens(t.Context(), []models.Token{{
		ID: store.NewID(), ApplicationID: s.app.ID, TeamID: s.ana.TeamID, Kind: models.KindClientCredentials, Hash: secrets.Hash(models.NewSecret(bearer)),
		Last4: "test", Scopes: "api", CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}}); err != nil {
		t.Fatal(err)
	}
}

func (s *site) ask(t *testing.T, ctx context.Context, path string, headers ...string) (*http.Response, string, error) { //nolint:revive // t comes first in tests
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// The gateway beside the pages, behind everything that each request passes.
func TestGatewayInTheServer(t *testing.T) {
	s := newSite(t, "/v1=UP;strip;ws", asIs, asItIs)
	res, body, err := s.ask(t, t.Context(), "/v1/things?password=canary")
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, `"uri":"/things?password=canary"`) || res.Header.Get("Content-Security-Policy") != "sandbox" {
		t.Fatalf("%v %s %v", res, body, err)
	}
	// A1, A2: one line, with the route and the token's ID and without the query.
	line := s.line(t, "msg=request", "upstream=/v1", "status=200", "token=")
	if strings.Contains(line, "canary") || strings.Contains(line, bearer) || !strings.Contains(line, "request="+res.Header.Get("X-Request-Id")) || len(res.Header["X-Request-Id"]) != 1 {
		t.Errorf("%s\n%v", line, res.Header)
	}
	if _, _, err := s.ask(t, t.Context(), "/v1/x", "Authorization", "Bearer second"); err != nil {
		t.Error(err)
	}
	s.line(t, "upstream=/v1", "status=401", "refused=malformed")
	if res, body, _ = s.ask(t, t.Context(), "/login"); res.StatusCode != 200 || !strings.Contains(body, "Sign in") || res.Header.Get("Content-Security-Policy") == "sandbox" {
		t.Errorf("a page: %d %v", res.StatusCode, res.Header)
	}
	if res, _, _ = s.ask(t, t.Context(), "/v11"); res.StatusCode != http.StatusNotFound {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestInterimAnswersInTheServer(t *testing.T) {
	s := newSite(t, "/v1=UP;strip", asIs, asItIs)
	var early []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		early = append(early, code)
		return nil
	}})
	res, body, err := s.ask(t, ctx, "/v1/interim")
	if err != nil || res.StatusCode != 200 || body != "done" || !slices.Equal(early, []int{http.StatusEarlyHints}) {
		t.Errorf("%v %q %v, before it %v", res, body, err, early)
	}
	s.line(t, "upstream=/v1", "status=200", "request="+res.Header.Get("X-Request-Id"))
}

// An answer that was cut has its line in the log all the same.
func TestCutAnswersAreLogged(t *testing.T) {
	s := newSite(t, "/v1=UP;strip", asIs, asItIs)
	if _, _, err := s.ask(t, t.Context(), "/v1/cut?framed"); err == nil {
		t.Error("whole")
	}
	s.line(t, "upstream=/v1", "cut=")
}

func TestWebSocketsInTheServer(t *testing.T) {
	s := newSite(t, "/v1=UP;strip;ws /v2=UP;strip", asIs, asItIs)
	socket, _, err := websocket.Dial(t.Context(), s.base+"/v1/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := socket.Read(t.Context()); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	_ = socket.Close(websocket.StatusNormalClosure, "")
	s.line(t, "upstream=/v1", "status=101")
	_, res, err := websocket.Dial(t.Context(), s.base+"/v2/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}})
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("%v %v", res, err)
	}
}

// The server's own deadlines do not end a stream.
func TestStreamsOutlastTheServersDeadlines(t *testing.T) {
	s := newSite(t, "/v1=UP;strip", asIs, func(server *http.Server) {
		server.ReadTimeout, server.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	res, body, err := s.ask(t, t.Context(), "/v1/slow?ms=1200")
	if err != nil || res.StatusCode != 200 || body != "slow" {
		t.Errorf("%v %q %v", res, body, err)
	}
}

// G4: by no reading of a path does a call get from a route to a page or back.
func TestPathsBetweenRoutesAndPages(t *testing.T) {
	s := newSite(t, "/v1=UP", asIs, asItIs)
	for target, want := range map[string]int{
		"/v1/../login": 400, "/v1/%2e%2e/login": 400, "/v1%2f..%2flogin": 400, "/v1/..%2flogin": 400, `/v1/..\login`: 400, "/v1//login": 400, "/v1/..;/login": 400, "/%76%31": 400, "/%761/x": 400,
		"http://127.0.0.1/v1": 400, "/login/../v1": 404, "/login/%2e%2e/v1": 404, "//v1": 404, "/static/../v1": 404, "/V1": 404, "/./v1": 404, "/login%2f..%2fv1": 404, "/user/..%2fv1": 404, "/v1%00": 404, "/v1;x": 404,
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", target, bearer)
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		if !strings.HasPrefix(string(answer), fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("%s: %.60q, want %d", target, answer, want)
		}
	}
	if seen := s.upstream.Seen(); len(seen) > 0 {
		t.Errorf("the upstream got %+v", seen)
	}
}

func TestGatewayWithAnOwnHost(t *testing.T) {
	s := newSite(t, "/=UP", func(c *Config) { c.GatewayHost = "api.example.com" }, asItIs)
	res, body, _ := s.ask(t, t.Context(), "/login", "Host", "api.example.com")
	if res.StatusCode != 200 || !strings.Contains(body, `"uri":"/login"`) || res.Header.Get("Content-Security-Policy") != "" {
		t.Errorf("%d %s %v", res.StatusCode, body, res.Header)
	}
	if res, body, _ = s.ask(t, t.Context(), "/login"); res.StatusCode != 200 || !strings.Contains(body, "Sign in") {
		t.Errorf("%d %.200s", res.StatusCode, body)
	}
	// What it got tells of the host that was asked for, and of nobody's cookie.
	if got := s.upstream.Seen(); len(got) != 1 || got[0].Headers.Get("X-Forwarded-Host") != "api.example.com" || got[0].Headers.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("%+v", got)
	}
}

// G3: what a request says of where it comes from counts from a named proxy only.
func TestForwardedHeadersOfProxies(t *testing.T) {
	_, loopback, _ := net.ParseCIDR("127.0.0.0/8")
	for name, test := range map[string]struct {
		proxies []*net.IPNet
		want    map[string]string
	}{
		"a proxy":  {[]*net.IPNet{loopback}, map[string]string{"X-Forwarded-For": "203.0.113.9, 192.0.2.1, 127.0.0.1", "X-Forwarded-Host": "api.example.com", "X-Forwarded-Proto": "https"}},
		"somebody": {nil, map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "", "X-Forwarded-Proto": "http"}},
	} {
		s := newSite(t, "/v1=UP", func(c *Config) { c.TrustedProxies = test.proxies }, asItIs)
		res, _, err := s.ask(t, t.Context(), "/v1", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "api.example.com", "X-Forwarded-Proto", "https")
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res, err)
		}
		got := s.upstream.Seen()[0].Headers
		if test.want["X-Forwarded-Host"] == "" {
			test.want["X-Forwarded-Host"] = strings.TrimPrefix(s.base, "http://")
		}
		for header, want := range test.want {
			if strings.Join(got[header], "|") != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got[header], want)
			}
		}
	}
}

// G1: no route can take a path of ours. Every page and endpoint is in the list that the
// settings are held against.
func TestNoRouteCoversAPathOfOurs(t *testing.T) {
	e := newEcho(testWorld(t, slog.New(slog.DiscardHandler)))
	for _, route := range e.Routes() {
		first, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
		if !slices.Contains(ourPaths, first) {
			t.Errorf("%s is missing in ourPaths", route.Path)
		}
	}
	for _, path := range []string{"/", "/user", "/user/x", "/User/x", "/oauth2", "/.well-known/x", "/healthz", "/static/js", "/login", "/hooks/points", "/api", "/admin"} {
		c := Config{}
		if problem := parseUpstreams(&c, path+"=http://127.0.0.1:1"); problem != "" {
			t.Fatal(problem)
		}
		if wrong := c.checkGateway(); len(wrong) != 1 || !strings.Contains(wrong[0], "the route "+path+": ") || !strings.Contains(wrong[0], "LATCHKEY_GATEWAY_HOST") {
			t.Errorf("%s: %q", path, wrong)
		}
		c.GatewayHost = "api.example.com"
		if wrong := c.checkGateway(); len(wrong) != 0 {
			t.Errorf("%s: %q", path, wrong)
		}
	}
}

// C1, C2: settings of the gateway that are wrong stop the start with exit code 2.
func TestGatewaySettings(t *testing.T) {
	for name, test := range map[string]struct{ env, want string }{
		"a path of ours":         {"LATCHKEY_UPSTREAMS=/user/x=http://127.0.0.1:1", "the route /user/x: Latchkey itself answers there"},
		"a bad route":            {"LATCHKEY_UPSTREAMS=/v1", "the route /v1: write path=address"},
		"http to the world":      {"LATCHKEY_UPSTREAMS=/v1=http://api.example.com", "set LATCHKEY_ALLOW_HTTP=true"},
		"http to a public IP":    {"LATCHKEY_UPSTREAMS=/v1=http://192.0.2.1:80", "set LATCHKEY_ALLOW_HTTP=true"},
		"a host with a port":     {"LATCHKEY_GATEWAY_HOST=api.example.com:80", "without a port"},
		"the host of the pages":  {"LATCHKEY_GATEWAY_HOST=127.0.0.1", "another host than the pages"},
		"no file of CAs":         {"LATCHKEY_UPSTREAM_CA=/nowhere", "write the path of a PEM file"},
		"a file without any CAs": {"LATCHKEY_UPSTREAM_CA=gateway_test.go", "no certificate in PEM"},
	} {
		env := folder(t)
		env["LATCHKEY_ADDR"] = "127.0.0.1:8080"
		key, value, _ := strings.Cut(test.env, "=")
		env[key] = value
		if code, _, stderr := call(t, env, "", "serve"); code != exitUsage || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d %q", name, code, stderr)
		}
	}
	for _, host := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.1", "[::1]", "[fd00::1]", "localhost", "hasura", "api.internal", "api.default.svc.cluster.local", "db.home.arpa"} {
		c := Config{}
		if problem := parseUpstreams(&c, "/v1=http://"+host+":8080"); problem != "" {
			t.Fatal(problem)
		}
		if wrong := c.checkGateway(); len(wrong) > 0 {
			t.Errorf("%s: %q", host, wrong)
		}
	}
}
