package e2e

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

// probe asks for the health of a node on a connection of its own; status 0 is no answer.
func probe(t testing.TB, base, path string) (status int, body string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	must(t, err)
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(text), res.Header
}

// unready waits until a node says that it wants no more requests.
func unready(t testing.TB, s *server) {
	t.Helper()
	eventually(t, func() string {
		if status, body, _ := probe(t, s.base, "/readyz"); status != http.StatusServiceUnavailable {
			return "readyz after SIGTERM: " + http.StatusText(status) + body
		}
		return ""
	})
}

// While a node drains it is alive and not ready, answers as before, and has its clients leave.
// C5, C6: what it says of itself is one word.
func TestDrainGoesOnAnswering(t *testing.T) {
	s, ana := owner(t, "--drain-delay", "2s")
	app := ana.create("Trading bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		status, body, header := probe(t, s.base, path)
		if status != http.StatusOK || body != want || header.Get("Cache-Control") != "no-store" || header.Get("Server") != "" {
			t.Errorf("%s: %d %q %v", path, status, body, header)
		}
	}
	c := newClient(t, s.base)
	if _, problem := c.newToken(clientID, secret); problem != "" {
		t.Fatal(problem)
	}
	s.Signal(syscall.SIGTERM)
	unready(t, s)
	if status, body, _ := probe(t, s.base, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("healthz while draining: %d %q", status, body)
	}
	// One client keeps its connection from before, one comes now.
	for name, of := range map[string]*client{"kept": c, "new": newClient(t, s.base)} {
		res, err := of.http.Do(tokenRequest(t.Context(), s.base, clientID, secret))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !res.Close {
			t.Errorf("%s: %s, closes %t", name, res.Status, res.Close)
		}
	}
	s.Wait()
	if code := s.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Stderr)
	}
	if strings.Contains(s.Stderr.String(), "readyz") {
		t.Errorf("probes are logged:\n%s", s.Stderr)
	}
}

// Whoever cannot wait sends a second signal.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	s := start(t, "--drain-delay", "1h")
	s.Signal(syscall.SIGTERM)
	unready(t, s)
	s.Signal(syscall.SIGTERM)
	s.Wait()
	if status, ok := s.Cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended by %v", s.Cmd.ProcessState)
	}
}

// balancer runs docs/deploy/haproxy.cfg before two nodes, without its second tries: what fails
// shows.
func balancer(t *testing.T, one, two string) (base string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "deploy", "haproxy.cfg"))
	must(t, err)
	listen := harness.FreeAddr(t)
	for from, to := range map[string]string{"127.0.0.1:8000": listen, "127.0.0.1:8081": one, "127.0.0.1:8082": two, "retries 3": "retries 0", "option redispatch 1": "", "retry-on conn-failure": ""} {
		if strings.Count(string(text), from) != 1 {
			t.Fatalf("haproxy.cfg does not hold %s once", from)
		}
		text = []byte(strings.Replace(string(text), from, to, 1))
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	must(t, os.WriteFile(file, text, 0o600))
	haproxy := harness.StartHAProxy(t, file)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(haproxy.Stderr)
		}
	})
	base = "http://" + listen
	eventually(t, func() string {
		if status, body, _ := probe(t, base, "/login"); status != http.StatusOK {
			return "HAProxy does not answer: " + body + haproxy.Stderr.String()
		}
		return ""
	})
	return base
}

func tokenRequest(ctx context.Context, base, clientID, secret string) *http.Request {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		panic(err) // the address is the test's own
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// program asks for tokens and checks them, by one connection that is kept, until it is told
// to stop.
type program struct {
	tokens   []string
	failures []string
}

func (p *program) run(ctx context.Context, c *client, clientID, secret string) {
	for ctx.Err() == nil {
		if len(p.tokens)%4 == 0 {
			token, problem := p.issue(context.WithoutCancel(ctx), c, clientID, secret)
			if problem != "" {
				p.failures = append(p.failures, "token: "+problem)
				return
			}
			p.tokens = append(p.tokens, token)
			continue
		}
		r := c.request(http.MethodGet, "/oauth2/verify", "") //nolint:contextcheck // a request that runs ends by itself
		r.Header.Set("Authorization", "Bearer "+p.tokens[len(p.tokens)-1])
		res, err := c.http.Do(r)
		if err != nil {
			p.failures = append(p.failures, "verify: "+err.Error())
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			p.failures = append(p.failures, "verify: "+res.Status)
		}
		p.tokens = append(p.tokens, p.tokens[len(p.tokens)-1])
	}
}

func (*program) issue(ctx context.Context, c *client, clientID, secret string) (token, problem string) {
	res, err := c.http.Do(tokenRequest(ctx, c.base, clientID, secret))
	if err != nil {
		return "", err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err.Error()
	}
	_, after, _ := strings.Cut(string(body), `"access_token":"`)
	token, _, ok := strings.Cut(after, `"`)
	if !ok || res.StatusCode != http.StatusOK {
		return "", res.Status + " " + string(body)
	}
	return token, ""
}

// Two nodes on one file, restarted one after the other behind a balancer under load: no
// request fails, and no answered token is lost.
func TestRollingRestart(t *testing.T) {
	dir := t.TempDir()
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	addresses := []string{harness.FreeAddr(t), harness.FreeAddr(t)}
	var nodes [2]*server
	begin := func(i int) { nodes[i] = startIn(t, dir, "--addr", addresses[i], "--drain-delay", "5s") }
	begin(0)
	begin(1)
	ana := signIn(t, nodes[0], ownerEmail)
	app := ana.create("Trading bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	base := balancer(t, addresses[0], addresses[1])

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	programs := make([]program, 6)
	for i := range programs {
		c := newClient(t, base)
		running.Go(func() { programs[i].run(ctx, c, clientID, secret) })
	}
	for i := range nodes {
		nodes[i].Signal(syscall.SIGTERM)
		nodes[i].Wait()
		if code := nodes[i].Cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("node %d ended with %d\n%s", i, code, nodes[i].Stderr)
		}
		begin(i)
		eventually(t, func() string {
			if !strings.Contains(nodes[i].Stderr.String(), "route=/oauth2/verify") {
				return "the balancer sends a node no requests that was restarted"
			}
			return ""
		})
	}
	stop()
	running.Wait()
	requests, last := 0, ""
	askers := []*client{newClient(t, nodes[0].base), newClient(t, nodes[1].base)}
	for _, p := range programs {
		requests += len(p.tokens)
		for _, failure := range p.failures {
			t.Error(failure)
		}
		for i, token := range p.tokens {
			if token != last {
				askers[i%2].wantGood(token)
				last = token
			}
		}
	}
	if requests < 100 {
		t.Errorf("only %d requests were made", requests)
	}
}
