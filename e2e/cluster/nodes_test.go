package cluster

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/e2e/harness"
)

// world is some nodes on one database behind one balancer.
type world struct {
	testing.TB
	dir   string
	name  string // of the database
	base  string // the balancer's address
	nodes []*node
	// setupURLs are the addresses that nodes printed, through the balancer.
	setupURLs []string
	// args are more flags for each node.
	args []string
}

// node is one process. Its way to the database may lead through a relay.
type node struct {
	*harness.Process
	t      testing.TB
	base   string
	relay  *relay
	inside string // a network namespace
	args   []string
}

// newWorld starts nodes on an empty database, all at once, and the balancer.
func newWorld(t testing.TB, nodes int, args ...string) *world {
	t.Helper()
	w := plan(t, nodes, args...)
	w.start()
	return w
}

// plan says where everything will be.
func plan(t testing.TB, nodes int, args ...string) *world {
	t.Helper()
	w := &world{TB: t, dir: t.TempDir(), name: database.create(t), base: "http://" + harness.FreeAddr(t), args: args}
	for range nodes {
		r := newRelay(t, "127.0.0.1:"+database.port)
		n := &node{t: t, base: "http://" + harness.FreeAddr(t), relay: r}
		n.args = w.flags(strings.TrimPrefix(n.base, "http://"), database.address(r.address(), w.name))
		w.nodes = append(w.nodes, n)
	}
	return w
}

func (w *world) flags(addr, address string) []string {
	return append([]string{
		"--addr", addr, "--base-url", w.base, "--database", address,
		"--keys", filepath.Join(w.dir, "keys.json"), "--trusted-proxies", "127.0.0.0/8", "--max-lifespan", "1h",
	}, w.args...)
}

func (w *world) start() {
	w.Helper()
	for _, n := range w.nodes {
		n.start()
	}
	for _, n := range w.nodes {
		eventually(w, n.announced)
		if _, setup, _ := n.Announced(); setup != "" {
			w.setupURLs = append(w.setupURLs, w.base+setup)
		}
	}
	w.balance()
}

// start starts the process. It is ended with the test.
func (n *node) start() {
	n.t.Helper()
	command := append([]string{binary}, n.args...)
	if n.inside != "" {
		command = append([]string{"ip", "netns", "exec", n.inside}, command...)
	}
	n.Process = harness.Start(n.t, exec.CommandContext(context.Background(), command[0], command[1:]...))
}

// announced says what is missing until the node serves.
func (n *node) announced() string {
	_, _, problem := n.Announced()
	return problem
}

const haproxyConfig = `global
  maxconn 2000
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  retries 2
  option redispatch
  option forwardfor
  option http-server-close
frontend pages
  bind BIND
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 250ms fall 2 rise 1
`

// balance starts HAProxy before the nodes: it takes them in turn, whoever asks, and leaves
// out those that do not answer.
func (w *world) balance() {
	w.Helper()
	var config strings.Builder
	config.WriteString(strings.Replace(haproxyConfig, "BIND", strings.TrimPrefix(w.base, "http://"), 1))
	for i, n := range w.nodes {
		config.WriteString("  server node" + string(rune('a'+i)) + " " + strings.TrimPrefix(n.base, "http://") + "\n")
	}
	file := filepath.Join(w.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		w.Fatal(err)
	}
	haproxy := harness.StartHAProxy(w, file)
	eventually(w, func() string {
		res, err := http.Get(w.base + "/readyz") //nolint:noctx // of the test
		if err != nil {
			return err.Error() + "\n" + haproxy.Said()
		}
		_ = res.Body.Close()
		if res.StatusCode >= http.StatusInternalServerError {
			return res.Status
		}
		return ""
	})
}

// each runs do for all nodes at once.
func each[T any](all []T, do func(i int, one T)) {
	var runs sync.WaitGroup
	for i, one := range all {
		runs.Go(func() { do(i, one) })
	}
	runs.Wait()
}

// until waits for a moment.
func until(at time.Time) { time.Sleep(time.Until(at)) }
