package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// someTokens are an application's: five of programs, and one of each kind that
// stays active.
type someTokens struct {
	old            []string
	issued, manual string
}

// aged starts a program, gets tokens, stops it and makes five of them expire an
// hour before now. A lifespan has a minute at least, so time is made by hand.
func aged(t *testing.T) (s *server, ana *client, clientID, secret string, tokens someTokens) {
	t.Helper()
	s, ana = owner(t)
	app := ana.create("Trading bot")
	clientID, secret = ana.clientIDOf(app), ana.reveal(app+"/secret")
	program := newClient(t, s.base)
	for range 5 {
		token, problem := program.newToken(clientID, secret)
		if problem != "" {
			t.Fatal(problem)
		}
		tokens.old = append(tokens.old, token)
	}
	s.Stop()
	hourAgo := time.Now().Add(-time.Hour).UnixMilli()
	change(t, s.dir, "UPDATE tokens SET created_at = ?, expires_at = ?", hourAgo-60_000, hourAgo)
	s = startIn(t, s.dir) // which keeps ended tokens for a day
	ana.base = s.base
	tokens.issued, _ = newClient(t, s.base).newToken(clientID, secret)
	tokens.manual = ana.reveal(ana.generate(app, "laptop"))
	return s, ana, clientID, secret, tokens
}

func (tokens someTokens) check(t *testing.T, s *server, when string, rows int64) {
	t.Helper()
	c := newClient(t, s.base)
	c.wantGood(tokens.issued)
	c.wantGood(tokens.manual)
	for _, token := range tokens.old {
		c.wantRefused(token)
	}
	if left := number(t, s.dir, "SELECT COUNT(*) FROM tokens"); left != rows {
		t.Errorf("%s: %d rows, want %d", when, left, rows)
	}
}

// TestServePurges starts a server that keeps nothing: it deletes on its own what
// has expired, and says so. T7
func TestServePurges(t *testing.T) {
	t.Parallel()
	s, _, clientID, secret, tokens := aged(t)
	tokens.check(t, s, "kept for a day", 7)
	s.Stop()
	s = startIn(t, s.dir, "--keep-issued-tokens", "0s")
	eventually(t, func() string {
		if !strings.Contains(s.Stderr.String(), `msg="ended tokens deleted" tokens=5`) {
			return "no line in the log says that 5 tokens were deleted:\n" + s.Stderr.String()
		}
		return ""
	})
	tokens.check(t, s, "kept no longer", 2)
	if token, problem := newClient(t, s.base).newToken(clientID, secret); problem != "" || token == "" {
		t.Errorf("a new token after the purge: %s", problem)
	}
}

// TestPurgeBesideAServer purges while a server runs, which goes on as if nothing
// had happened.
func TestPurgeBesideAServer(t *testing.T) {
	t.Parallel()
	s, ana, clientID, secret, tokens := aged(t)
	tokens.check(t, s, "before", 7)
	web := func(args ...string) result { return command(t, "", append(places(s.dir), args...)...) }
	for _, step := range []struct {
		args []string
		want string
		rows int64
	}{
		{[]string{"purge"}, "0 tokens deleted.\n", 7},
		{[]string{"--keep-issued-tokens", "59m", "purge"}, "5 tokens deleted.\n", 2},
		{[]string{"--keep-issued-tokens", "0s", "purge", "--hurry"}, "0 tokens deleted.\n", 2},
	} {
		if r := web(step.args...); r.code != 0 || r.stdout != step.want || r.stderr != "" {
			t.Errorf("%v: exit code %d %q %q", step.args, r.code, r.stdout, r.stderr)
		}
		tokens.check(t, s, fmt.Sprint(step.args), step.rows)
	}
	if token, problem := newClient(t, s.base).newToken(clientID, secret); problem != "" || token == "" {
		t.Errorf("a new token after the purge: %s", problem)
	}
	if got := ana.get(tokensPage); got.status != 200 || got.path != tokensPage {
		t.Errorf("the session after the purge: %d on %s", got.status, got.path)
	}
}

// TestStatusBesideAServer shows sizes and counts of what a running server holds.
func TestStatusBesideAServer(t *testing.T) {
	t.Parallel()
	s, ana, _, _, tokens := aged(t)
	app := ana.create("Other bot")
	goes := ana.generate(app, "goes")
	ana.deed(goes+"/revoke", nil)
	r := command(t, "", append(places(s.dir), "status")...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit code %d %q", r.code, r.stderr)
	}
	for _, line := range []string{
		`Version +\S+`, `Database +` + regexp.QuoteMeta(databaseOf(s.dir)), `Size +0\.[1-9] MB, of which 0\.\d MB free for what comes`, `Write-ahead log +\d\.\d MB`,
		`Users +1`, `Teams +1`, `Applications +3`, `Resource servers +0`, `Sessions +1`, `Audit events +1?\d`,
		`Tokens, client_credentials +1 active, 5 expired, 0 revoked`, `Tokens, manual +1 active, 0 expired, 1 revoked`,
		`Kept after they end +720h0m0s manual, 24h0m0s client_credentials and temporary`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(r.stdout) {
			t.Errorf("no line like %q in\n%s", line, r.stdout)
		}
	}
	tokens.check(t, s, "after", 8)
}
