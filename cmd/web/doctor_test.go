package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/latchkey/latchkey/mail/mailtest"
	"github.com/latchkey/latchkey/store"
)

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// consult runs the doctor, and wants it to change nothing.
func consult(t *testing.T, env map[string]string, args ...string) (code int, says string) {
	t.Helper()
	before := filesIn(t, env)
	code, stdout, stderr := call(t, env, "", append([]string{"doctor"}, args...)...)
	if after := filesIn(t, env); !maps.Equal(before, after) {
		t.Errorf("files before %v and after %v", before, after)
	}
	if bad := strings.Contains(stdout, `wrong    `) || strings.Contains(stdout, `"wrong"`); bad != (code == exitFailed) || bad != strings.Contains(stderr, "found something wrong: see above") {
		t.Errorf("exit %d with\n%s%s", code, stdout, stderr)
	}
	return code, stdout
}

// filesIn leaves the index of the write-ahead log out: it belongs to connections.
func filesIn(t *testing.T, env map[string]string) map[string]string {
	t.Helper()
	files := map[string]string{}
	root := env["LATCHKEY_DATABASE"]
	if store.IsPostgres(root) {
		root = env["LATCHKEY_KEYS"]
	}
	err := filepath.WalkDir(filepath.Dir(filepath.Dir(root)), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-shm") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files[path] = info.Mode().String()
		if entry.Type().IsRegular() {
			text, err := os.ReadFile(path)
			files[path] += fmt.Sprintf(" %x", sha256.Sum256(text))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wants(t *testing.T, says string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+says, "\n"+line) {
			t.Errorf("no line %q in\n%s", line, says)
		}
	}
}

// A new set-up is not wrong, and the doctor does not begin it.
func TestDoctorBeforeTheFirstStart(t *testing.T) {
	env := folder(t)
	env["LATCHKEY_ADDR"] = freeAddr(t)
	code, says := consult(t, env)
	if code != exitDone {
		t.Error(code)
	}
	wants(t, says, "ok       settings: ", "warning  key file: there is no ", "warning  folder: there is no ", "warning  database: there is no ", "ok       listen address: "+env["LATCHKEY_ADDR"]+" is free", "warning  base URL: nothing listens")
}

func TestDoctorBesideAServer(t *testing.T) {
	env := madeFolder(t)
	env["LATCHKEY_ADDR"] = freeAddr(t)
	_, says := consult(t, env)
	wants(t, says, "ok       key file: ", "ok       folder: ", "ok       disk: ", "ok       database: "+env["LATCHKEY_DATABASE"]+" is sound", "ok       database: it is at version", "ok       database: the keys belong to it", "ok       listen address: ")
	ctx, stop := context.WithCancel(t.Context())
	serving, ended := make(chan struct{}), make(chan int)
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	out := &lineWriter{onLine: func() { close(serving) }}
	go func() { ended <- run(ctx, []string{"web"}, look, strings.NewReader(""), out, &strings.Builder{}) }()
	<-serving
	_, says = consult(t, env)
	wants(t, says, "ok       database: "+env["LATCHKEY_DATABASE"]+" is sound", "ok       listen address: "+env["LATCHKEY_ADDR"]+" is served by Latchkey", "ok       base URL: http://"+env["LATCHKEY_ADDR"]+" leads to Latchkey")
	if code, stdout, stderr := call(t, env, "", "health"); code != exitDone || stdout != "Latchkey serves at "+env["LATCHKEY_ADDR"]+".\n" {
		t.Errorf("health: exit %d %q %q", code, stdout, stderr)
	}
	if code, stdout, stderr := call(t, env, "", "health", "--ready"); code != exitDone || stdout != "Latchkey is ready at http://"+env["LATCHKEY_ADDR"]+".\n" {
		t.Errorf("health --ready: exit %d %q %q", code, stdout, stderr)
	}
	elsewhere := maps.Clone(env)
	elsewhere["LATCHKEY_BASE_URL"] = "http://localhost:1"
	_, says = consult(t, elsewhere)
	wants(t, says, "wrong    listen address: "+env["LATCHKEY_ADDR"]+" is served by the Latchkey of http://"+env["LATCHKEY_ADDR"], "warning  base URL: nothing listens")
	stop()
	if code := <-ended; code != exitDone {
		t.Errorf("exit %d", code)
	}
	if code, _, stderr := call(t, env, "", "health"); code != exitFailed || !strings.HasPrefix(stderr, "web: nothing serves at "+env["LATCHKEY_ADDR"]) {
		t.Errorf("health after the end: exit %d %q", code, stderr)
	}
}

// K4, C1: what would stop a start is found, with what to do.
func TestDoctorFindsWhatIsWrongWithFiles(t *testing.T) {
	change := func(path string, do func(path string) error) func(*testing.T, map[string]string) {
		return func(t *testing.T, env map[string]string) {
			if err := do(env[path]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, map[string]string)
		want  string
	}{
		"key file open to others": {change("LATCHKEY_KEYS", func(p string) error { return os.Chmod(p, 0o644) }), "wrong    key file: key file "},
		"key file missing":        {change("LATCHKEY_KEYS", os.Remove), "wrong    key file: key file "},
		"key file of another database": {func(t *testing.T, env map[string]string) {
			if err := os.Rename(madeFolder(t)["LATCHKEY_KEYS"], env["LATCHKEY_KEYS"]); err != nil {
				t.Fatal(err)
			}
		}, "wrong    database: the key file "},
		"database open to others": {change("LATCHKEY_DATABASE", func(p string) error { return os.Chmod(p, 0o640) }), "wrong    folder: others can use "},
		"folder open to others":   {change("LATCHKEY_DATABASE", func(p string) error { return os.Chmod(filepath.Dir(p), 0o777) }), "wrong    folder: others may replace "},
		"folder seen by others":   {change("LATCHKEY_DATABASE", func(p string) error { return os.Chmod(filepath.Dir(p), 0o755) }), "warning  folder: others may see "},
		"no database": {change("LATCHKEY_DATABASE", func(p string) error {
			return os.WriteFile(p, []byte(strings.Repeat("no database ", 100)), 0o600)
		}), "wrong    database: the database "},
		"a folder": {change("LATCHKEY_DATABASE", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }), "wrong    database: the database "},
		"clock set back": {change("LATCHKEY_DATABASE", func(p string) error {
			return os.Chtimes(p, time.Time{}, time.Now().Add(time.Hour))
		}), "wrong    database: it was written to at "},
	} {
		t.Run(name, func(t *testing.T) {
			env := madeFolder(t)
			env["LATCHKEY_ADDR"] = freeAddr(t)
			test.spoil(t, env)
			_, says := consult(t, env)
			wants(t, says, test.want)
		})
	}
}

func TestDoctorFindsWhatIsWrongWithAddresses(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	secured := httptest.NewTLSServer(http.NotFoundHandler())
	defer secured.Close()
	_, name, _ := strings.Cut(other.URL, "//")
	for title, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"another program": {map[string]string{"LATCHKEY_ADDR": name}, []string{"wrong    listen address: another program answers at " + name, "wrong    base URL: " + other.URL + " answers 404 and is not Latchkey"}},
		"unknown certificate": {map[string]string{"LATCHKEY_BASE_URL": secured.URL}, []string{
			"wrong    base URL: " + secured.URL + " cannot be reached: its certificate comes from an authority", "warning  trusted proxies: everybody comes from",
		}},
		"no TLS":          {map[string]string{"LATCHKEY_BASE_URL": "https://" + name}, []string{"wrong    base URL: https://" + name + " cannot be reached: ", "warning  trusted proxies: everybody comes from the address of the proxy"}},
		"TLS of its own":  {map[string]string{"LATCHKEY_BASE_URL": secured.URL, "LATCHKEY_ADDR": strings.TrimPrefix(secured.URL, "https://"), "LATCHKEY_TLS_CERT": "c.pem", "LATCHKEY_TLS_KEY": "k.pem"}, []string{"warning  listen address: " + strings.TrimPrefix(secured.URL, "https://") + " speaks TLS, and who that is", "wrong    base URL: " + secured.URL + " cannot be reached: its certificate comes from an authority that this machine does not know. Add that authority", "ok       trusted proxies: none"}},
		"unknown name":    {map[string]string{"LATCHKEY_BASE_URL": "https://nowhere.invalid"}, []string{"wrong    base URL: no name server knows nowhere.invalid"}},
		"in the clear":    {map[string]string{"LATCHKEY_BASE_URL": "http://nowhere.invalid", "LATCHKEY_ALLOW_HTTP": "true"}, []string{"warning  base URL: http://nowhere.invalid sends passwords"}},
		"wide proxies":    {map[string]string{"LATCHKEY_TRUSTED_PROXIES": "8.0.0.0/8,127.0.0.0/8"}, []string{"warning  trusted proxies: 8.0.0.0/8 holds more", "ok       trusted proxies: "}},
		"proxy elsewhere": {map[string]string{"LATCHKEY_TRUSTED_PROXIES": "10.1.2.3/32"}, []string{"warning  trusted proxies: Latchkey listens on 127.0.0.1"}},
		"upstreams": {map[string]string{"LATCHKEY_UPSTREAMS": "/a=" + other.URL + " /b=" + secured.URL + " /c=http://127.0.0.1:1"}, []string{
			"ok       upstreams: /a, " + other.URL + " can be reached", "wrong    upstreams: /b, " + secured.URL + ": its certificate", "wrong    upstreams: /c, http://127.0.0.1:1: ",
		}},
		"provider": {map[string]string{"LATCHKEY_OIDC_ISSUER": other.URL, "LATCHKEY_OIDC_CLIENT_ID": "x", "LATCHKEY_OIDC_CLIENT_SECRET": "canary"}, []string{"wrong    OpenID provider: " + other.URL + ": the OpenID provider cannot be used: 404"}},
		"any port": {map[string]string{"LATCHKEY_ADDR": "127.0.0.1:0"}, []string{"warning  listen address: 127.0.0.1:0 means another port"}},
		"settings": {map[string]string{"LATCHKEY_LOG": "xml", "LATCHKEY_ADDR": "8080"}, []string{"wrong    settings: --addr (LATCHKEY_ADDR): write a host", "wrong    settings: --log (LATCHKEY_LOG): write text or json"}},
	} {
		t.Run(title, func(t *testing.T) {
			env := madeFolder(t)
			env["LATCHKEY_ADDR"] = freeAddr(t)
			maps.Copy(env, test.env)
			_, says := consult(t, env)
			wants(t, says, test.want...)
			if strings.Contains(says, "canary") {
				t.Error(says)
			}
		})
	}
}

