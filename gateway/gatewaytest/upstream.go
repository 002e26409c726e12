// Package gatewaytest is an API to put behind a gateway in tests: it tells what it got,
// streams, upgrades, answers GraphQL, and goes wrong in every way that a test asks for.
package gatewaytest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Seen is a request as the upstream got it.
type Seen struct {
	Method string `json:"method"`
	// URI is the target of the request line, byte for byte.
	URI     string      `json:"uri"`
	Host    string      `json:"host"`
	Proto   string      `json:"proto"`
	Headers http.Header `json:"headers"`
	Body    string      `json:"body"`
	// Encoding is how the body was framed, Length what was said of its length.
	Encoding []string    `json:"encoding"`
	Length   int64       `json:"length"`
	Trailers http.Header `json:"trailers"`
}

// Upstream is one that runs.
type Upstream struct {
	*httptest.Server

	mu   sync.Mutex
	seen []Seen
	// release ends what hangs, at the end of the test.
	release chan struct{}
	// Arrived and Left hear of each call that stays open, when it begins and ends.
	Arrived, Left chan string
}

// New starts an upstream that ends with the test.
func New(t testing.TB) *Upstream {
	t.Helper()
	u := Unstarted(t)
	u.Start()
	return u
}

// NewTLS is New with https, HTTP/2 and a certificate of its own.
func NewTLS(t testing.TB) *Upstream {
	t.Helper()
	u := Unstarted(t)
	u.EnableHTTP2 = true
	u.StartTLS()
	return u
}

// Unstarted is an upstream that the caller starts.
func Unstarted(t testing.TB) *Upstream {
	t.Helper()
	u := &Upstream{release: make(chan struct{}), Arrived: make(chan string, 1024), Left: make(chan string, 1024)}
	u.Server = httptest.NewUnstartedServer(u.routes(t))
	t.Cleanup(func() {
		close(u.release)
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

// Seen returns the requests that came whole, oldest first.
func (u *Upstream) Seen() []Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Seen(nil), u.seen...)
}

func (u *Upstream) routes(t testing.TB) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for path, handler := range map[string]http.HandlerFunc{
		"/gzip": compressed, "/trailers": trailers, "/interim": interim, "/cost": cost, "/hostile": hostile, "/status": status,
		"/sse": u.events, "/hang": u.hang, "/stall": u.stall, "/cut": cut, "/both": both, "/junk": junk, "/wide": wide, "/ws": u.echoSocket, "/large": large, "/early": early, "/slow": u.slow,
		"/graphql": graphQL(t),
	} {
		mux.HandleFunc(path, handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux cleans paths, which a test wants to see as they came.
		if _, pattern := mux.Handler(&http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}); pattern != "" && pattern == r.URL.Path {
			mux.ServeHTTP(w, r)
			return
		}
		u.echo(w, r)
	})
}

// echo answers every other path with what it got, as JSON.
func (u *Upstream) echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke", http.StatusBadRequest)
		return
	}
	seen := Seen{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Proto: r.Proto, Headers: r.Header, Body: string(body),
		Encoding: r.TransferEncoding, Length: r.ContentLength, Trailers: r.Trailer,
	}
	u.mu.Lock()
	u.seen = append(u.seen, seen)
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen)
}

// compressed answers in gzip, whoever asks.
func compressed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("X-Asked", r.Header.Get("Accept-Encoding"))
	zip := gzip.NewWriter(w)
	_, _ = io.WriteString(zip, "small when packed")
	_ = zip.Close()
}

// trailers answers with the request's trailers as its own, and one that was not announced.
func trailers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Sum, X-Points-Cost")
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%d", len(body))
	w.Header().Set("X-Sum", r.Trailer.Get("X-Sum"))
	if named := r.Header.Get("X-Cost"); named != "" {
		w.Header().Set("X-Points-Cost", named)
	}
	w.Header().Set(http.TrailerPrefix+"X-Late", "late")
	w.Header().Set(http.TrailerPrefix+"Set-Cookie", "trailer=1")
	w.Header().Set(http.TrailerPrefix+"X-Latchkey-Team", "forged")
}

