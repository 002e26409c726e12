package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
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
		there.Stop()
	}
	all.soFar().check(newClient(t, s.base))
	if strings.Contains(s.Stderr.String(), "level=WARN") || strings.Contains(s.Stderr.String(), "level=ERROR") {
		t.Errorf("the server was disturbed:\n%s", s.Stderr)
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
	s.Stop()
	restore := append(places(s.dir), "restore", "--force", path)
	whole := time.Now()
	if r := command(t, "", append(append(places(t.TempDir()), "--keys", keysOf(s.dir)), "restore", path)...); r.code != 0 {
		t.Fatal(r.stderr)
	}
	const kills = 20
	step := time.Since(whole) * 3 / 2 / kills
	var old, replaced int
	for n := range kills {
		cmd := begun(t, restore...)
		time.Sleep(time.Duration(n) * step) // at whatever point it is
		if n < kills-1 {
			_ = cmd.Process.Kill() // unless it has ended
		}
		_ = cmd.Wait() // it was killed, or has ended
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
	if old == 0 || replaced == 0 {
		t.Errorf("%d kills came before the new database was there, %d after", old, replaced)
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
	s.Stop()
	if r := command(t, "", append(places(s.dir), "restore", "--force", path)...); r.code != 0 {
		t.Errorf("after the stop: exit code %d\n%s", r.code, r.stderr)
	}
}

// O10, S3: what a restore brings back. Over the database that it replaces, what was revoked stays so;
// elsewhere it is good again, as the warning says, unless all is revoked. Sessions end either way, and
// whoever gets a new token goes on.
func TestRestoreAndRevocations(t *testing.T) {
	s, ana := owner(t)
	app := ana.create("Trading bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	path := filepath.Join(t.TempDir(), "backup.db")
	stays, goes := ana.reveal(ana.generate(app, "stays")), ana.generate(app, "goes")
	value := ana.reveal(goes)
	backUp(t, s, path)
	ana.deed(goes+"/revoke", nil)
	ana.wantRefused(value)
	s.Stop()
	if r := command(t, "", append(places(s.dir), "restore", "--force", path)...); r.code != 0 || !strings.Contains(r.stdout, "Ended: 1 session and 0 links. Revoked: 1 token.") {
		t.Fatalf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	there := startIn(t, s.dir)
	ana.base = there.base
	ana.wantRefused(value)
	ana.wantGood(stays)
	if got := ana.get(app); got.path != "/login" {
		t.Errorf("the session goes on at %s", got.path)
	}
	there.Stop()
	for _, c := range []struct {
		args []string
		good bool
	}{{nil, true}, {[]string{"--revoke-tokens"}, false}} {
		there := restored(t, s, path, c.args...)
		client := newClient(t, there.base)
		for _, token := range []string{stays, value} {
			if c.good {
				client.wantGood(token)
			} else {
				client.wantRefused(token)
			}
		}
		token, problem := client.newToken(clientID, secret)
		if problem != "" {
			t.Error(problem)
		}
		client.wantGood(token)
		if c.good { // what the warning says, also while it is served
			if r := command(t, "", append(places(there.dir), "restore", "--finish", "--revoke-tokens")...); r.code != 0 || r.stdout != "Ended: 0 sessions and 0 links. Revoked: 3 tokens.\n" {
				t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			eventually(t, func() string { // another process made the change
				if status, _ := client.verify(token); status != http.StatusUnauthorized {
					return "a token is still good"
				}
				return ""
			})
		}
	}
}
