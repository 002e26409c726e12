package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	on := func(args ...string) []string { return append(places(dir), args...) }
	add := func(email, team string, more ...string) []string {
		return append(on("user", "add", "--email", email, "--name", "Ana Ruiz", "--team", team, "--password-stdin"), more...)
	}
	passwd := func(email string) []string { return on("user", "passwd", "--email", email, "--password-stdin") }
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		code  int
		says  string // on stdout for code 0, else on stderr
	}{
		{"version", []string{"version"}, "", 0, "latchkey "},
		{"help", []string{"--help"}, "", 0, "LATCHKEY_SESSION_IDLE"},
		{"help of a command", []string{"user", "add", "--help"}, "", 0, "--password-stdin"},
		{"migrate a new database", on("migrate"), "", 0, databaseOf(dir) + " is up to date"},
		{"migrate again", on("migrate"), "", 0, "up to date"},
		{"viewer of a team that does not exist", add(ownerEmail, "Northwind", "--role", "viewer"), password, 1, "--role: There is no team Northwind yet"},
		{"short password", add(ownerEmail, "Northwind"), "short", 2, "at least 12 characters"},
		{"no password", add(ownerEmail, "Northwind"), "", 2, "password"},
		{"common password", add(ownerEmail, "Northwind"), "password1234", 2, "password"},
		{"unknown role", add(ownerEmail, "Northwind", "--role", "king"), password, 2, "owner, developer or viewer"},
		{"first of a team", add(ownerEmail, "Northwind"), password + "\n", 0, "Added " + ownerEmail + " to Northwind."},
		{"viewer", add(viewerEmail, "Northwind", "--role", "viewer"), password + "\r\n", 0, "Added " + viewerEmail},
		{"email taken", add("ANA@Northwind.example", "Northwind"), password, 1, "An account with this email exists already"},
		{"everything missing", on("user", "add", "--password-stdin"), password, 2, "--email: "},
		{"password not from stdin", on("user", "add", "--email", "x@y.example", "--name", "X", "--team", "Y"), "", 2, "add --password-stdin"},
		{"passwd", passwd(ownerEmail), password, 0, "The password of " + ownerEmail + " was set"},
		{"passwd of nobody", passwd("nobody@northwind.example"), password, 1, "no account with the email"},
		{"passwd too short", passwd(ownerEmail), "short", 2, "at least 12 characters"},
		{"user", on("user"), "", 2, "latchkey user add"},
		{"unknown command", []string{"nonsense"}, "", 2, "--help"},
		{"unknown flag", []string{"--nonsense"}, "", 2, "--help"},
		{"serve with a word too many", []string{"serve", "now"}, "", 2, "now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := command(t, c.stdin, c.args...)
			if r.code != c.code {
				t.Errorf("exit code %d, want %d", r.code, c.code)
			}
			said, silent := r.stdout, r.stderr
			if c.code != 0 {
				said, silent = r.stderr, r.stdout
			}
			if !strings.Contains(said, c.says) || silent != "" {
				t.Errorf("want %q, got\nstdout: %s\nstderr: %s", c.says, r.stdout, r.stderr)
			}
			if strings.Contains(r.stdout+r.stderr, password) {
				t.Error("the password is repeated")
			}
		})
	}
}

// TestWrongSettings reports every wrong setting at once, each with what to
// write instead, whether it came as a flag or as a variable.
func TestWrongSettings(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, append(places(dir), "--addr", "nowhere", "--scopes", `a"b`, "--trusted-proxies", "0.0.0.0/0", "--session-idle", "5")...)
	cmd.Env = []string{"LATCHKEY_LOG=xml", "LATCHKEY_MAX_LIFESPAN=1s", "LATCHKEY_BASE_URL=ftp://x", "LATCHKEY_TOKEN_PREFIX=a b", "LATCHKEY_DOCS_URL="}
	r := finish(t, cmd, "")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	wrong := []string{"addr", "base-url", "token-prefix", "scopes", "max-lifespan", "session-idle", "trusted-proxies", "log"}
	if r.code != 2 || len(lines) != len(wrong) {
		t.Errorf("exit code %d with %d lines, want 2 with %d\n%s", r.code, len(lines), len(wrong), r.stderr)
	}
	for _, name := range wrong {
		variable := "LATCHKEY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if !strings.Contains(r.stderr, "--"+name+" ("+variable+"): ") {
			t.Errorf("no line about %s:\n%s", name, r.stderr)
		}
	}
	if left := sums(t, dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	r = command(t, "", append(places(dir), "--addr", "0.0.0.0:0")...)
	if r.code != 2 || !strings.Contains(r.stderr, "LATCHKEY_ALLOW_HTTP") {
		t.Errorf("off loopback without https: exit code %d, %s", r.code, r.stderr)
	}
}

// TestPasswdEndsSessions sets a password while the program runs.
func TestPasswdEndsSessions(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	const renewed = "another horse 9 charger"
	if r := command(t, renewed, append(places(s.dir), "user", "passwd", "--email", ownerEmail, "--password-stdin")...); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if got := ana.get(applications); got.path != "/login" {
		t.Errorf("the session goes on after a new password: %s", got.path)
	}
	got := ana.post("/login", map[string][]string{"email": {ownerEmail}, "password": {password}})
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("the password before: %d, want 422", got.status)
	}
	ana.deed("/login", map[string][]string{"email": {ownerEmail}, "password": {renewed}})
}
