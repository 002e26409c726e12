package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProviderSettings(t *testing.T) { // C1, C2
	no := filepath.Join(t.TempDir(), "none.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := map[string]string{"ISSUER": "https://id.example", "CLIENT_ID": "latchkey", "CLIENT_SECRET": "made by the provider"}
	for name, test := range map[string]struct {
		settings map[string]string
		want     []string // in one line each
	}{
		"all of it":                {map[string]string{"NAME": "Example ID", "DOMAINS": "Northwind.example, joiner.example", "TEAM": "Northwind", "ROLE": "developer"}, nil},
		"the least":                {nil, nil},
		"http on loopback":         {map[string]string{"ISSUER": "http://127.0.0.1:9998"}, nil},
		"http elsewhere":           {map[string]string{"ISSUER": "http://id.example"}, []string{"--oidc-issuer (LATCHKEY_OIDC_ISSUER): write the provider's https address"}},
		"issuer with a query":      {map[string]string{"ISSUER": "https://id.example?x"}, []string{"LATCHKEY_OIDC_ISSUER"}},
		"issuer with a user":       {map[string]string{"ISSUER": "https://a:b@id.example"}, []string{"LATCHKEY_OIDC_ISSUER"}},
		"issuer that ends a list":  {map[string]string{"ISSUER": "https://id.example;script-src"}, []string{"LATCHKEY_OIDC_ISSUER"}},
		"no issuer":                {map[string]string{"ISSUER": ""}, []string{"--oidc-issuer (LATCHKEY_OIDC_ISSUER): name the provider that --oidc-client-id is for"}},
		"no secret":                {map[string]string{"CLIENT_SECRET": ""}, []string{"--oidc-client-secret (LATCHKEY_OIDC_CLIENT_SECRET): write what the provider gave"}},
		"no client":                {map[string]string{"CLIENT_ID": "", "CLIENT_SECRET": ""}, []string{"LATCHKEY_OIDC_CLIENT_ID): write", "LATCHKEY_OIDC_CLIENT_SECRET): write"}},
		"domains without team":     {map[string]string{"DOMAINS": "northwind.example"}, []string{"--oidc-team (LATCHKEY_OIDC_TEAM): name the team"}},
		"team without domains":     {map[string]string{"TEAM": "Northwind"}, []string{"--oidc-domains (LATCHKEY_OIDC_DOMAINS): say whose addresses"}},
		"an address as domain":     {map[string]string{"DOMAINS": "ana@northwind.example", "TEAM": "x"}, []string{"LATCHKEY_OIDC_DOMAINS): write domains such as"}},
		"all domains":              {map[string]string{"DOMAINS": "*", "TEAM": "x"}, []string{"LATCHKEY_OIDC_DOMAINS): write domains such as"}},
		"owners":                   {map[string]string{"ROLE": "owner"}, []string{"--oidc-role (LATCHKEY_OIDC_ROLE): write developer or viewer"}},
		"name that turns the text": {map[string]string{"NAME": "\u202eID"}, []string{"LATCHKEY_OIDC_NAME): Leave out"}},
		"no such file":             {map[string]string{"CA": no}, []string{"LATCHKEY_OIDC_CA): reading certificates"}},
		"no certificate":           {map[string]string{"CA": empty}, []string{"LATCHKEY_OIDC_CA): the file holds no certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := folder(t)
			for _, settings := range []map[string]string{whole, test.settings} {
				for key, value := range settings {
					env["LATCHKEY_OIDC_"+key] = value
				}
			}
			code, _, stderr := call(t, env, "", "migrate")
			if lines := strings.Count(stderr, "\n"); lines != len(test.want) || (code == exitDone) != (len(test.want) == 0) {
				t.Errorf("exit %d, %d lines:\n%s", code, lines, stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("no %q in\n%s", want, stderr)
				}
			}
			if strings.Contains(stderr, whole["CLIENT_SECRET"]) {
				t.Errorf("the secret is printed:\n%s", stderr)
			}
		})
	}
	env := folder(t)
	env["LATCHKEY_OIDC_CLIENT_SECRET"] = whole["CLIENT_SECRET"]
	if _, stdout, stderr := call(t, env, "", "--help"); strings.Contains(stdout+stderr, whole["CLIENT_SECRET"]) { // A2
		t.Error("--help prints the secret")
	}
}
