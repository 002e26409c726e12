package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// running is a server of this process.
type running struct {
	url  string
	stop func()
}

// firstLine gives the first line that is written.
type firstLine struct {
	once sync.Once
	line chan string
}

func (w *firstLine) Write(p []byte) (int, error) {
	w.once.Do(func() { w.line <- string(p) })
	return len(p), nil
}

func startServer(t *testing.T, env map[string]string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, errs, ended := &firstLine{line: make(chan string, 1)}, &bytes.Buffer{}, make(chan int, 1)
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	go func() { ended <- run(ctx, []string{"web"}, look, strings.NewReader(""), out, errs) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != exitDone {
			t.Errorf("exit %d %s", code, errs)
		}
	})
	t.Cleanup(stop)
	select {
	case line := <-out.line:
		return running{url: regexp.MustCompile(`http://[0-9.:]+`).FindString(line), stop: stop}
	case <-time.After(20 * time.Second):
		t.Fatal("no server")
	}
	return running{}
}

// visitor is a browser of somebody.
type visitor struct{ *http.Client }

func newVisitor(t *testing.T) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{&http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do posts fields, or gets where there are none; it is for any goroutine.
func (v visitor) do(t *testing.T, address string, fields url.Values) (status int, to, body string) {
	t.Helper()
	method, content := http.MethodGet, ""
	if fields != nil {
		method, content = http.MethodPost, fields.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(content))
	if err != nil {
		t.Error(err)
		return 0, "", ""
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.HasSuffix(address, "/reveal") {
		r.Header.Set("Accept", "application/json")
	}
	response, err := v.Do(r)
	if err != nil {
		t.Error(err)
		return 0, "", ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(text)
}

func (v visitor) reveal(t *testing.T, address string) string {
	t.Helper()
	status, _, body := v.do(t, address, url.Values{})
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Errorf("%s: %d %.200s", address, status, body)
	}
	return answer.Value
}

func (v visitor) signIn(t *testing.T, at string) {
	t.Helper()
	if status, _, body := v.do(t, at+"/login", url.Values{"email": {"ana@example.com"}, "password": {"seven gulls over Brest"}}); status != http.StatusSeeOther {
		t.Errorf("signing in: %d %.200s", status, body)
	}
}

// K5: two servers on one database and key file serve while keys rotate runs: who is signed in stays so,
// values show as they were, new ones are made, nobody gets an error, and at the end nothing in the database opens
// with the old key, nor does a server start with it.
func TestKeysRotateBesideServers(t *testing.T) {
	env := madeFolder(t)
	if code, _, stderr := call(t, env, "seven gulls over Brest\n", "user", "add", "--password-stdin", "--name", "Ana", "--team", "Northwind", "--email", "ana@example.com"); code != exitDone {
		t.Fatal(stderr)
	}
	oldFile, err := os.ReadFile(env["LATCHKEY_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	servers := []running{startServer(t, env), startServer(t, env)}
	const apps = views.ApplicationsPath
	ana := newVisitor(t)
	ana.signIn(t, servers[0].url)
	_, to, _ := ana.do(t, servers[0].url+apps, url.Values{"name": {"Bot"}, "lifespan": {"3600"}})
	path, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(path.Path, apps) {
		t.Fatalf("the application is at %q", to)
	}
	secret, temporary := ana.reveal(t, servers[0].url+path.Path+"/secret/reveal"), ana.reveal(t, servers[1].url+views.RevealTemporaryPath)
	if !strings.HasPrefix(secret, secrets.ClientSecretPrefix) || !strings.HasPrefix(temporary, "lk_at_") {
		t.Fatal("no values to begin with")
	}
	done := make(chan struct{})
	var visits sync.WaitGroup
	for i, server := range servers {
		visits.Go(func() {
			for turn := 0; ; turn++ {
				if got := ana.reveal(t, server.url+path.Path+"/secret/reveal"); got != secret {
					t.Error("the secret changed")
				}
				if status, _, _ := ana.do(t, server.url+path.Path+"/tokens", url.Values{"name": {"Token"}}); status != http.StatusSeeOther {
					t.Errorf("no token: %d", status)
				}
				if turn%10 == 0 && turn < 50 {
					newVisitor(t).signIn(t, servers[1-i].url)
				}
				select {
				case <-done:
					return
				case <-time.After(400 * time.Millisecond):
				}
			}
		})
	}
	code, stdout, stderr := call(t, env, "", "keys", "rotate")
	close(done)
	visits.Wait()
	if code != exitDone || !strings.Contains(stdout, "Done. All values are sealed with") || strings.Contains(stdout, "lk_") {
		t.Fatalf("exit %d %s%s", code, stdout, stderr)
	}
	for _, server := range servers {
		if got := ana.reveal(t, server.url+path.Path+"/secret/reveal"); got != secret {
			t.Error("the secret changed")
		}
		if got := ana.reveal(t, server.url+views.RevealTemporaryPath); got != temporary {
			t.Error("the temporary token changed")
		}
	}
	if code, stdout, _ := call(t, env, "", "keys", "rotate"); code != exitDone || !strings.Contains(stdout, "was begun already") {
		t.Errorf("again: exit %d %s", code, stdout)
	}
	if code, stdout, _ := call(t, env, "", "keys", "status"); code != exitDone || strings.Count(stdout, "\nServer") != 2 || !strings.Contains(stdout, "from before") {
		t.Errorf("status: exit %d %s", code, stdout)
	}
	opensNothing(t, env["LATCHKEY_DATABASE"], oldFile)
	for _, server := range servers {
		server.stop()
	}
	if err := os.WriteFile(env["LATCHKEY_KEYS"], oldFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t, env, "", "serve"); code != exitFailed || !strings.Contains(stderr, "the key file "+env["LATCHKEY_KEYS"]+" does not belong to the database") {
		t.Errorf("with the old file: exit %d %s", code, stderr)
	}
}

func opensNothing(t *testing.T, database string, oldFile []byte) {
	t.Helper()
	old, err := secrets.ParseKeys("old", oldFile)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite3", "file:"+database+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	found := 0
	for table, id := range map[string]string{"key_checks": "id", "client_secrets": "id", "tokens": "id", "invitations": "id", "authenticators": "user_id", "webhooks": "team_id"} {
		rows, err := raw.QueryContext(t.Context(), "SELECT "+id+", sealed FROM "+table+" WHERE sealed IS NOT NULL")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var row string
			var sealed []byte
			if err := rows.Scan(&row, &sealed); err != nil {
				t.Fatal(err)
			}
			found++
			if _, err := old.Open(sealed, secrets.Place{Table: table, Column: "sealed", Row: row}); err == nil {
				t.Errorf("%s %s opens with the old key", table, row)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if found < 10 {
		t.Errorf("only %d values", found)
	}
}
