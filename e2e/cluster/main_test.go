// Package cluster tests several nodes: the built program in many processes on one
// PostgreSQL database, behind HAProxy without sticky sessions, and what goes wrong there.
package cluster

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what should come soon. It is long for the sake of
// busy machines; nothing waits longer than it has to.
const patience = 30 * time.Second

var (
	// binary is the program under test.
	binary string
	// database is the server that the nodes share. Unlike that of other tests it keeps what
	// it has committed: it is stopped in the middle.
	database *postgres
)

func TestMain(m *testing.M) {
	if address := os.Getenv(holdVariable); address != "" {
		hold(address)
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/cluster: "+err.Error())
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "latchkey-cluster-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// PostgreSQL runs as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	binary = filepath.Join(dir, "latchkey")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/latchkey/latchkey/cmd/web")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	if database, err = newPostgres(filepath.Join(dir, "postgres")); err != nil {
		return 1, err
	}
	defer database.stop("immediate")
	return m.Run(), nil
}

// eventually polls until ok returns an empty string, and fails with what it returned last.
func eventually(t testing.TB, ok func() string) {
	t.Helper()
	var problem string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if problem = ok(); problem == "" {
			return
		}
		time.Sleep(15 * time.Millisecond)
	}
	t.Fatal(problem)
}

// output collects what a program writes while others read it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// lines counts the lines that hold a text.
func (o *output) lines(text string) int { return strings.Count(o.String(), text) }

// freePort is one that nobody listens on now, below what systems hand out by themselves.
func freePort() (string, error) {
	for port := 20000 + os.Getpid()%8000; port < 32000; port++ {
		takenPorts.Lock()
		taken := takenPorts.all[port]
		takenPorts.all[port] = true
		takenPorts.Unlock()
		if taken {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // finds a port
		if err == nil {
			return fmt.Sprint(port), listener.Close()
		}
	}
	return "", fmt.Errorf("no port is free")
}

var takenPorts = struct {
	sync.Mutex
	all map[int]bool
}{all: map[int]bool{}}

func port(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
