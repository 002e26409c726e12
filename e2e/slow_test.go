package e2e

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// dial opens a connection of bytes.
func (s *server) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "http://"))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(2*patience)))
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("not TCP but %T", conn)
	}
	return tcp
}

// wired is an answer as it came over a connection.
type wired struct {
	*http.Response
	text string
}

// readAnswers reads what comes until the program closes the connection.
func readAnswers(t testing.TB, conn net.Conn, method string) []wired {
	t.Helper()
	var all []wired
	for r := bufio.NewReader(conn); ; {
		got, err := http.ReadResponse(r, &http.Request{Method: method})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the program keeps the connection open")
		}
		if err != nil {
			return all
		}
		text, err := io.ReadAll(got.Body)
		must(t, err)
		must(t, got.Body.Close())
		if got.StatusCode != http.StatusContinue {
			all = append(all, wired{got, string(text)})
		}
	}
}

// wire sends bytes and returns every answer.
func (s *server) wire(t testing.TB, request string) []wired {
	t.Helper()
	conn := s.dial(t)
	// The program may answer and close before it has read everything.
	go func() { _, _ = io.WriteString(conn, request) }()
	method, _, _ := strings.Cut(request, " ")
	return readAnswers(t, conn, method)
}

// badInput is a program with a client, and what is good about it.
type badInput struct {
	*server
	id, secret, token string
	good              string // a form that every endpoint takes
	basic             string // a header
	ana               *client
}

func newBadInput(t *testing.T) badInput {
	t.Helper()
	s, ana := owner(t)
	app := ana.create("Trading bot")
	b := badInput{server: s, ana: ana, id: ana.clientIDOf(app), secret: ana.reveal(app + "/secret")}
	b.good = "grant_type=client_credentials&token=x&client_id=" + b.id + "&client_secret=" + url.QueryEscape(b.secret)
	b.basic = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(b.id+":"+b.secret))
	b.token = ana.reveal(ana.generate(app, "laptop"))
	return b
}

// end wants the program unharmed, and nothing of the requests in its log (A2, A6).
func (b badInput) end(t *testing.T) {
	t.Helper()
	b.ana.wantGood(b.token)
	for _, text := range []string{canary, b.secret, b.token, "level=ERROR", "panic"} {
		if log := b.Stderr.String(); strings.Contains(log, text) {
			t.Errorf("the log has %s: %s", text, log)
		}
	}
}

const slowClients = 100

