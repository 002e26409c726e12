package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// promised is how soon what is open with a token ends after it.
const promised = time.Second

// streamWorld is a gateway over real HTTP, with a real database and a real upstream.
type streamWorld struct {
	*storetest.DB
	streams  *gateway.Streams
	tickets  *tokens.Tickets
	verifier *tokens.Verifier
	points   *points
	upstream *upstream
	server   *httptest.Server
	gateway  *gateway.Gateway
	issuer   *tokens.Issuer
	keys     *secrets.Keys
	ana      models.Actor
	app      models.Application
	// compression is what WebSockets ask for.
	compression websocket.CompressionMode
}

// points answers for the meter.
type points struct {
	mu  sync.Mutex
	err error
}

func (p *points) Recheck(context.Context, usage.Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *points) become(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// upstream is an API behind the gateway. What it was asked, it notes.
type upstream struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
	// ended gets how each WebSocket ended there.
	ended chan error
	// raw, where set, gets the connection of an upgrade instead.
	raw func(conn net.Conn)
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	u := &upstream{ended: make(chan error, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", u.socket)
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/flow", flow)
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	mux.HandleFunc("/said", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "said") })
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.seen = append(u.seen, r.RequestURI+" "+strings.Join(r.Header.Values("Authorization"), ","))
		u.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(u.CloseClientConnections)
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) asked() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string{}, u.seen...)
}

// socket echoes.
func (u *upstream) socket(w http.ResponseWriter, r *http.Request) {
	if u.raw != nil {
		u.handOver(w, r)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"graphql-transport-ws"}, CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1, InsecureSkipVerify: true,
	})
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		kind, message, err := conn.Read(r.Context())
		if err == nil {
			err = conn.Write(r.Context(), kind, message)
		}
		if err != nil {
			u.ended <- err
			return
		}
	}
}

// handOver agrees to an upgrade and lets the test write frames by hand.
func (u *upstream) handOver(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + r.Header.Get("X-Accept") + "\r\n\r\n")
	_ = buffered.Flush()
	u.raw(conn)
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	_, _ = io.WriteString(w, "data: first\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// flow sends as much as is taken.
func flow(w http.ResponseWriter, _ *http.Request) {
	block := make([]byte, 64<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func newStreamWorld(t testing.TB, change ...func(route *models.Upstream)) *streamWorld {
	t.Helper()
	w := &streamWorld{DB: storetest.New(t), points: &points{}, upstream: newUpstream(t), compression: websocket.CompressionContextTakeover}
	var err error
	if w.keys, err = secrets.CreateKeys(t.TempDir() + "/keys.json"); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	cache := tokens.NewCache()
	w.Subscribe(cache.Forget)
	feed := tokens.NewFeed(context.WithoutCancel(t.Context()), w.Store, cache, log)
	t.Cleanup(feed.Close)
	lastUsed := tokens.NewLastUsed(t.Context(), w.Store, log, time.Hour)
	w.issuer = tokens.NewIssuer(t.Context(), w.Store, w.keys, "lk_at_", 365*86400, w.Now)
	w.verifier = tokens.NewVerifier(w.Store, cache, lastUsed, w.Now)
	w.tickets = tokens.NewTickets(w.Store, w.verifier, w.Now)
	w.streams = gateway.NewStreams(context.WithoutCancel(t.Context()), w.verifier, w.points)
	w.Subscribe(w.streams.Hear)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.streams.Close(ctx); err != nil {
			t.Errorf("closing the streams: %v", err)
		}
	})
	w.serve(t, change)
	w.ana = w.Member(t, "northwind", "ana", models.RoleOwner)
	w.app = w.Application(t, w.ana, "Trading bot")
	return w
}

func (w *streamWorld) serve(t testing.TB, change []func(route *models.Upstream)) {
	t.Helper()
	target, err := url.Parse(w.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	route := models.Upstream{Path: "/", Target: target, API: "v1", Cost: 1, Scope: "api", WebSocket: true}
	for _, f := range change {
		f(&route)
	}
	log := slog.New(slog.DiscardHandler)
	meter := usage.New(context.WithoutCancel(t.Context()), w.Store, log, w.Now, nil)
	refusals := gateway.NewRefusals(context.WithoutCancel(t.Context()), w.Store, log, w.Now, time.Hour)
	t.Cleanup(func() { _ = errors.Join(meter.Close(context.Background()), refusals.Close(context.Background())) })
	w.gateway = gateway.New(gateway.Deps{
		Routes: []models.Upstream{route}, Verifier: w.verifier, Meter: meter, Streams: w.streams, Tickets: w.tickets,
		Refusals: refusals, Realm: "latchkey", Log: log, Now: time.Now,
	})
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.gateway.Serve(rw, r, gateway.Caller{Address: "192.0.2.7", RequestID: "test", Note: func(string, string) {}})
	}))
	t.Cleanup(w.server.CloseClientConnections)
	t.Cleanup(w.server.Close)
}

