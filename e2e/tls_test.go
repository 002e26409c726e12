package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/e2e/harness"
	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

// Real clients of each kind get what they ask for by HTTP/2 and TLS 1.3, and nothing older
// than TLS 1.2.
func TestServedByTLS(t *testing.T) { // C2
	s := startSecured(t)
	ana := s.signIn()
	app := ana.create("Price feed")
	token, problem := ana.newToken(ana.clientIDOf(app), ana.reveal(app+"/secret"))
	if problem != "" {
		t.Fatal(problem)
	}
	r := ana.request(http.MethodGet, "/oauth2/verify", "")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := ana.http.Do(r)
	must(t, err)
	defer res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK || res.TLS.Version != 0x0304 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %d, TLS %x, headers %v", res.Proto, res.StatusCode, res.TLS.Version, res.Header)
	}
	t.Run("curl", func(t *testing.T) { curlByTLS(t, s, token) })
	t.Run("Node", func(t *testing.T) {
		r := finish(t, exec.CommandContext(t.Context(), node(t)[0], filepath.Join("clients", "http2.mjs"), s.base, s.ca, token), "")
		if r.code != 0 || strings.TrimSpace(r.stdout) != `{"protocol":"h2","encrypted":true,"statuses":[200,200]}` {
			t.Errorf("exit code %d %s%s", r.code, r.stdout, r.stderr)
		}
	})
	t.Run("sslscan", func(t *testing.T) { scan(t, s) })
}

func curlByTLS(t *testing.T, s *secured, token string) {
	t.Helper()
	for _, want := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"--http2"}, 0, "2 200"},
		{[]string{"--http1.1"}, 0, "1.1 200"},
		{[]string{"--tls-max", "1.2"}, 0, "2 200"},
		// OpenSSL's own floor is lowered, so that it is the server who refuses.
		{[]string{"--tls-max", "1.1", "--tlsv1", "--ciphers", "DEFAULT@SECLEVEL=0"}, 35, "0 000"},
	} {
		args := append([]string{"--silent", "--output", "/dev/null", "--cacert", s.ca, "--write-out", "%{http_version} %{response_code}", "--header", "@-"}, want.args...)
		r := finish(t, exec.CommandContext(t.Context(), "curl", append(args, s.base+"/oauth2/verify")...), "Authorization: Bearer "+token+"\n")
		if r.code != want.code || r.stdout != want.out {
			t.Errorf("curl %v: exit code %d %q%s", want.args, r.code, r.stdout, r.stderr)
		}
	}
}

// scan has sslscan try every protocol and cipher.
func scan(t *testing.T, s *secured) {
	t.Helper()
	path, err := exec.LookPath("sslscan")
	if err != nil {
		t.Fatal("sslscan is not in PATH: install sslscan (Debian: apt-get install sslscan)")
	}
	r := finish(t, exec.CommandContext(t.Context(), path, "--no-colour", addrOf(s.base)), "")
	for _, want := range []string{"SSLv2     disabled", "SSLv3     disabled", "TLSv1.0   disabled", "TLSv1.1   disabled", "TLSv1.2   enabled", "TLSv1.3   enabled", "not vulnerable to heartbleed"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s%s", want, r.stdout, r.stderr)
		}
	}
	for line := range strings.Lines(r.stdout) {
		if weak := strings.Contains(line, "CBC") || strings.Contains(line, "RC4") || strings.Contains(line, "DES") || strings.Contains(line, "NULL"); weak && strings.HasPrefix(line, "Accepted") && !strings.Contains(line, "ECDHE") {
			t.Errorf("accepted: %s", line)
		}
	}
}

// A stream through the gateway goes on over HTTP/2 and ends with its token; a WebSocket does
// so over HTTP/1.1, to which the client falls back by itself.
func TestStreamsByTLS(t *testing.T) { // G5, G6
	upstream := gatewaytest.New(t)
	s := startSecured(t, "--upstreams", "/v1="+upstream.URL+";strip;ws")
	ana := s.signIn()
	app := ana.create("Trading bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	token, problem := ana.newToken(clientID, secret)
	if problem != "" {
		t.Fatal(problem)
	}
	events := s.call(t, token, http.MethodGet, "/v1/sse?n=2", nil) //nolint:bodyclose // call closes it
	lines := bufio.NewReader(events.Body)
	for _, want := range []string{"data: 0\n", "\n", "data: 1\n", "\n"} {
		if line, err := lines.ReadString('\n'); line != want || err != nil {
			t.Fatalf("%q, %v; want %q", line, err, want)
		}
	}
	pieces, feed := io.Pipe()
	both := s.call(t, token, http.MethodPost, "/v1/both", pieces) //nolint:bodyclose // call closes it
	back := make([]byte, 5)
	for range 3 { // as gRPC does: both ways on one stream
		_, err := feed.Write([]byte("piece"))
		must(t, err)
		if _, err := io.ReadFull(both.Body, back); err != nil || string(back) != "piece" {
			t.Fatalf("%q, %v", back, err)
		}
	}
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport(t, s.trust, false)}}
	socket, _, err := websocket.Dial(t.Context(), "wss://"+addrOf(s.base)+"/v1/ws?token="+token, options) //nolint:bodyclose // the library closes it
	must(t, err)
	defer func() { _ = socket.CloseNow() }()
	must(t, socket.Write(t.Context(), websocket.MessageText, []byte("hello")))
	if _, text, err := socket.Read(t.Context()); err != nil || string(text) != "hello" {
		t.Fatalf("%q, %v", text, err)
	}

	revoked := time.Now()
	got := ana.post("/oauth2/revoke", url.Values{"token": {token}, "client_id": {clientID}, "client_secret": {secret}})
	if got.status != http.StatusOK {
		t.Fatalf("revoke: %d", got.status)
	}
	for name, read := range map[string]func() error{
		"events":    func() error { _, err := io.Copy(io.Discard, lines); return err },
		"both ways": func() error { _, err := io.Copy(io.Discard, both.Body); return err },
	} {
		if err := read(); err == nil {
			t.Errorf("%s ended as if they were whole", name)
		}
	}
	if _, _, err := socket.Read(t.Context()); websocket.CloseStatus(err) != 4401 {
		t.Errorf("after Revoke: %v, want a close with 4401", err)
	}
	if took := time.Since(revoked); took > 5*time.Second {
		t.Errorf("streams went on for %s", took)
	}
	ana.wantRefused(token)
}

