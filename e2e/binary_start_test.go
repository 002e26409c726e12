package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRefusesToStart spoils what the program needs, one thing at a time. It
// ends with exit code 1 and one line that names the file and says what to do,
// and touches nothing.
func TestRefusesToStart(t *testing.T) {
	remove := func(path func(string) string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.Remove(path(dir))) }
	}
	write := func(path func(string) string, content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.WriteFile(path(dir), []byte(content), 0o600)) }
	}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		names func(string) string
		says  string
	}{
		{"key file missing", remove(keysOf), keysOf, "restore it"},
		{"key file damaged", write(keysOf, `{"version":1,"seal":`), keysOf, "restore it"},
		{"key file empty", write(keysOf, ""), keysOf, "restore it"},
		{"key file of a newer program", write(keysOf, `{"version":99}`), keysOf, "version"},
		{"key file open to others", func(t *testing.T, dir string) { must(t, os.Chmod(keysOf(dir), 0o644)) }, keysOf, "chmod 600"},
		{"key file of another database", func(t *testing.T, dir string) {
			other := t.TempDir()
			addUser(t, other, "ben@southwind.example", "Ben Okafor", "Southwind", "owner")
			must(t, os.Rename(keysOf(other), keysOf(dir)))
		}, keysOf, "put back"},
		{"key file a folder", func(t *testing.T, dir string) {
			must(t, os.Remove(keysOf(dir)))
			must(t, os.Mkdir(keysOf(dir), 0o700))
		}, keysOf, "LATCHKEY_KEYS"},
		{"database newer", func(t *testing.T, dir string) {
			change(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
		}, databaseOf, "newer program"},
		{"database not a database", write(databaseOf, strings.Repeat("no database ", 100)), databaseOf, "LATCHKEY_DATABASE"},
		{"database a folder", func(t *testing.T, dir string) {
			must(t, os.Remove(databaseOf(dir)))
			must(t, os.Mkdir(databaseOf(dir), 0o700))
		}, databaseOf, "LATCHKEY_DATABASE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
			c.spoil(t, dir)
			for _, more := range [][]string{nil, {"migrate"}, {"user", "passwd", "--email", ownerEmail, "--password-stdin"}} {
				before := sums(t, dir)
				r := command(t, password, append(append(places(dir), "--addr", "127.0.0.1:0"), more...)...)
				wantRefusal(t, r, c.names(dir), c.says)
				wantSame(t, before, sums(t, dir))
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	dir := t.TempDir()
	r := command(t, "", append(places(dir), "--addr", listener.Addr().String())...)
	wantRefusal(t, r, listener.Addr().String(), "LATCHKEY_ADDR")
	if left := sums(t, dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// TestReadOnly starts the program where it may read its files and not write them.
func TestReadOnly(t *testing.T) {
	for _, mode := range []struct {
		name      string
		dir, file fs.FileMode
	}{{"file", 0o700, 0o400}, {"folder", 0o500, 0o600}, {"both", 0o500, 0o400}} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "latchkey-e2e-")
			must(t, err)
			t.Cleanup(func() { must(t, os.Chmod(dir, 0o700)); must(t, os.RemoveAll(dir)) })
			addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
			must(t, os.Chmod(databaseOf(dir), mode.file))
			must(t, os.Chmod(dir, mode.dir))
			cmd := exec.CommandContext(t.Context(), binary, append(places(dir), "--addr", "127.0.0.1:0")...)
			if os.Getuid() == 0 { // who may write everything
				for _, path := range []string{dir, databaseOf(dir), keysOf(dir)} {
					must(t, os.Chown(path, nobody, nobody))
				}
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			}
			before := sums(t, dir)
			wantRefusal(t, finish(t, cmd, ""), databaseOf(dir), "mode")
			wantSame(t, before, sums(t, dir))
		})
	}
}

const nobody = 65534

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantRefusal wants exit code 1 and one line on stderr.
func wantRefusal(t testing.TB, r result, names, says string) {
	t.Helper()
	line, rest, _ := strings.Cut(r.stderr, "\n")
	if r.code != 1 || rest != "" || !strings.Contains(line, names) || !strings.Contains(line, says) || r.stdout != "" {
		t.Errorf("exit code %d, want 1 and one line that names %s and says %q\nstdout: %s\nstderr: %s", r.code, names, says, r.stdout, r.stderr)
	}
	for _, jargon := range []string{"logic error", "goroutine", "panic", "%!"} {
		if strings.Contains(r.stderr, jargon) {
			t.Errorf("the message says %q: %s", jargon, r.stderr)
		}
	}
}

// sums are the checksums and modes of all files in dir.
func sums(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found[path] = info.Mode().String()
		if entry.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path)
		found[path] += fmt.Sprintf(" %x", sha256.Sum256(content))
		return err
	}))
	return found
}

func wantSame(t testing.TB, before, after map[string]string) {
	t.Helper()
	for path, sum := range after {
		if before[path] == "" {
			t.Errorf("%s is new", path)
		} else if before[path] != sum {
			t.Errorf("%s was changed", path)
		}
	}
	for path := range before {
		if after[path] == "" {
			t.Errorf("%s is gone", path)
		}
	}
}
