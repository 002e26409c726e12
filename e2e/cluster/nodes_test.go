package cluster

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	t      testing.TB
	base   string
	relay  *relay
	inside string // a network namespace
	args   []string

	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
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
	w := &world{TB: t, dir: t.TempDir(), name: database.create(t), base: "http://127.0.0.1:" + port(t), args: args}
	for range nodes {
		r := newRelay(t, "127.0.0.1:"+database.port)
		n := &node{t: t, base: "http://127.0.0.1:" + port(t), relay: r}
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
		if found := announcement.FindStringSubmatch(n.stdout.String()); found != nil && found[1] != "" {
			w.setupURLs = append(w.setupURLs, w.base+found[1])
		}
	}
	w.balance()
}

var announcement = regexp.MustCompile(`http://[^\s/]+(/setup\?code=\S+)?\n`)

// start starts the process. It is ended with the test.
func (n *node) start() {
	n.t.Helper()
	n.stdout, n.stderr, n.exited = &output{}, &output{}, make(chan struct{})
	command := append([]string{binary}, n.args...)
	if n.inside != "" {
		command = append([]string{"ip", "netns", "exec", n.inside}, command...)
	}
	n.cmd = exec.CommandContext(context.Background(), command[0], command[1:]...)
	n.cmd.Stdout, n.cmd.Stderr = n.stdout, n.stderr
	n.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	cmd, exited := n.cmd, n.exited
	go func() { _ = cmd.Wait(); close(exited) }()
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
}

// announced says what is missing until the node serves.
func (n *node) announced() string {
	select {
	case <-n.exited:
		return "a node ended: " + n.stderr.String()
	default:
	}
	if !announcement.MatchString(n.stdout.String()) {
		return "a node announced nothing: " + n.stderr.String()
	}
	return ""
}

func (n *node) signal(signal syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(signal); err != nil {
		n.t.Error(err)
	}
}

// kill gives the node no chance to do anything more.
func (n *node) kill() {
	n.t.Helper()
	n.signal(syscall.SIGKILL)
	<-n.exited
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
	path, err := exec.LookPath("haproxy")
	if err != nil {
		path = "/usr/sbin/haproxy"
	}
	cmd := exec.CommandContext(context.Background(), path, "-db", "-f", file)
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		w.Fatalf("HAProxy does not start: %v (Debian: apt-get install haproxy)", err)
	}
	w.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(w, func() string {
		res, err := http.Get(w.base + "/readyz") //nolint:noctx // of the test
		if err != nil {
			return err.Error() + "\n" + said.String()
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
