package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/tokens"
)

// C4, C5: the health check of a container is about life: what runs it ends one that fails. Whether
// requests should come is asked with --ready, which says what is wrong where it may.
func TestHealthIsNotReadiness(t *testing.T) {
	node := newNode()
	node.err, node.feed = errors.New("disk gone"), tokens.FeedStats{Alive: true}
	detailed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { node.serve(w, r, detailed) })) //nolint:contextcheck // a question outlives who asked it
	t.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	env := map[string]string{"LATCHKEY_ADDR": addr}
	alive := func(when string) {
		t.Helper()
		if code, stdout, stderr := call(t, env, "", "health"); code != exitDone || stdout != "Latchkey serves at "+addr+".\n" {
			t.Errorf("%s: exit %d %q %q", when, code, stdout, stderr)
		}
	}
	ready := func(when string, want int, line string) {
		t.Helper()
		if code, stdout, stderr := call(t, env, "", "health", "--ready"); code != want || stdout+stderr != line {
			t.Errorf("%s: exit %d %q %q", when, code, stdout, stderr)
		}
	}
	alive("starting")
	ready("starting", exitFailed, "web: Latchkey at "+server.URL+" is not ready: its log says why\n")
	node.start()
	alive("database away")
	ready("database away", exitFailed, "web: Latchkey at "+server.URL+" is not ready: its log says why\n")
	env["LATCHKEY_METRICS_ADDR"], detailed = addr, true
	ready("database away, metrics", exitFailed, "web: Latchkey at "+server.URL+" is not ready: database: disk gone; migrations: not known\n")
	node.health = newNode().health
	node.err = nil
	node.start()
	ready("well, metrics", exitDone, "Latchkey is ready at "+server.URL+".\n")
}

func TestHealthOfSomethingElse(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	env := map[string]string{"LATCHKEY_ADDR": strings.TrimPrefix(server.URL, "http://")}
	for _, args := range [][]string{{"health"}, {"health", "--ready"}} {
		if code, _, stderr := call(t, env, "", args...); code != exitFailed || !strings.Contains(stderr, " is not Latchkey: stop it") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d %q", args, code, stderr)
		}
	}
	server.Close()
	for _, args := range [][]string{{"health"}, {"health", "--ready"}} {
		if code, _, stderr := call(t, env, "", args...); code != exitFailed || !strings.Contains(stderr, "start it or correct") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d %q", args, code, stderr)
		}
	}
}

// A server that speaks TLS lives, and is asked for readiness by its own name.
func TestHealthOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	env := map[string]string{
		"LATCHKEY_ADDR": strings.TrimPrefix(server.URL, "https://"), "LATCHKEY_BASE_URL": "https://account.example.com",
		"LATCHKEY_TLS_CERT": "c.pem", "LATCHKEY_TLS_KEY": "k.pem",
	}
	if code, stdout, stderr := call(t, env, "", "health"); code != exitDone {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
	if code, _, stderr := call(t, env, "", "health", "--ready"); code != exitFailed || !strings.Contains(stderr, "https://account.example.com, start it or correct the settings: its certificate comes from an authority") {
		t.Errorf("exit %d %q", code, stderr)
	}
}