// R2: slow clients hold nobody up, not even before they are cut off, and those
// that do not finish are cut off.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	const header = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	const body = "Content-Length: 1000\r\n\r\ngrant_type=client_"
	var headers, bodies, forms, ended []*net.TCPConn
	start := func(text string) *net.TCPConn {
		conn := b.dial(t)
		_, err := io.WriteString(conn, text)
		must(t, err)
		return conn
	}
	for range slowClients {
		headers, bodies = append(headers, start(header)), append(bodies, start(header+body))
	}
	for range 10 {
		forms = append(forms, start(strings.Replace(header, "/oauth2/token", "/login", 1)+body))
		ended = append(ended, start(header+body))
		must(t, ended[len(ended)-1].CloseWrite())
	}
	for range 10 {
		token, _ := b.ana.newToken(b.id, b.secret)
		b.ana.wantGood(token)
		b.ana.create("App " + time.Now().Format(time.RFC3339Nano)) // writes
	}
	go func() { // one that goes on forever, byte by byte
		for {
			if _, err := io.WriteString(headers[0], "X"); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	for _, conn := range headers {
		for _, got := range readAnswers(t, conn, http.MethodPost) {
			wantNo(t, "half a header", got)
		}
	}
	for _, conn := range bodies {
		wantOne(t, "half a body", conn, http.StatusRequestTimeout, "application/json", "took too long")
	}
	for _, conn := range forms {
		wantOne(t, "half a form", conn, http.StatusRequestTimeout, "text/html; charset=UTF-8", "too long")
	}
	for _, conn := range ended {
		wantOne(t, "a body that ends early", conn, http.StatusBadRequest, "application/json", "invalid_request")
	}
	b.end(t)
}

func wantOne(t *testing.T, what string, conn *net.TCPConn, status int, kind, text string) {
	t.Helper()
	got := readAnswers(t, conn, http.MethodPost)
	if len(got) != 1 || got[0].StatusCode != status || got[0].Header.Get("Content-Type") != kind || !strings.Contains(got[0].text, text) {
		t.Errorf("%s: %v, want %d", what, got, status)
	}
}

// Requests that come before the answers are answered in order, each for itself
// (RFC 9112 section 9.3.2).
func TestPipelining(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	request := oddRequest{body: b.good}.bytes("/oauth2/token")
	open := strings.Replace(request, "Connection: close", "X-Other: x", 1)
	wrong := strings.Replace(open, "client_secret=", "client_secret=x", 1)
	wrong = strings.Replace(wrong, "Content-Length: ", "Content-Length:  ", 1)
	got := b.wire(t, open+strings.Replace(wrong, "token=x", "token=", 1)+open+request)
	seen := map[string]bool{}
	for i, status := range []int{200, 401, 200, 200} {
		if i >= len(got) || got[i].StatusCode != status || seen[got[i].text] {
			t.Fatalf("answer %d of %d: %v", i+1, len(got), got)
		}
		seen[got[i].text] = true
	}
	b.end(t)
}

func wantNo(t *testing.T, what string, got wired) {
	t.Helper()
	if got.StatusCode < 400 || got.StatusCode >= 500 {
		t.Errorf("%s: %d %q", what, got.StatusCode, got.text)
	}
}

// O10, A6: who sends no more gets no "good" by mistake, however the work on the
// request ended.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	verify := oddRequest{line: "GET $ HTTP/1.1", headers: "Authorization: Bearer lk_at_" + canary}.bytes("/oauth2/verify")
	for range 300 {
		conn := b.dial(t)
		_, err := io.WriteString(conn, verify)
		must(t, err)
		must(t, conn.CloseWrite())
		for _, got := range readAnswers(t, conn, http.MethodGet) {
			wantNo(t, "unknown token", got)
		}
	}
	guessed := b.ana.create("Guessed")
	credentials := "grant_type=client_credentials&client_id=" + b.ana.clientIDOf(guessed) + "&client_secret="
	for range 40 { // O7: a guess counts even where nobody waits for the answer
		conn := b.dial(t)
		_, err := io.WriteString(conn, oddRequest{body: credentials + "wrong"}.bytes("/oauth2/token"))
		must(t, err)
		must(t, conn.CloseWrite())
		for _, got := range readAnswers(t, conn, http.MethodPost) {
			wantNo(t, "wrong secret", got)
		}
	}
	if got := b.wire(t, oddRequest{body: credentials + b.ana.reveal(guessed+"/secret")}.bytes("/oauth2/token")); len(got) != 1 || got[0].StatusCode != http.StatusTooManyRequests {
		t.Errorf("after 40 guesses: %v", got)
	}
	app := b.ana.create("Revoker")
	id, secret := b.ana.clientIDOf(app), b.ana.reveal(app+"/secret")
	for range 100 {
		token, _ := b.ana.newToken(id, secret)
		b.ana.wantGood(token)
		conn := b.dial(t)
		_, err := io.WriteString(conn, oddRequest{body: "token=" + token + "&client_id=" + id + "&client_secret=" + secret}.bytes("/oauth2/revoke"))
		must(t, err)
		must(t, conn.CloseWrite())
		if got := readAnswers(t, conn, http.MethodPost); len(got) == 1 && got[0].StatusCode == http.StatusOK {
			b.ana.wantRefused(token)
		}
	}
	b.end(t)
}
