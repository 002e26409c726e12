package e2e

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
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

// server is one running program with data of its own.
type server struct {
	t    testing.TB
	dir  string
	base string
	// setupURL is the one-time address that it printed, empty when it has users.
	setupURL string

	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
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

func databaseOf(dir string) string { return filepath.Join(dir, "latchkey.db") }

func keysOf(dir string) string { return filepath.Join(dir, "keys.json") }

// places are the flags that point the program to its data.
func places(dir string) []string {
	return []string{"--database", databaseOf(dir), "--keys", keysOf(dir)}
}

// start starts a program on new data.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	return startIn(t, t.TempDir(), args...)
}

// startIn starts a program on the data in dir and waits until it answers. It
// is stopped when the test ends.
func startIn(t testing.TB, dir string, args ...string) *server {
	t.Helper()
	return startProgram(t, binary, dir, args...)
}

// startProgram is startIn for a program of another version.
func startProgram(t testing.TB, program, dir string, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: dir, stdout: &output{}, stderr: &output{}, exited: make(chan struct{})}
	s.cmd = exec.CommandContext(context.Background(), program, append(append(places(dir), "--addr", "127.0.0.1:0"), args...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	// The settings of whoever runs the tests do not count.
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // its state is asked for later
		close(s.exited)
	}()
	t.Cleanup(s.stopped)
	eventually(t, s.announced)
	return s
}

var announcement = regexp.MustCompile(`(https?://[^\s/]+)(/setup\?code=\S+)?\n`)

func (s *server) announced() string {
	select {
	case <-s.exited:
		return "the program ended: " + s.stderr.String()
	default:
	}
	found := announcement.FindStringSubmatch(s.stdout.String())
	if found == nil {
		return "the program announced nothing: " + s.stderr.String()
	}
	s.base = found[1]
	if found[2] != "" {
		s.setupURL = found[1] + found[2]
	}
	return ""
}

// stopped ends the program if it still runs.
func (s *server) stopped() {
	select {
	case <-s.exited:
	default:
		s.stop()
	}
}

// stop asks the program to end and wants exit code 0.
func (s *server) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	s.wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("exit code after SIGTERM: %d, want 0\n%s", code, s.stderr)
	}
}

// kill gives the program no chance to do anything more.
func (s *server) kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.wait()
}

func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Error(err)
	}
}

func (s *server) wait() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(40 * time.Second):
		_ = s.cmd.Process.Kill()
		s.t.Fatal("the program did not end")
	}
}

// result is a program that has run to its end.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the program with args to its end. stdin may be empty.
func command(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	return finish(t, exec.CommandContext(t.Context(), binary, args...), stdin)
}

func finish(t testing.TB, cmd *exec.Cmd, stdin string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"))
	cmd.Cancel = func() error { return cmd.Process.Kill() }
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// addUser makes an account by the command line. The first of a program is made once, with
// its keys, and copied where other tests want the same.
func addUser(t testing.TB, dir, email, name, team, role string) {
	t.Helper()
	args := []string{"user", "add", "--email", email, "--name", name, "--team", team, "--role", role, "--password-stdin"}
	if _, err := os.Stat(databaseOf(dir)); errors.Is(err, fs.ErrNotExist) {
		for file, content := range firstAccount(t, args) {
			must(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
		}
		return
	}
	userAdd(t, dir, args)
}

func userAdd(t testing.TB, dir string, args []string) {
	t.Helper()
	if r := command(t, password, append(places(dir), args...)...); r.code != 0 {
		t.Fatalf("%q: exit code %d\n%s", args, r.code, r.stderr)
	}
}

var firstAccounts struct {
	sync.Mutex
	made map[string]map[string][]byte
}

// firstAccount returns the files of a program to which one account was added.
func firstAccount(t testing.TB, args []string) map[string][]byte {
	t.Helper()
	firstAccounts.Lock()
	defer firstAccounts.Unlock()
	key := strings.Join(args, "\n")
	if files, ok := firstAccounts.made[key]; ok {
		return files
	}
	dir, files := t.TempDir(), map[string][]byte{}
	userAdd(t, dir, args)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name()))
		must(t, err)
	}
	if firstAccounts.made == nil {
		firstAccounts.made = map[string]map[string][]byte{}
	}
	firstAccounts.made[key] = files
	return files
}
