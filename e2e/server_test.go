package e2e

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

// server is one running program with data of its own.
type server struct {
	*harness.Process
	t    testing.TB
	dir  string
	base string
	// setupURL is the one-time address that it printed, empty when it has users.
	setupURL string
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
func startProgram(t testing.TB, path, dir string, args ...string) *server {
	t.Helper()
	return serve(t, dir, exec.CommandContext(context.Background(), path, append(append(places(dir), "--addr", "127.0.0.1:0"), args...)...))
}

// serve is startProgram for a command that was prepared.
func serve(t testing.TB, dir string, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{Process: harness.Start(t, cmd), t: t, dir: dir}
	t.Cleanup(s.stopped)
	harness.Eventually(t, s.announced)
	return s
}

func (s *server) announced() string {
	base, setup, problem := s.Announced()
	s.base = base
	if setup != "" {
		s.setupURL = base + setup
	}
	return problem
}

// stopped ends the program if it still runs.
func (s *server) stopped() {
	if s.Runs() {
		s.Stop()
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
