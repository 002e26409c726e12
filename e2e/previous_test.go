package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

// buildPrevious builds the version before this one, whose commit stands in
// migrations/previous, from the history of the repository. The source stays where it is: the
// compiler's cache goes by the folder.
func buildPrevious(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "migrations", "previous"))
	must(t, err)
	commit := strings.TrimSpace(string(text))
	cache, err := os.UserCacheDir()
	must(t, err)
	source, program := filepath.Join(cache, "latchkey-e2e", commit), filepath.Join(t.TempDir(), "previous")
	if _, err := os.Stat(source); err != nil {
		checkOut(t, commit, source)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/web")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the version before this one in %s: %v\n%s", source, err, out)
	}
	return program
}

// checkOut makes a folder of a commit, whole or not at all.
func checkOut(t testing.TB, commit, folder string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(folder), 0o700))
	dir, err := os.MkdirTemp(filepath.Dir(folder), ".making-*")
	must(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	archive := filepath.Join(dir, "previous.tar")
	// The checkout may belong to another user.
	git := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "archive", "--output", archive, "--prefix", "source/", commit)
	git.Dir = ".."
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("the version before this one, commit %s of migrations/previous, is not in the history here: run git fetch --unshallow, or git fetch origin %s: %v\n%s", commit, commit, err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	// Another run may have been faster.
	if err := os.Rename(filepath.Join(dir, "source"), folder); err != nil {
		_, err := os.Stat(folder)
		must(t, err)
	}
}

// at is the same person, with the same session, at another program on the same data.
func (c *client) at(s *server) *client {
	same := *c
	same.base = s.base
	return &same
}

// soonEverywhere is how soon what is done at one program counts at another.
const soonEverywhere = time.Second

// wantSoon waits for a verdict on a token. No question that is asked a second after what
// happened may get the old answer, however long the machine takes for it.
func (c *client) wantSoon(token string, want int) {
	c.t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		asked := time.Since(begun)
		status, _ := c.verify(token)
		if status == want {
			return
		}
		if asked > soonEverywhere {
			c.t.Errorf("at %s: %d after %s, want %d", c.base, status, asked, want)
			return
		}
	}
}

// The version before this one serves on while this one migrates its database, then both serve
// side by side and each sees what the other does; then the old one goes, and nothing is lost.
func TestThePreviousVersionServesBeside(t *testing.T) {
	previous, upstream, dir := buildPrevious(t), gatewaytest.New(t), t.TempDir()
	args := []string{"--upstreams", "/v1=" + upstream.URL, "--webhook-private", "true"}
	add := exec.CommandContext(t.Context(), previous, append(places(dir), "user", "add", "--email", ownerEmail, "--name", "Ana Ruiz", "--team", "Northwind", "--role", "owner", "--password-stdin")...)
	if r := finish(t, add, password); r.code != 0 {
		t.Fatalf("user add: exit code %d\n%s", r.code, r.stderr)
	}
	old := startProgram(t, previous, dir, args...)
	anaOld := signIn(t, old, ownerEmail)
	app := anaOld.create("Price feed")
	clientID, secret := anaOld.clientIDOf(app), anaOld.reveal(app+"/secret")
	manual := anaOld.reveal(anaOld.generate(app, "laptop"))
	traffic := begin(t, anaOld, clientID, secret)
	traffic.atLeast(5)

	today := startIn(t, dir, args...)
	ana := anaOld.at(today)
	traffic.atLeast(traffic.count() + 20)
	earlier := traffic.end()
	for _, token := range append(earlier[:5:5], manual) {
		ana.wantGood(token)
		anaOld.wantGood(token)
	}
	bothServe(t, anaOld, ana)
	eachSeesTheOther(t, anaOld, ana)
	eachSeesTheOther(t, ana, anaOld)

	calls := 0
	for _, base := range []string{old.base, today.base, old.base, today.base} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/orders", nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+manual)
		if got := ana.do(r); got.status != http.StatusOK {
			t.Errorf("a call at %s: %d %s", base, got.status, got.body)
		}
		calls++
	}
	old.Stop()
	for _, token := range append(earlier, manual) {
		ana.wantGood(token)
	}
	if got := ana.get(applications); !strings.Contains(got.body, "Price feed") {
		t.Errorf("the page lacks the application: %d", got.status)
	}
	today.Stop()
	if n := number(t, dir, "SELECT SUM(requests) FROM usage_hours"); n != int64(calls) {
		t.Errorf("%d calls are counted, want %d", n, calls)
	}
	if r := command(t, "", append(places(dir), "audit", "verify")...); r.code != 0 {
		t.Errorf("audit verify: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for name, s := range map[string]*server{"previous": old, "today's": today} {
		if strings.Contains(s.Stderr.String(), "level=ERROR") {
			t.Errorf("the %s log:\n%s", name, s.Stderr)
		}
	}
}

