package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the program in this process on a folder of its own.
func call(t *testing.T, env map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	code = run(t.Context(), append([]string{"web"}, args...), look, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func folder(t *testing.T) map[string]string {
	dir := t.TempDir()
	return map[string]string{"LATCHKEY_DATABASE": filepath.Join(dir, "data", "latchkey.db"), "LATCHKEY_KEYS": filepath.Join(dir, "data", "keys.json"), "LATCHKEY_ADDR": "127.0.0.1:0"}
}

// madeFolder has a database already.
func madeFolder(t *testing.T) map[string]string {
	t.Helper()
	env := folder(t)
	if code, _, stderr := call(t, env, "", "migrate"); code != exitDone {
		t.Fatal(stderr)
	}
	return env
}

// Commands that need a database make none where the path was mistyped, and those
// which begin with one say that they made it.
func TestCommandsWithoutADatabase(t *testing.T) {
	for _, args := range [][]string{
		{"plan", "list"}, {"plan", "add", "--name", "Free", "--points", "1"}, {"points", "add", "--team", "Northwind", "--points", "1"},
		{"status"}, {"purge"}, {"resource-server", "list"}, {"resource-server", "remove", "--name", "API"}, {"user", "passwd", "--email", "a@example.com", "--password-stdin"},
	} {
		env := folder(t)
		code, stdout, stderr := call(t, env, "plum-Fiddle-84-wharf", args...)
		if code != exitFailed || stdout != "" || !strings.HasPrefix(stderr, "web: there is no database "+env["LATCHKEY_DATABASE"]+": set LATCHKEY_DATABASE") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d %q %q", args, code, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Dir(env["LATCHKEY_DATABASE"])); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: the folder was made, %v", args, err)
		}
	}
	for _, args := range [][]string{
		{"resource-server", "add", "--name", "API"}, {"user", "add", "--email", "a@example.com", "--name", "Ana", "--team", "Northwind", "--password-stdin"},
	} {
		env := folder(t)
		code, _, stderr := call(t, env, "plum-Fiddle-84-wharf", args...)
		if code != exitDone || stderr != "There is no database "+env["LATCHKEY_DATABASE"]+" yet: a new one is made.\n" {
			t.Errorf("%v: exit %d %q", args, code, stderr)
		}
		if _, _, stderr = call(t, env, "", "status"); stderr != "" {
			t.Errorf("%v, then status: %q", args, stderr)
		}
	}
}

// The program goes by the name under which it was built.
func TestProgramName(t *testing.T) {
	for args, want := range map[string]string{"user": "latchkey: say what to do: latchkey user add, latchkey user passwd or latchkey user reset-second-factor\n", "x": "latchkey: there is no command \"x\". Run latchkey --help for what there is\n"} {
		var out, errs bytes.Buffer
		nothing := func(string) (string, bool) { return "", false }
		if code := run(t.Context(), []string{"/usr/local/bin/latchkey", args}, nothing, strings.NewReader(""), &out, &errs); code != exitUsage || errs.String() != want {
			t.Errorf("%s: exit %d %q", args, code, errs.String())
		}
	}
}

