package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// node is a health whose database and feed the test holds.
type node struct {
	*health
	log     strings.Builder
	version int64
	err     error
	hang    time.Duration
	feed    tokens.FeedStats
	asked   atomic.Int64
}

func newNode() *node {
	n := &node{version: 11, feed: tokens.FeedStats{Alive: true}}
	n.health = &health{log: slog.New(slog.NewTextHandler(&n.log, nil))}
	return n
}

func (n *node) start() {
	n.started(11, func(context.Context) (int64, error) {
		n.asked.Add(1)
		time.Sleep(n.hang)
		return n.version, n.err
	}, func() tokens.FeedStats { return n.feed })
}

func (n *node) probe(t *testing.T, method, path string, detailed bool) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	n.serve(w, httptest.NewRequestWithContext(t.Context(), method, path, nil), detailed)
	return w
}

// C5, C6: the public answer is one word whatever is wrong; on the address of the metrics it
// says what.
func TestReadiness(t *testing.T) {
	for name, test := range map[string]struct {
		spoil  func(n *node)
		status int
		says   string
	}{
		"all is well":        {func(*node) {}, 200, "database: ok\nmigrations: ok\nfeed: ok\nrun: ok\n"},
		"a newer program":    {func(n *node) { n.version = 12 }, 200, "migrations: ok"},
		"database away":      {func(n *node) { n.err = errors.New("disk gone") }, 503, "database: disk gone\nmigrations: not known\n"},
		"migrations missing": {func(n *node) { n.version = 10 }, 503, "migrations: the database is at version 10, this program needs 11\n"},
		"feed silent":        {func(n *node) { n.feed = tokens.FeedStats{Lag: 1234567 * time.Microsecond} }, 503, "feed: no answer for 1.235s\n"},
		"stopping":           {func(n *node) { n.stopping.Store(true) }, 503, "run: stopping\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode()
			if w := n.probe(t, http.MethodGet, readyPath, true); w.Code != 503 || w.Body.String() != "not ready\nstart: not done yet\n" {
				t.Errorf("%s: before the start: %d %q", name, w.Code, w.Body)
			}
			test.spoil(n)
			n.start()
			public, inside := n.probe(t, http.MethodGet, readyPath, false), n.probe(t, http.MethodGet, readyPath, true)
			word := map[int]string{200: "ready\n", 503: "not ready\n"}[test.status]
			if public.Code != test.status || public.Body.String() != word || inside.Code != test.status || !strings.HasPrefix(inside.Body.String(), word) || !strings.Contains(inside.Body.String(), test.says) {
				t.Errorf("%s: %d %q, inside %q", name, public.Code, public.Body, inside.Body)
			}
			for _, path := range []string{healthPath, readyPath} {
				w := n.probe(t, http.MethodPost, path, false)
				if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s: POST %s: %d %v", name, path, w.Code, w.Header())
				}
			}
			if w := n.probe(t, http.MethodGet, healthPath, true); w.Code != 200 || w.Body.String() != "ok\n" {
				t.Errorf("%s: healthz: %d %q", name, w.Code, w.Body)
			}
		})
	}
}

// However many probe, the database is asked once; one that hangs holds nobody longer than
// checkFor, and is asked nothing more meanwhile.
func TestProbesShareOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode()
		n.start()
		flood := func() (slowest time.Duration) {
			began := time.Now()
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() { n.ready() })
			}
			all.Wait()
			return time.Since(began)
		}
		flood()
		if n.asked.Load() != 1 {
			t.Errorf("asked %d times", n.asked.Load())
		}
		time.Sleep(checkEvery + time.Millisecond)
		n.hang = time.Minute
		for range 20 {
			if took := flood(); took > checkFor {
				t.Errorf("probes took %s", took)
			}
			if checks, ok := n.ready(); ok || !strings.Contains(problems(checks), "database: no answer within 2s") {
				t.Errorf("ready: %v", checks)
			}
		}
		if n.asked.Load() != 2 {
			t.Errorf("asked %d times", n.asked.Load())
		}
		time.Sleep(time.Minute)
		n.hang = 0
		if _, ok := n.ready(); !ok {
			t.Error("not ready once the database answers")
		}
		// A change is logged, a probe is not.
		if lines := strings.Count(n.log.String(), "\n"); lines != 2 || !strings.Contains(n.log.String(), "ready again") {
			t.Errorf("logged:\n%s", n.log.String())
		}
	})
}

// A request that comes while the program starts waits for it; a probe does not.
func TestTheDoorHoldsRequestsUntilTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(newNode().health)
		ask := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			d.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			return w
		}
		began := time.Now()
		if w := ask("/healthz"); w.Code != 200 || time.Since(began) != 0 {
			t.Errorf("healthz: %d", w.Code)
		}
		if w := ask("/readyz"); w.Code != 503 || w.Body.String() != "not ready\n" || time.Since(began) != 0 {
			t.Errorf("readyz: %d %q", w.Code, w.Body)
		}
		if w := ask("/login"); w.Code != 503 || w.Header().Get("Retry-After") != "1" || time.Since(began) != handlerTimeout {
			t.Errorf("after %s: %d", time.Since(began), w.Code)
		}
		time.AfterFunc(3*time.Second, func() { d.open(http.NotFoundHandler(), gateway.New(gateway.Deps{Meter: &usage.Meter{}})) })
		began = time.Now()
		if w := ask("/login"); w.Code != 404 || time.Since(began) != 3*time.Second {
			t.Errorf("after %s: %d", time.Since(began), w.Code)
		}
		// While the node drains answers have their clients leave, but an upgrade goes through.
		d.health.stopping.Store(true)
		if w := ask("/login"); w.Header().Get("Connection") != "close" {
			t.Errorf("draining: %v", w.Header())
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil)
		r.Header.Set("Upgrade", "websocket")
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Header().Get("Connection") != "" {
			t.Errorf("an upgrade: %v", w.Header())
		}
	})
}

// A host of the gateway's own has its own health, of whichever API is there.
func TestHealthOfTheGatewaysHost(t *testing.T) {
	s := newSite(t, "/=UP", func(c *Config) { c.GatewayHost = "api.example.com" }, func(srv *http.Server) {
		w, _ := testWorldWith(t, slog.New(slog.DiscardHandler), func(c *Config) {
			c.GatewayHost = "api.example.com"
			if problem := parseUpstreams(c, "/=http://127.0.0.1:1"); problem != "" {
				t.Fatal(problem)
			}
		})
		d := newDoor(newNode().health)
		d.open(srv.Handler, w.gateway)
		srv.Handler = d
	})
	for host, want := range map[string]int{"api.example.com": http.StatusUnauthorized, "account.example.com": http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", host, res.Status)
		}
	}
}