// bothServe looks at pages of both in one session.
func bothServe(t *testing.T, old, today *client) {
	t.Helper()
	for _, page := range []string{applications, tokensPage, "/user/team", "/user/audit", "/user/usage", "/user/profile", "/user/explorer"} {
		a, b := old.get(page), today.get(page)
		if a.status != http.StatusOK || b.status != http.StatusOK || a.path != b.path {
			t.Errorf("%s: the previous version answers %d on %s, today's %d on %s", page, a.status, a.path, b.status, b.path)
		}
	}
}

// eachSeesTheOther does things at one and looks at the other.
func eachSeesTheOther(t *testing.T, here, there *client) {
	t.Helper()
	name := "Made at " + addrOf(here.base)
	app := here.create(name)
	if got := there.get(app); got.status != http.StatusOK || !strings.Contains(got.body, name) {
		t.Errorf("%s is not seen: %d", name, got.status)
	}
	clientID, secret := here.clientIDOf(app), there.reveal(app+"/secret")
	var issued []string
	for _, at := range []*client{here, there, here, there} {
		token, problem := at.newToken(clientID, secret)
		if problem != "" {
			t.Fatal(problem)
		}
		issued = append(issued, token)
	}
	for _, token := range issued {
		here.wantSoon(token, http.StatusOK)
		there.wantSoon(token, http.StatusOK)
	}
	here.post("/oauth2/revoke", url.Values{"token": {issued[0]}, "client_id": {clientID}, "client_secret": {secret}})
	here.wantSoon(issued[0], http.StatusUnauthorized)
	there.wantSoon(issued[0], http.StatusUnauthorized)
	here.deed(app+"/revoke", nil)
	for _, token := range issued {
		there.wantSoon(token, http.StatusUnauthorized)
	}
	token, problem := there.newToken(clientID, secret)
	if problem != "" {
		t.Fatal(problem)
	}
	here.wantSoon(token, http.StatusOK)
}

// traffic issues and verifies tokens all the while.
type traffic struct {
	t      *testing.T
	over   atomic.Bool
	done   sync.WaitGroup
	tokens []string
	issued atomic.Int64
	failed atomic.Pointer[string]
}

func begin(t *testing.T, c *client, clientID, secret string) *traffic {
	t.Helper()
	run := &traffic{t: t}
	t.Cleanup(run.stop)
	run.done.Go(func() {
		for !run.over.Load() {
			token, problem := c.newToken(clientID, secret)
			if status, _ := c.verify(token); problem != "" || status != http.StatusOK {
				text := fmt.Sprintf("while the database is migrated: %q, verify %d", problem, status)
				run.failed.Store(&text)
				return
			}
			run.tokens = append(run.tokens, token)
			run.issued.Add(1)
		}
	})
	return run
}

func (r *traffic) stop() {
	r.over.Store(true)
	r.done.Wait()
}

func (r *traffic) count() int64 { return r.issued.Load() }

// atLeast waits until so many tokens were issued.
func (r *traffic) atLeast(n int64) {
	r.t.Helper()
	eventually(r.t, func() string {
		if text := r.failed.Load(); text != nil {
			r.t.Fatal(*text)
		}
		if r.count() < n {
			return fmt.Sprintf("%d tokens, want %d", r.count(), n)
		}
		return ""
	})
}

// end returns all tokens.
func (r *traffic) end() []string {
	r.t.Helper()
	r.stop()
	if text := r.failed.Load(); text != nil {
		r.t.Fatal(*text)
	}
	return r.tokens
}
