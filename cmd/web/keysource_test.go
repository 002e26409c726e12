package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script writes a program for LATCHKEY_KEYS_COMMAND.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKeySet(t *testing.T) string {
	t.Helper()
	code, stdout, stderr := call(t, nil, "", "keys", "new")
	if code != exitDone || stderr != "" || !strings.Contains(stdout, `"seal"`) {
		t.Fatalf("exit %d %s", code, stderr)
	}
	return stdout
}

// K4: keys from a variable or a command; no file is made, and one database has one set of keys.
func TestKeysFromElsewhere(t *testing.T) {
	set, file := newKeySet(t), filepath.Join(t.TempDir(), "set")
	if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	for variable, value := range map[string]string{"LATCHKEY_KEYS_VALUE": set, "LATCHKEY_KEYS_COMMAND": "cat  " + file} {
		env := folder(t)
		keyFile := env["LATCHKEY_KEYS"]
		delete(env, "LATCHKEY_KEYS")
		env[variable] = value
		for range 2 {
			if code, _, stderr := call(t, env, "", "migrate"); code != exitDone {
				t.Fatalf("%s: %s", variable, stderr)
			}
		}
		if _, err := os.Stat(keyFile); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a key file was made, %v", variable, err)
		}
		if code, stdout, _ := call(t, env, "", "keys", "status"); code != exitDone || !strings.Contains(stdout, variable) {
			t.Errorf("exit %d %s", code, stdout)
		}
		env["LATCHKEY_ADDR"] = freeAddr(t)
		_, says := consult(t, env)
		name := map[string]string{"LATCHKEY_KEYS_VALUE": "value", "LATCHKEY_KEYS_COMMAND": "output"}[variable] + " of " + variable
		wants(t, says, "ok       key file: the "+name+" holds keys", "ok       database: the keys belong to it")
		env[variable] = "cat " + file
		if variable == "LATCHKEY_KEYS_VALUE" {
			env[variable] = newKeySet(t)
		} else if err := os.WriteFile(file, []byte(newKeySet(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := call(t, env, "", "migrate"); code != exitFailed || !strings.Contains(stderr, variable+" does not belong to the database") {
			t.Errorf("other keys: exit %d %s", code, stderr)
		}
		if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// K4 T3: where nothing usable comes, the start stops with one line that says what to do and
// quotes nothing; the same of two sources.
func TestKeysThatCannotBeHad(t *testing.T) {
	const canary = "hunter2-canary"
	for name, test := range map[string]struct {
		env  map[string]string
		code int
		want string
	}{
		"no keys":          {map[string]string{"LATCHKEY_KEYS_VALUE": canary}, exitFailed, "value of LATCHKEY_KEYS_VALUE cannot be used (it is damaged or not a key file)"},
		"a failing one":    {map[string]string{"LATCHKEY_KEYS_COMMAND": script(t, "echo "+canary+"; echo "+canary+" >&2; exit 3")}, exitFailed, "failed (exit status 3), run it by hand"},
		"a missing one":    {map[string]string{"LATCHKEY_KEYS_COMMAND": "/nowhere/vault --token " + canary}, exitFailed, "LATCHKEY_KEYS_COMMAND (/nowhere/vault) cannot be run"},
		"one that prints":  {map[string]string{"LATCHKEY_KEYS_COMMAND": script(t, "yes "+canary)}, exitFailed, "printed more than 1 MiB"},
		"one without keys": {map[string]string{"LATCHKEY_KEYS_COMMAND": script(t, "echo "+canary)}, exitFailed, "output of LATCHKEY_KEYS_COMMAND cannot be used"},
		"nothing":          {map[string]string{"LATCHKEY_KEYS_COMMAND": "true"}, exitFailed, "cannot be used (it is empty)"},
		"two sources":      {map[string]string{"LATCHKEY_KEYS_COMMAND": "true", "LATCHKEY_KEYS_VALUE": canary}, exitUsage, "set one of them"},
		"a file beside it": {map[string]string{"LATCHKEY_KEYS": "keys.json", "LATCHKEY_KEYS_VALUE": canary}, exitUsage, "set one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			env := folder(t)
			delete(env, "LATCHKEY_KEYS")
			for key, value := range test.env {
				env[key] = value
			}
			code, stdout, stderr := call(t, env, "", "migrate")
			if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, canary) {
				t.Errorf("exit %d %q %q", code, stdout, stderr)
			}
			if _, err := os.Stat(filepath.Dir(env["LATCHKEY_DATABASE"])); !errors.Is(err, fs.ErrNotExist) {
				t.Error("something was made")
			}
		})
	}
	_, help, _ := call(t, map[string]string{"LATCHKEY_KEYS_VALUE": canary, "LATCHKEY_KEYS_COMMAND": canary}, "", "--help")
	if !strings.Contains(help, "--keys-value") || strings.Contains(help, canary) {
		t.Error("--help shows keys")
	}
}

// The command sees the environment without our settings, and ends with what it started.
func TestKeysCommand(t *testing.T) {
	t.Setenv("LATCHKEY_SMTP_URL", "smtp://canary")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary")
	t.Setenv("VAULT_ADDR", "https://vault.example")
	config := Config{KeysCommand: []string{script(t, `env; echo "arguments: $*"`), "a b", ";"}}
	out, err := config.askForKeys(t.Context())
	if text := string(out); err != nil || strings.Contains(text, "canary") || !strings.Contains(text, "VAULT_ADDR=https://vault.example") || !strings.Contains(text, "arguments: a b ;") {
		t.Errorf("%s %v", out, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	config.KeysCommand = []string{script(t, "sleep 60 & sleep 60")}
	if _, err := config.askForKeys(ctx); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// K5: what keys rotate says and prints where the keys come from a command.
func TestRotateInAVault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set")
	if err := os.WriteFile(file, []byte(newKeySet(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	env := folder(t)
	delete(env, "LATCHKEY_KEYS")
	env["LATCHKEY_KEYS_COMMAND"] = "cat " + file
	if code, _, stderr := call(t, env, "", "migrate"); code != exitDone {
		t.Fatal(stderr)
	}
	code, stdout, stderr := call(t, env, "", "keys", "rotate")
	if code != exitFailed || !strings.Contains(stdout, "web keys rotate --print") || strings.Contains(stdout, `"seal"`) || !strings.Contains(stderr, "nothing was changed") {
		t.Fatalf("exit %d %s%s", code, stdout, stderr)
	}
	for _, want := range []string{"", "Write that key set there"} {
		code, stdout, stderr = call(t, env, "", "keys", "rotate", "--print")
		if code != exitDone || stderr != "" {
			t.Fatalf("exit %d %s", code, stderr)
		}
		if err := os.WriteFile(file, []byte(stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if code, stdout, _ := call(t, env, "", "keys", "rotate"); code != exitDone || !strings.Contains(stdout, "is to be changed") {
				t.Errorf("exit %d %s", code, stdout)
			}
		}
	}
	if code, stdout, stderr := call(t, env, "", "keys", "rotate", "--print"); code != exitFailed || stdout != "" || !strings.Contains(stderr, "it is not time for the next key set yet") {
		t.Errorf("exit %d %s%s", code, stdout, stderr)
	}
	// Without a server the command seals anew by itself, then asks for the last step.
	code, stdout, stderr = call(t, env, "", "keys", "rotate")
	if code != exitDone || !strings.Contains(stdout, "old sealing keys removed") {
		t.Fatalf("exit %d %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = call(t, env, "", "keys", "rotate", "--print"); code != exitDone || strings.Count(stdout, `"keyId"`) != 1 {
		t.Errorf("exit %d %s", code, stderr)
	}
}