// A2: the mail server's password is tried and not shown; no mail goes out.
func TestDoctorAndMail(t *testing.T) {
	server := (&mailtest.Server{Auth: true, TLS: true}).Start(t, "")
	env := madeFolder(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, server.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	env["LATCHKEY_SMTP_URL"], env["LATCHKEY_SMTP_CA"] = server.URL(), ca
	_, says := consult(t, env)
	wants(t, says, "ok       mail server: smtp://"+server.Addr+" answers (STARTTLS), and lets Latchkey sign in; no mail was sent")
	env["LATCHKEY_SMTP_URL"] = "smtp://latchkey:canary@" + server.Addr + "?from=a@example.com&starttls=required"
	_, says = consult(t, env)
	wants(t, says, "wrong    mail server: smtp://"+server.Addr+": the mail server refused the user and password")
	server.Stop()
	_, gone := consult(t, env)
	wants(t, gone, "wrong    mail server: smtp://"+server.Addr+": the mail server cannot be used")
	if strings.Contains(says+gone, "canary") {
		t.Error(says + gone)
	}
	server.None(t)
}

func TestDoctorInJSON(t *testing.T) {
	env := madeFolder(t)
	env["LATCHKEY_SIGNUP"] = "perhaps"
	_, says := consult(t, env, "--json")
	var found []finding
	if err := json.Unmarshal([]byte(says), &found); err != nil || !slices.Contains(found, finding{wrong, "settings", "--signup (LATCHKEY_SIGNUP): write open or closed"}) {
		t.Errorf("%v in %s", err, says)
	}
}

// What another server has said stays on its line.
func TestOneLine(t *testing.T) {
	if got := oneLine("a\nwrong    b\x1b[31m\u202e" + string([]byte{0xff})); strings.ContainsAny(got, "\n\x1b\u202e") || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	if got := oneLine(strings.Repeat("é", 1000)); len(got) > longestFinding+len("…") {
		t.Errorf("%d bytes", len(got))
	}
}
