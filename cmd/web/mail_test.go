package main

import (
	"os"
	"path/filepath"
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
func TestShownSettingsAreOpen(t *testing.T) {
	for _, s := range settings {
		shown := shownSetting(s, "hunter2-canary")
		if s.name == "smtp-url" || s.name == "oidc-client-secret" || s.name == "points-secret" || s.name == "keys-value" || s.name == "keys-command" {
			if shown.Open || shown.Value != "" || !shown.Set {
				t.Errorf("%+v", shown)
			}
		} else if !shown.Open || shown.Value != "hunter2-canary" {
			t.Errorf("%+v is not shown", shown)
		}
	}
}
