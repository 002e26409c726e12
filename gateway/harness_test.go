package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// value is a token of the scope api.
const value = "lk_at_" + "a-token-that-is-good"

// counted is a call as the meter heard of it.
type counted struct {
	usage.Call
	status int
	points int64
}

// meter admits everything unless told otherwise, and remembers.
type meter struct {
	mu      sync.Mutex
	rate    usage.Rate
	refuse  error
	last    usage.Call
	refused []counted
	ended   chan counted
}

func (m *meter) Admit(call usage.Call) (usage.Rate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = call
	return m.rate, m.refuse
}

func (m *meter) Refused(call usage.Call, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = append(m.refused, counted{call, status, 0})
}

func (m *meter) Done(_ *usage.Permit, status int, points int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended <- counted{m.last, status, points}
}

// next is the next call that ended.
func (m *meter) next(t testing.TB) counted {
	t.Helper()
	select {
	case c := <-m.ended:
		return c
	case <-time.After(patience):
		t.Fatal("no call was settled")
		return counted{}
	}
}

// settled wants nothing more to have been settled.
func (m *meter) settled(t testing.TB) {
	t.Helper()
	select {
	case c := <-m.ended:
		t.Errorf("settled once more: %+v", c)
	default:
	}
}

// gate is a gateway that serves before an upstream.
type gate struct {
	*httptest.Server
	gateway  *gateway.Gateway
	upstream *gatewaytest.Upstream
	db       *storetest.DB
	meter    *meter
	from     gateway.Caller
	team     models.Actor
	app      models.Application
	token    models.Token

	mu    sync.Mutex
	notes []string
	log   bytes.Buffer
}

// newGate serves routes, in which UP stands for the upstream's address.
func newGate(t testing.TB, routes string, change ...func(*gateway.Deps)) *gate {
	t.Helper()
	return newGateTo(t, gatewaytest.New(t), routes, change...)
}

func newGateTo(t testing.TB, upstream *gatewaytest.Upstream, routes string, change ...func(*gateway.Deps)) *gate {
	t.Helper()
	parsed, err := models.ParseUpstreams(strings.ReplaceAll(routes, "UP", upstream.URL))
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{upstream: upstream, db: storetest.New(t), meter: &meter{ended: make(chan counted, 4096)}}
	g.team = g.db.Member(t, "northwind", "ana", models.RoleOwner)
	g.app = g.db.Application(t, g.team, "Bot")
	g.token = g.db.Token(t, g.team, g.app, models.KindClientCredentials, string(secrets.Hash(models.NewSecret(value))))
	log := slog.New(slog.NewTextHandler(g, nil))
	cache := tokens.NewCache()
	g.db.Subscribe(cache.Forget)
	feed := tokens.NewFeed(context.Background(), g.db, cache, log)
	t.Cleanup(feed.Close)
	lastUsed := tokens.NewLastUsed(context.Background(), g.db, log, time.Hour)
	t.Cleanup(func() { _ = lastUsed.Close(context.Background()) })
	counts := usage.New(context.Background(), g.db, log, g.db.Now, nil)
	t.Cleanup(func() { _ = counts.Close(context.Background()) })
	refusals := gateway.NewRefusals(context.Background(), g.db, log, g.db.Now, time.Hour)
	t.Cleanup(func() { _ = refusals.Close(context.Background()) })
	verifier := tokens.NewVerifier(g.db, cache, lastUsed, g.db.Now)
	streams := gateway.NewStreams(context.Background(), verifier, counts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = streams.Close(ctx)
	})
	deps := gateway.Deps{
		Routes: parsed, Verifier: verifier, Tickets: tokens.NewTickets(g.db, verifier, g.db.Now), Meter: counts,
		Streams: streams, Refusals: refusals, Realm: "latchkey", Log: log, Now: time.Now,
	}
	for _, c := range change {
		c(&deps)
	}
	g.gateway = gateway.New(deps)
	g.gateway.Metered(g.meter)
	g.from = gateway.Caller{Address: "192.0.2.7", RequestID: "REQUEST"}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(g.serve))
	// As in cmd/web; a call that takes longer must not end by them.
	g.Config.ReadTimeout, g.Config.WriteTimeout, g.Config.MaxHeaderBytes = 10*time.Second, 30*time.Second, 16<<10
	if stall := deps.Limits.Stall; stall > 0 {
		g.Config.ReadTimeout, g.Config.WriteTimeout = stall, stall
	}
	g.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	g.Start()
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
		g.gateway.CloseIdle()
	})
	return g
}

func (g *gate) serve(w http.ResponseWriter, r *http.Request) {
	if !g.gateway.Owns(r) {
		http.Error(w, "a page", http.StatusTeapot)
		return
	}
	g.mu.Lock()
	from := g.from
	g.mu.Unlock()
	from.Note = func(key, value string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.notes = append(g.notes, key+"="+value)
	}
	g.gateway.Serve(w, r, from)
}

// Write is the log.
func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log.Write(p)
}

// told returns what was noted and logged.
func (g *gate) told() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Join(g.notes, " ") + " " + g.log.String()
}

// request makes one with a good token.
func (g *gate) request(t testing.TB, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+value)
	return r
}

// answer is what came back, whole.
type answer struct {
	*http.Response
	body string
	err  error
}

func (g *gate) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res, string(body), err}
}

func (g *gate) get(t testing.TB, path string) answer {
	t.Helper()
	return g.send(t, g.request(t, http.MethodGet, path, nil))
}

// seen reads the answer of the upstream that tells what it got.
func (a answer) seen(t testing.TB) gatewaytest.Seen {
	t.Helper()
	var s gatewaytest.Seen
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%d %q: %v", a.StatusCode, a.body, err)
	}
	return s
}

// raw sends bytes as they are and returns all that comes until the other side closes or
// the answer is there.
func (g *gate) raw(t testing.TB, request string) (status int, body string) {
	t.Helper()
	conn := g.dial(t)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

func (g *gate) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// await waits until the upstream has a call.
func await(t testing.TB, from <-chan string) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
}

func hasHeader(h http.Header, name string) bool {
	return slices.ContainsFunc(headerNames(h), func(have string) bool { return strings.EqualFold(have, name) })
}

func headerNames(h http.Header) []string {
	var names []string
	for name := range h {
		names = append(names, name)
	}
	return names
}

// readAnswer reads one answer from a connection, as far as it goes.
func readAnswer(t testing.TB, conn net.Conn) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res, string(text)
}
