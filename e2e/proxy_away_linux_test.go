package e2e

import (
	"crypto/tls"
	"database/sql"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The dashboard answers through the proxy as it does under https.
func (e *edge) dashboard(t *testing.T) {
	fresh := newClient(t, "https://"+dashboardHost)
	fresh.http.Transport = e.transport(true)
	r := fresh.request(http.MethodGet, "/login", "")
	got := e.send(t, fresh.http, r)
	if hsts := got.header.Values("Strict-Transport-Security"); got.status != 200 || !strings.Contains(got.body, "Sign in") || len(hsts) != 1 || !strings.Contains(hsts[0], "max-age=31536000") {
		t.Errorf("/login: %d, HSTS %q", got.status, hsts)
	}
	post := fresh.request(http.MethodPost, "/login", url.Values{"email": {ownerEmail}, "password": {password}}.Encode())
	post.Header.Set("Origin", "https://"+dashboardHost) // as a browser does
	if got := fresh.do(post); got.path != applications {
		t.Errorf("signing in with an Origin: %d on %s", got.status, got.path)
	}
	base, err := url.Parse(fresh.base)
	must(t, err)
	cookies := fresh.http.Jar.Cookies(base)
	if len(cookies) == 0 || !strings.HasPrefix(cookies[0].Name, "__Host-") {
		t.Errorf("cookies %v", cookies)
	}
}

// C3: TLS 1.2 or newer, no certificate for other names, nothing without TLS.
func (e *edge) onlyModernTLS(t *testing.T) {
	old := e.trust.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	other := e.trust.Clone()
	other.ServerName = "other.example.com"
	for name, config := range map[string]*tls.Config{"TLS 1.1": old, "another name": other} {
		conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", e.around.listen)
		if err == nil || !strings.Contains(err.Error(), "remote error") {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	host, _, _ := net.SplitHostPort(e.around.listen)
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort(host, "80")); err == nil {
		_ = conn.Close()
		t.Error("port 80 answers")
	}
}

func (e *edge) wantClosed(t *testing.T, authorizations ...string) {
	t.Helper()
	for _, authorization := range authorizations {
		begun := time.Now()
		got, reached := e.ask(t, http.MethodGet, "/?canary=in-the-query", authorization)
		if got.status < 500 || len(reached) != 0 || strings.Contains(got.body, "of the API") {
			t.Errorf("%d %q, and the API got %v", got.status, got.body, reached)
		}
		if spent := time.Since(begun); spent > 15*time.Second {
			t.Errorf("the answer took %s", spent)
		}
	}
}

func (e *edge) wantOpenAgain(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		if got, reached := e.ask(t, http.MethodGet, "/", "Bearer "+e.good); got.status != 200 || len(reached) != 1 {
			return "still closed: " + got.body
		}
		return ""
	})
	if got, _ := e.ask(t, http.MethodGet, "/", badToken); got.status != 401 {
		t.Errorf("a bad token: %d", got.status)
	}
}

// A6: who cannot ask does not let through.
func (e *edge) fails(t *testing.T) {
	rename := func(from, to string) {
		withDatabase(t, e.latchkey.dir, func(db *sql.DB) {
			_, err := db.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
			must(t, err)
		})
	}
	rename("tokens", "gone")
	// What it remembers goes with the next word of its feed.
	eventually(t, func() string {
		if got := e.latchkeyAnswers(t); got.status < 500 {
			return fmt.Sprintf("Latchkey without its tokens: %d", got.status)
		}
		return ""
	})
	e.wantClosed(t, "Bearer "+e.good, badToken)
	rename("gone", "tokens")
	e.wantOpenAgain(t)
}

func (e *edge) away(t *testing.T) {
	e.latchkey.Kill()
	e.wantClosed(t, "Bearer "+e.good, badToken, "")
	e.latchkey = e.serve(e.latchkey.dir)
	e.wantOpenAgain(t)
}

func (e *edge) hangs(t *testing.T) {
	func() {
		e.latchkey.Signal(syscall.SIGSTOP)
		defer e.latchkey.Signal(syscall.SIGCONT)
		eventually(t, e.latchkey.halted)
		e.wantClosed(t, "Bearer "+e.good)
	}()
	e.wantOpenAgain(t)
}

// halted waits until the last thread has stopped.
func (s *server) halted() string {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.Cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		return "the program has no threads"
	}
	for _, thread := range threads {
		if stat, err := os.ReadFile(thread); err != nil || !strings.Contains(string(stat), ") T ") {
			return "still runs: " + string(stat)
		}
	}
	return ""
}

// A2: no token, cookie, password, query or body in what the proxy writes, nor
// in what Latchkey does.
func (e *edge) logs(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer " + e.good}, "X-Mine": {"canary-in-a-header"}, "Cookie": {"a=canary-in-a-cookie"}}
	e.ana.get("/calendar/canary-in-a-calendar.ics")
	e.send(t, e.http, e.call(t, http.MethodPost, "/the-path-that-is-logged?canary=in-the-query", "canary-in-the-body", header))
	secrets := map[string]string{
		"a calendar's code": "canary-in-a-calendar",
		"the token":         e.good, "another token": e.wide, "a bad token": strings.TrimPrefix(badToken, "Bearer "), "the password": password,
		"a query": "in-the-query", "a header": "canary-in-a-header", "a cookie": "canary-in-a-cookie", "a body": "canary-in-the-body", "an answer": "canary-in-an-answer",
	}
	base, err := url.Parse(e.ana.base)
	must(t, err)
	for _, cookie := range e.ana.http.Jar.Cookies(base) {
		secrets["the cookie "+cookie.Name] = cookie.Value
	}
	eventually(t, func() string {
		if written := e.written(t); !strings.Contains(written, "/the-path-that-is-logged") || !strings.Contains(written, "/calendar/") {
			return "the request is not in the logs\n" + e.written(t)
		}
		return ""
	})
	written := e.written(t) + e.latchkey.Stderr.String()
	for what, secret := range secrets {
		if strings.Contains(written, secret) || strings.Contains(written, url.QueryEscape(secret)) {
			t.Errorf("%s stands in what was written", what)
		}
	}
}

// written is all that the proxy printed and stored.
func (e *edge) written(t *testing.T) string {
	t.Helper()
	all := e.printed.Said()
	must(t, filepath.WalkDir(e.around.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all += string(content)
		return err
	}))
	return all
}
