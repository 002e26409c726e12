package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// soFar is what has been answered by now.
func (a *answers) soFar() *answers {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &answers{good: slices.Clone(a.good), gone: slices.Clone(a.gone), problems: slices.Clone(a.problems)}
}

// soMany waits until n tokens are good.
func (a *answers) soMany(t testing.TB, n int) {
	t.Helper()
	eventually(t, func() string {
		if now := a.soFar(); len(now.good) < n && len(now.problems) == 0 {
			return "too few tokens are issued"
		}
		return ""
	})
}

// restored restores a backup elsewhere with a copy of the key file and serves it.
func restored(t testing.TB, s *server, backup string, args ...string) *server {
	t.Helper()
	dir := t.TempDir()
	keys, err := os.ReadFile(keysOf(s.dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keysOf(dir), keys, 0o600); err != nil {
		t.Fatal(err)
	}
	r := command(t, "", append(append(places(dir), "restore", backup), args...)...)
	if r.code != 0 || !strings.HasPrefix(r.stdout, "Restored ") || !strings.Contains(r.stderr, "Warning: ") {
		t.Fatalf("restore: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return startIn(t, dir)
}

func backUp(t testing.TB, s *server, args ...string) {
	t.Helper()
	if r := command(t, "", append(append(places(s.dir), "backup"), args...)...); r.code != 0 || !strings.HasPrefix(r.stdout, "Backed up ") || r.stderr != "" {
		t.Fatalf("backup: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// TestBackupUnderLoad backs up while four programs get and revoke tokens, again and again. Each
// token answered before a backup began is good where it was restored, each revocation holds,
// and the server goes on as if nothing was.
func TestBackupUnderLoad(t *testing.T) {
	s, ana := owner(t)
	app := ana.create("Trading bot")
	credentials := url.Values{"client_id": {ana.clientIDOf(app)}, "client_secret": {ana.reveal(app + "/secret")}}
	manual := ana.reveal(ana.generate(app, "nightly"))
	all := &answers{}
	ctx, cancel := context.WithCancel(t.Context())
	var programs sync.WaitGroup
	for range 4 {
		programs.Go(func() { all.load(ctx, s.base, credentials) })
	}
	type backup struct {
		path   string
		before *answers
	}
	var made []backup
	for n := range 6 {
		all.soMany(t, 100*(n+1))
		b := backup{filepath.Join(t.TempDir(), "backup.db"), all.soFar()}
		backUp(t, s, b.path)
		made = append(made, b)
	}
	cancel()
	programs.Wait()
	for n, b := range made {
		if n%3 < 2 && n < 5 { // the last says most, the others that it was no accident
			continue
		}
		there := restored(t, s, b.path)
		c := newClient(t, there.base)
		b.before.check(c)
		c.wantGood(manual)
		if got := signIn(t, there, ownerEmail).reveal(app + "/secret"); got != credentials.Get("client_secret") {
			t.Error("the client secret cannot be shown any more")
		}
		there.stop()
	}
	all.soFar().check(newClient(t, s.base))
	if strings.Contains(s.stderr.String(), "level=WARN") || strings.Contains(s.stderr.String(), "level=ERROR") {
		t.Errorf("the server was disturbed:\n%s", s.stderr)
	}
}

// manyTokens makes the database so large that copying it takes a while.
func manyTokens(t testing.TB, dir string, n int) {
	t.Helper()
	change(t, dir, `INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, created_at, expires_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT printf('%032d', i), a.id, a.team_id, 'client_credentials', randomblob(32), 'abcd', 'api', a.created_at, a.created_at + 86400000 FROM n, (SELECT * FROM applications LIMIT 1) a`, n)
}

// begun starts the program and returns how to end it.
func begun(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// namesIn lists a folder, without the times in names.
func namesIn(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry.Name(), ".before-")
		names = append(names, name)
	}
	return strings.Join(slices.Compact(names), " ")
}

// What is killed while it makes a backup leaves none, and what it leaves otherwise the next one removes.
func TestBackupKilled(t *testing.T) {
	s, _ := owner(t)
	manyTokens(t, s.dir, 150_000)
	dir := t.TempDir()
	path := filepath.Join(dir, "backup.db")
	for range 3 {
		cmd := begun(t, append(places(s.dir), "backup", path)...)
		eventually(t, func() string {
			if found, err := filepath.Glob(filepath.Join(dir, ".backup.db.new-*", "latchkey.db")); err != nil || len(found) != 1 {
				return "no copy is being made"
			}
			return ""
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if names := namesIn(t, dir); !strings.HasPrefix(names, ".backup.db.new-") || strings.Contains(names, " ") {
			t.Fatalf("left behind: %q", names)
		}
	}
	backUp(t, s, path)
	if names := namesIn(t, dir); names != "backup.db" {
		t.Errorf("left behind: %q", names)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := begun(t, append(places(s.dir), "backup", "--force", path)...)
	time.Sleep(20 * time.Millisecond) // at whatever point it is
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a backup that was killed changed the one of before: %v", err)
	}
	restored(t, s, path)
}

// TestRestoreKilled kills a restore at moments all over its way: the old or the new database
// is there, whole, and can be served.
func TestRestoreKilled(t *testing.T) {
	s, _ := owner(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	backUp(t, s, path)
	addUser(t, s.dir, viewerEmail, "Vic Lee", "Northwind", "viewer") // by which the two are told apart
	s.stop()
	restore := append(places(s.dir), "restore", "--force", path)
	var old, replaced int
	for n := range 30 {
		cmd := begun(t, restore...)
		time.Sleep(time.Duration(n) * 5 * time.Millisecond) // at whatever point it is
		_ = cmd.Process.Kill()                              // unless it has ended
		_ = cmd.Wait()
		switch users := number(t, s.dir, "SELECT COUNT(*) FROM users"); users {
		case 2:
			old++
		case 1:
			replaced++
			addUser(t, s.dir, viewerEmail, "Vic Lee", "Northwind", "viewer")
		default:
			t.Fatalf("after %d: %d users", n, users)
		}
		withDatabase(t, s.dir, func(db *sql.DB) {
			var verdict string
			if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
				t.Fatalf("after %d: the database is %q, %v", n, verdict, err)
			}
		})
	}
	t.Logf("killed before the new database was there: %d, after: %d", old, replaced)
	if old == 0 || replaced == 0 {
		t.Error("the kills were not spread over the restore")
	}
	if r := command(t, "", restore...); r.code != 0 {
		t.Errorf("restore: exit code %d\n%s", r.code, r.stderr)
	}
	if names := namesIn(t, s.dir); names != "keys.json latchkey.db" {
		t.Errorf("left behind: %q", names)
	}
	signIn(t, startIn(t, s.dir), ownerEmail)
}

// A database that somebody uses is not replaced, however it is asked for; the server does not notice.
func TestRestoreWhileServing(t *testing.T) {
	s, ana := owner(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	backUp(t, s, path)
	app := ana.create("Made since")
	for _, args := range [][]string{{path}, {"--force", path}, {"--force", "--revoke-tokens", path}} {
		r := command(t, "", append(append(places(s.dir), "restore"), args...)...)
		if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "is in use: stop the server") || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	if got := ana.get(app); got.path != app {
		t.Errorf("the application is at %s", got.path)
	}
	s.stop()
	if r := command(t, "", append(places(s.dir), "restore", "--force", path)...); r.code != 0 {
		t.Errorf("after the stop: exit code %d\n%s", r.code, r.stderr)
	}
}
