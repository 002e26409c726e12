package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey/latchkey/e2e/harness"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// program is a process that serves.
type program struct {
	*harness.Process
	url string
}

// build builds a package of this module.
func build(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(pkg))
	if err := harness.Build(path, pkg); err != nil {
		t.Fatal(err)
	}
	return path
}

// serving is what programs log once they serve.
var serving = regexp.MustCompile(` address=(\S+)\s`)

// start starts a program and waits until it serves.
func start(t *testing.T, path string, env ...string) *program {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), path)
	cmd.Env = env
	p := &program{Process: harness.Start(t, cmd)}
	harness.Eventually(t, func() string {
		found := serving.FindStringSubmatch(p.Said())
		if found == nil {
			return "it does not serve: " + p.Said()
		}
		p.url = "http://" + found[1]
		return ""
	})
	return p
}

func post(t *testing.T, base, path string, form url.Values) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %v", path, response.StatusCode, body, err)
	}
	return body
}

// Promise 2 with real processes: two Latchkeys on one file and the example's API, which follows
// the first: revoke on the second, freeze the first, end it and start it again.
func TestProcesses(t *testing.T) {
	latchkey := build(t, harness.Latchkey)
	dir := t.TempDir()
	env := []string{"LATCHKEY_DATABASE=" + filepath.Join(dir, "latchkey.db"), "LATCHKEY_KEYS=" + filepath.Join(dir, "keys.json"), "LATCHKEY_ADDR=127.0.0.1:0"}
	first := start(t, latchkey, env...)
	second := start(t, latchkey, env...)
	out, err := func() ([]byte, error) {
		add := exec.CommandContext(t.Context(), latchkey, "resource-server", "add", "--name", "Orders")
		add.Env = append(os.Environ(), env...)
		return add.Output()
	}()
	if err != nil {
		t.Fatal(err)
	}
	id, secret, _ := strings.Cut(strings.TrimPrefix(string(bytes.TrimSpace(out)), "client_id="), "\nclient_secret=")
	application := realApplication(t, filepath.Join(dir, "latchkey.db"))
	example := start(t, build(t, "./example"), "LATCHKEY_URL="+first.url, "LATCHKEY_CLIENT_ID="+id, "LATCHKEY_CLIENT_SECRET="+secret, "ADDR=127.0.0.1:0")
	issue := func() string {
		form := url.Values{"grant_type": {"client_credentials"}}
		for name, values := range application {
			form[name] = values
		}
		return fmt.Sprint(post(t, second.url, "/oauth2/token", form)["access_token"])
	}
	revoke := func(value string) {
		form := url.Values{"token": {value}}
		for name, values := range application {
			form[name] = values
		}
		post(t, second.url, "/oauth2/revoke", form)
	}
	ask := func(value string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, example.url+"/orders", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+value)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	good := func(value string) func() bool { return func() bool { return ask(value) == http.StatusOK } }

	var worst time.Duration
	for range 20 {
		value := issue()
		within(t, "good", 10*time.Second, good(value))
		revoke(value)
		worst = max(worst, within(t, "refused", promised, func() bool { return ask(value) == http.StatusUnauthorized }))
	}
	t.Logf("revoked on the other process: worst of 20 %s", worst)

	value, other := issue(), issue()
	within(t, "good", 10*time.Second, good(value))
	within(t, "good", 10*time.Second, good(other))
	first.Signal(syscall.SIGSTOP)
	revoke(value)
	end := time.Now().Add(promised)
	for time.Now().Before(end) {
		time.Sleep(time.Millisecond)
	}
	if got := ask(value); got == http.StatusOK {
		t.Errorf("with the first process frozen: %d", got)
	}
	first.Signal(syscall.SIGCONT)
	within(t, "good again", 15*time.Second, good(other))
	if got := ask(value); got != http.StatusUnauthorized {
		t.Errorf("what was revoked meanwhile: %d", got)
	}

	address := strings.TrimPrefix(first.url, "http://")
	began := time.Now()
	first.Stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the open stream holds up the stop: %s", took)
	}
	within(t, "unavailable", promised, func() bool { return ask(other) == http.StatusServiceUnavailable })
	start(t, latchkey, append(env, "LATCHKEY_ADDR="+address)...)
	within(t, "good again", 15*time.Second, good(other))
}

// realApplication adds an application to a database that is served.
func realApplication(t *testing.T, path string) url.Values {
	t.Helper()
	now := func() models.Time { return models.At(time.Now()) }
	opened, err := store.Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	db := &storetest.DB{Store: opened, Path: path}
	db.Until(now())
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	value := secrets.NewClientSecret()
	app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: "Bot", ClientID: store.NewID(), Lifespan: 3600, Scopes: "api"}
	secret := models.ClientSecret{ID: store.NewID(), Hash: secrets.Hash(value), Sealed: []byte("sealed"), Last4: value.Last4()}
	if _, err := db.CreateApplication(t.Context(), ana, app, secret, ""); err != nil {
		t.Fatal(err)
	}
	return url.Values{"client_id": {app.ClientID}, "client_secret": {value.Reveal()}}
}
