package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// C1, A2: a mail server that is written wrong stops the start with one line, which does
// not hold the password.
func TestBadMailSettings(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for variable, value := range map[string]string{
		"LATCHKEY_SMTP_URL": "smtp://latchkey:hunter2-canary@mail.example.com", "LATCHKEY_SMTP_CA": none,
	} {
		env := folder(t)
		env[variable] = value
		code, stdout, stderr := call(t, env, "", "serve")
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, variable) || strings.Contains(stderr, "canary") {
			t.Errorf("%s: exit %d %q %q", variable, code, stdout, stderr)
		}
	}
	env := folder(t)
	env["LATCHKEY_SMTP_URL"], env["LATCHKEY_SMTP_CA"] = "smtp://latchkey:hunter2-canary%zz@mail.example.com?from=a@example.com", empty
	if code, _, stderr := call(t, env, "", "serve"); code != exitUsage || strings.Count(stderr, "\n") != 2 || strings.Contains(stderr, "canary") {
		t.Errorf("exit %d %q", code, stderr)
	}
}

// What operators see of the settings holds no password.
func TestShownDatabaseHasNoPassword(t *testing.T) {
	for _, s := range settings {
		if s.name != "database" {
			continue
		}
		shown := shownSetting(s, "postgres://latchkey:hunter2-canary@db.example.com/latchkey?sslmode=verify-full&sslpassword=canary")
		if shown.Value != "postgres://latchkey@db.example.com/latchkey" || !shown.Open {
			t.Errorf("%+v", shown)
		}
	}
}

func TestShownSettingsAreOpen(t *testing.T) {
	for _, s := range settings {
		shown := shownSetting(s, "hunter2-canary")
		if slices.Contains([]string{"smtp-url", "oidc-client-secret", "points-secret", "database-direct", "keys-value", "keys-command"}, s.name) {
			if shown.Open || shown.Value != "" || !shown.Set {
				t.Errorf("%+v", shown)
			}
		} else if !shown.Open || shown.Value != "hunter2-canary" {
			t.Errorf("%+v is not shown", shown)
		}
	}
}