// issue makes a token of the application.
func (w *streamWorld) issue(t testing.TB) (models.Token, string) {
	t.Helper()
	token, value, err := w.issuer.Issue(t.Context(), &w.app, "api")
	if err != nil {
		t.Fatal(err)
	}
	return token, value.Reveal()
}

func (w *streamWorld) revoke(t testing.TB, token models.Token) {
	t.Helper()
	if _, _, err := w.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
		t.Fatal(err)
	}
}

// reply is an answer, which the test closes at its end.
type reply struct {
	status int
	header http.Header
	body   io.Reader
}

// dial opens a WebSocket; value goes into the Authorization header, none where it is empty.
func (w *streamWorld) dial(t testing.TB, path, value string, headers ...string) (*websocket.Conn, reply) {
	t.Helper()
	header := http.Header{}
	if value != "" {
		header.Set("Authorization", "Bearer "+value)
	}
	for i := 0; i < len(headers); i += 2 {
		header.Add(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, w.server.URL+path, &websocket.DialOptions{
		HTTPHeader: header, Subprotocols: []string{"graphql-transport-ws"}, CompressionMode: w.compression, CompressionThreshold: 1,
	})
	if response == nil {
		t.Error(err)
		return nil, reply{body: http.NoBody}
	}
	if response.Body != nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	return conn, reply{response.StatusCode, response.Header, response.Body}
}

// socket opens a WebSocket and sees that it echoes.
func (w *streamWorld) socket(t testing.TB, value string) *websocket.Conn {
	t.Helper()
	conn, got := w.dial(t, "/ws", value)
	if conn == nil {
		t.Fatalf("no WebSocket: status %d", got.status)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	echoes(t, conn)
	return conn
}

func echoes(t testing.TB, conn *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	message := strings.Repeat("hello ", 100)
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(ctx); err != nil || string(got) != message {
		t.Fatalf("echoed %q, %v", got, err)
	}
}

// get asks for a path with a token. The answer is read to the end of its header.
func (w *streamWorld) get(t testing.TB, path, value string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+value)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return reply{response.StatusCode, response.Header, response.Body}
}

// events opens a stream of events and reads the first one.
func (w *streamWorld) events(t testing.TB, value string) *bufio.Reader {
	t.Helper()
	got := w.get(t, "/events", value)
	body := bufio.NewReader(got.body)
	if line, err := body.ReadString('\n'); err != nil || line != "data: first\n" || got.status != http.StatusOK {
		t.Fatalf("%d %q, %v", got.status, line, err)
	}
	return body
}

// closedWith waits for the close frame of a WebSocket.
func closedWith(ctx context.Context, conn *websocket.Conn) (code websocket.StatusCode, reason string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, _, err := conn.Read(ctx)
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, closed.Reason
		}
		if err != nil {
			return -1, err.Error()
		}
	}
}

// aborted reads to the end of an answer, which must not be a clean one.
func aborted(body io.Reader) error {
	if _, err := io.Copy(io.Discard, body); err == nil {
		return errors.New("the answer ended as if it were whole")
	}
	return nil
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

// elsewhere is a second store on the same file: another process.
func (w *streamWorld) elsewhere(t testing.TB) *store.Store {
	t.Helper()
	other, err := store.Open(w.Path, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return other
}