func TestWrongSettingsAreReportedAtOnce(t *testing.T) { // C1
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"variables": {
			env: map[string]string{
				"LATCHKEY_ADDR": "8080", "LATCHKEY_BASE_URL": "example.com", "LATCHKEY_MAX_LIFESPAN": "forever", "LATCHKEY_SESSION_IDLE": "1s",
				"LATCHKEY_SESSION_MAX": "-1h", "LATCHKEY_TOKEN_PREFIX": "a b", "LATCHKEY_SCOPES": "api,,x", "LATCHKEY_ALLOW_HTTP": "maybe", "LATCHKEY_LOG": "xml", "LATCHKEY_SIGNUP": "Open",
				"LATCHKEY_TRUSTED_PROXIES": "10.0.0.1", "LATCHKEY_DOCS_URL": "javascript:alert(1)", "LATCHKEY_DATABASE": "mysql://db/latchkey",
				"LATCHKEY_REQUIRE_SECOND_FACTOR": "perhaps", "LATCHKEY_WEBHOOK_PRIVATE": "perhaps",
			},
			want: []string{
				"--addr (LATCHKEY_ADDR): write a host and a port", "--base-url (LATCHKEY_BASE_URL): write the public address", "LATCHKEY_MAX_LIFESPAN): write a time of at least 1m",
				"LATCHKEY_SESSION_IDLE): write a time", "LATCHKEY_SESSION_MAX): write a time", "LATCHKEY_TOKEN_PREFIX): write 1 to 32", "LATCHKEY_SCOPES): write different names",
				"LATCHKEY_ALLOW_HTTP): write true or false", "LATCHKEY_LOG): write text or json", "LATCHKEY_SIGNUP): write open or closed", "LATCHKEY_TRUSTED_PROXIES): write networks", "LATCHKEY_DOCS_URL): write an address",
				"LATCHKEY_DATABASE): write the path of a SQLite file",
				"LATCHKEY_REQUIRE_SECOND_FACTOR): write true or false", "LATCHKEY_WEBHOOK_PRIVATE): write true or false",
			},
		},
		"flags":                     {args: []string{"--addr", "x", "--log", "y"}, want: []string{"--addr", "--log"}},
		"flags beat variables":      {env: map[string]string{"LATCHKEY_LOG": "json"}, args: []string{"--log", "xml"}, want: []string{"--log"}},
		"http off loopback":         {env: map[string]string{"LATCHKEY_ADDR": "0.0.0.0:8080"}, want: []string{"LATCHKEY_ALLOW_HTTP=true"}},
		"http base off loopback":    {env: map[string]string{"LATCHKEY_BASE_URL": "http://account.example.com"}, want: []string{"write an https address"}},
		"trust everybody":           {env: map[string]string{"LATCHKEY_TRUSTED_PROXIES": "0.0.0.0/0"}, want: []string{"name the proxies"}},
		"base with a path":          {env: map[string]string{"LATCHKEY_BASE_URL": "https://example.com/latchkey"}, want: []string{"without a path"}},
		"one wrong and http":        {env: map[string]string{"LATCHKEY_ADDR": "0.0.0.0:8080", "LATCHKEY_LOG": "xml"}, want: []string{"--log", "LATCHKEY_ALLOW_HTTP=true"}},
		"idle longer than all":      {env: map[string]string{"LATCHKEY_SESSION_IDLE": "48h", "LATCHKEY_SESSION_MAX": "24h"}, want: []string{"at least the 48h"}},
		"unknown flag":              {args: []string{"--adr", "x"}, want: []string{"adr"}},
		"unknown command":           {args: []string{"server"}, want: []string{`there is no command "server"`}},
		"unknown flag of a command": {args: []string{"user", "add", "--mail", "x"}, want: []string{"mail"}},
		"user without a deed":       {args: []string{"user"}, want: []string{"web user add, web user passwd or web user reset-second-factor"}},
		"no password on stdin":      {args: []string{"user", "add", "--email", "a@example.com"}, want: []string{"--password-stdin"}},
		"unknown role":              {args: []string{"user", "add", "--password-stdin", "--role", "admin"}, want: []string{"--role: write owner, developer or viewer"}},
		"every field of an account": {args: []string{"user", "add", "--password-stdin", "--email", "a"}, want: []string{"--email: Enter", "--name: Enter", "--team: Enter", "password: Use at least 12"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := folder(t)
			delete(env, "LATCHKEY_ADDR")
			for key, value := range test.env {
				env[key] = value
			}
			code, stdout, stderr := call(t, env, "", test.args...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit %d, stdout %q", code, stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("no %q in\n%s", want, stderr)
				}
			}
			if len(test.want) > 0 && strings.HasPrefix(name, "var") && strings.Count(stderr, "\n") != len(test.want) {
				t.Errorf("%d lines, want %d:\n%s", strings.Count(stderr, "\n"), len(test.want), stderr)
			}
		})
	}
}