// interim sends 103 before the answer.
func interim(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.Header().Set("Set-Cookie", "early=1")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Del("Link")
	w.Header().Del("Set-Cookie")
	_, _ = io.WriteString(w, "done")
}

// cost answers with what ?points= says as the cost.
func cost(w http.ResponseWriter, r *http.Request) {
	for _, points := range r.URL.Query()["points"] {
		w.Header().Add("X-Points-Cost", points)
	}
	_, _ = io.WriteString(w, "ok")
}

// status answers with the status of ?code=.
func status(w http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.URL.Query().Get("code"))
	w.WriteHeader(code)
}

// hostile answers with headers that are not its to set.
func hostile(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	for name, value := range map[string]string{
		"Set-Cookie": "session=stolen; Path=/", "Set-Cookie2": "x=1", "X-Latchkey-Team": "another", "X_Latchkey_Scope": "all", "X-Points-Cost": "7", "X-Request-Id": "forged",
		"Content-Security-Policy": "default-src *", "X-Content-Type-Options": "sniff", "Service-Worker-Allowed": "/", "Clear-Site-Data": `"*"`, "Alt-Svc": `h3=":443"`,
		"Strict-Transport-Security": "max-age=0", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true", "Connection": "X-Named", "X-Named": "hop",
		"Proxy-Authenticate": "Basic", "Keep-Alive": "timeout=5", "X-Kept": "kept", "Content-Type": "text/html",
	} {
		h[name] = []string{value}
	}
	_, _ = io.WriteString(w, "<script>alert(1)</script>")
}

// events sends an event at once and further ones for each value in ?n=, then stays open
// until the client leaves.
func (u *Upstream) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	u.Arrived <- r.URL.Path
	defer func() { u.Left <- r.URL.Path }()
	for i := range max(n, 1) {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
	}
	if r.URL.Query().Has("end") {
		return
	}
	u.wait(r)
}

// wait lasts until the client leaves or the test ends.
func (u *Upstream) wait(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-u.release:
	}
}

// hang takes the request and never answers.
func (u *Upstream) hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the client leaves
	u.Arrived <- r.URL.Path
	defer func() { u.Left <- r.URL.Path }()
	u.wait(r)
}

// slow takes the request whole and answers after ?ms= milliseconds.
func (u *Upstream) slow(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-u.release:
	}
	_, _ = io.WriteString(w, "slow")
}

// stall begins an answer of known length and stops in the middle.
func (u *Upstream) stall(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "half")
	_ = http.NewResponseController(w).Flush()
	u.Arrived <- r.URL.Path
	defer func() { u.Left <- r.URL.Path }()
	u.wait(r)
}

// cut begins an answer and breaks the connection, with ?framed= of unknown length.
func cut(w http.ResponseWriter, r *http.Request) {
	if !r.URL.Query().Has("framed") {
		w.Header().Set("Content-Length", "100")
	}
	_, _ = io.WriteString(w, "half")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// early answers without reading the body.
func early(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, "not this")
}

// both sends back each piece of the body as it comes.
func both(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	w.WriteHeader(http.StatusOK)
	_ = control.Flush()
	piece := make([]byte, 1024)
	for {
		n, err := r.Body.Read(piece)
		if n > 0 {
			_, _ = w.Write(piece[:n])
			_ = control.Flush()
		}
		if err != nil {
			return
		}
	}
}

// junk answers what is no HTTP.
func junk(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(conn, "SECRET nonsense\r\n\r\n")
}

// wide answers with a header of a megabyte.
func wide(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Wide", strings.Repeat("x", 1<<20))
	_, _ = io.WriteString(w, "ok")
}

// large sends ?bytes= bytes.
func large(w http.ResponseWriter, r *http.Request) {
	left, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
	piece := make([]byte, 32<<10)
	for left > 0 {
		n, err := w.Write(piece[:min(left, len(piece))])
		if err != nil {
			return
		}
		left -= n
	}
}