// call goes through the gateway by HTTP/2, on a connection of its own.
func (s *secured) call(t *testing.T, token, method, target string, body io.Reader) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, s.base+target, body)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := transport(t, s.trust, true).RoundTrip(r)
	must(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %d", target, res.Proto, res.StatusCode)
	}
	return res
}

// A renewed certificate is shown to new connections, while open ones go on.
func TestARenewedCertificateIsShown(t *testing.T) {
	s := startSecured(t)
	ana := s.signIn()
	first := shown(t, addrOf(s.base), s.trust)
	cert, key := s.authority.Issue(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1")
	for path, text := range map[string][]byte{s.cert: cert, s.key: key} {
		must(t, os.WriteFile(path+".new", text, 0o600))
		must(t, os.Rename(path+".new", path))
	}
	eventually(t, func() string {
		if shown(t, addrOf(s.base), s.trust) == first {
			return "the old certificate is still shown: " + s.Stderr.String()
		}
		return ""
	})
	if got := ana.get(applications); got.status != http.StatusOK {
		t.Errorf("on the open connection: %d", got.status)
	}
	must(t, os.Chmod(s.key, 0o644))
	eventually(t, func() string {
		if !strings.Contains(s.Stderr.String(), "can be used by others (mode 0644), run: chmod 640") {
			return "nothing was said of the key's mode: " + s.Stderr.String()
		}
		return ""
	})
}

// O12: over http, pages lead to https and programs are refused.
func TestHTTPLeadsToHTTPS(t *testing.T) {
	upstream, at := gatewaytest.New(t), harness.FreeAddr(t)
	s := startSecured(t, "--redirect-addr", at, "--upstreams", "/v1="+upstream.URL)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, want := range []struct {
		method, path string
		status       int
		location     string
	}{
		{http.MethodGet, "/login?next=%2Fteam", http.StatusMovedPermanently, s.base + "/login?next=%2Fteam"},
		{http.MethodHead, "/", http.StatusMovedPermanently, s.base + "/"},
		{http.MethodGet, "//evil.example/x", http.StatusMovedPermanently, s.base + "//evil.example/x"},
		{http.MethodPost, "/login", http.StatusMethodNotAllowed, ""},
		{http.MethodPost, "/oauth2/token", http.StatusForbidden, ""},
		{http.MethodGet, "/oauth2/verify", http.StatusForbidden, ""},
		{http.MethodGet, "/.well-known/oauth-authorization-server", http.StatusForbidden, ""},
		{http.MethodGet, "/api/usage", http.StatusForbidden, ""},
		{http.MethodGet, "/v1/orders", http.StatusForbidden, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), want.method, "http://"+at+want.path, nil)
		must(t, err)
		r.Host = "evil.example"
		res, err := client.Do(r)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		must(t, err)
		if res.StatusCode != want.status || res.Header.Get("Location") != want.location || res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s %s: %d %v", want.method, want.path, res.StatusCode, res.Header)
		}
		var refused struct{ Error string }
		if want.status == http.StatusForbidden && (json.Unmarshal(body, &refused) != nil || refused.Error != "invalid_request") {
			t.Errorf("%s: %s", want.path, body)
		}
	}
	if len(upstream.Seen()) > 0 {
		t.Error("the upstream was called")
	}
	// Clear text on the encrypted address is told what it is.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addrOf(s.base)+"/oauth2/verify", nil)
	must(t, err)
	res, err := client.Do(r)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("http on the https address: %d", res.StatusCode)
	}
}

// A program that stops ends streams over HTTP/2 and does not wait for connections that are idle.
func TestStopByTLS(t *testing.T) {
	upstream := gatewaytest.New(t)
	s := startSecured(t, "--upstreams", "/v1="+upstream.URL+";strip")
	ana := s.signIn()
	app := ana.create("Price feed")
	token, problem := ana.newToken(ana.clientIDOf(app), ana.reveal(app+"/secret"))
	if problem != "" {
		t.Fatal(problem)
	}
	events := s.call(t, token, http.MethodGet, "/v1/sse", nil) //nolint:bodyclose // call closes it
	if _, err := io.ReadFull(events.Body, make([]byte, len("data: 0\n\n"))); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took > patience {
		t.Errorf("stopping took %s", took)
	}
	if _, err := io.Copy(io.Discard, events.Body); err == nil {
		t.Error("the events ended as if they were whole")
	}
}