func TestUserCommands(t *testing.T) {
	env := folder(t)
	add := []string{"user", "add", "--password-stdin", "--name", "Ana Ruiz", "--team", "Northwind"}
	if code, stdout, stderr := call(t, env, "seven gulls over Brest\n", append(add, "--email", "ana@example.com")...); code != exitDone || stdout != "Added ana@example.com to Northwind.\n" {
		t.Fatalf("exit %d %q %q", code, stdout, stderr)
	}
	for name, test := range map[string]struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		"same email":        {"seven gulls over Brest", append(add, "--email", "ANA@example.com"), exitFailed, "--email: An account with this email exists already."},
		"leaked password":   {"passwordpassword", append(add, "--email", "b@example.com"), exitUsage, "password: "},
		"short password":    {"short", append(add, "--email", "b@example.com"), exitUsage, "password: Use at least 12 characters."},
		"viewer of nothing": {"seven gulls over Brest", []string{"user", "add", "--password-stdin", "--name", "V", "--team", "New", "--role", "viewer", "--email", "v@example.com"}, exitFailed, "--role: There is no team New yet"},
		"unknown account":   {"seven gulls over Brest", []string{"user", "passwd", "--password-stdin", "--email", "who@example.com"}, exitFailed, "there is no account with the email who@example.com"},
	} {
		code, stdout, stderr := call(t, env, test.stdin, test.args...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d %q %q", name, code, stdout, stderr)
		}
	}
	if code, stdout, _ := call(t, env, "eight gulls over Brest\n", "user", "passwd", "--password-stdin", "--email", "ana@example.com"); code != exitDone || !strings.Contains(stdout, "sessions were ended") {
		t.Errorf("passwd: exit %d %q", code, stdout)
	}
	if code, stdout, _ := call(t, env, "", "migrate"); code != exitDone || !strings.Contains(stdout, "is up to date") {
		t.Errorf("migrate: exit %d %q", code, stdout)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"user", "add", "--help"}, {"migrate", "--help"}} {
		code, stdout, stderr := call(t, nil, "", args...)
		if code != exitDone || !strings.Contains(stdout, "USAGE") || stderr != "" {
			t.Errorf("%v: exit %d %q %q", args, code, stdout, stderr)
		}
	}
	_, help, _ := call(t, nil, "", "--help")
	for _, s := range settings {
		if !strings.Contains(help, "--"+s.name) || !strings.Contains(help, s.variable()) {
			t.Errorf("--help does not name %s and %s", s.name, s.variable())
		}
	}
	if code, stdout, _ := call(t, nil, "", "version"); code != exitDone || !strings.HasPrefix(stdout, "latchkey ") {
		t.Errorf("version: exit %d %q", code, stdout)
	}
}

// The first start makes everything, prints one line with the setup address,
// and stops cleanly; the second finds it all.
func TestServeStartsAndStops(t *testing.T) {
	env := folder(t)
	for i, want := range []string{"Latchkey is new here. Make the first account: http://127.0.0.1:", "Latchkey is new here."} {
		ctx, stop := context.WithCancel(t.Context())
		var out lineWriter
		out.onLine = stop
		var errs bytes.Buffer
		look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
		if code := run(ctx, []string{"web"}, look, strings.NewReader(""), &out, &errs); code != exitDone {
			t.Fatalf("start %d: exit %d %s", i, code, errs.String())
		}
		if !strings.HasPrefix(out.text, want) || strings.Count(out.text, "\n") != 1 {
			t.Errorf("start %d printed %q", i, out.text)
		}
		stop()
	}
}

// lineWriter stops the server as soon as it says that it serves.
type lineWriter struct {
	text   string
	onLine func()
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.text += string(p)
	w.onLine()
	return len(p), nil
}
