package main

import (
	"strings"
	"testing"
)

// C1: settings of TLS that do not go together are told of in one line each.
func TestSettingsOfTLS(t *testing.T) {
	const base = "LATCHKEY_BASE_URL"
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"a certificate alone":      {map[string]string{"LATCHKEY_TLS_CERT": "c.pem"}, []string{"--tls-key (LATCHKEY_TLS_KEY): name the private key"}},
		"a key alone":              {map[string]string{"LATCHKEY_TLS_KEY": "k.pem"}, []string{"--tls-cert (LATCHKEY_TLS_CERT): name the certificate"}},
		"http base URL":            {map[string]string{"LATCHKEY_TLS_CERT": "c", "LATCHKEY_TLS_KEY": "k", base: "http://localhost"}, []string{"write an https address, for connections are encrypted here"}},
		"two certificates":         {map[string]string{"LATCHKEY_TLS_CERT": "c", "LATCHKEY_TLS_KEY": "k", "LATCHKEY_ACME": "a.example.com", "LATCHKEY_ACME_AGREE": "true"}, []string{"leave it out, or --tls-cert and --tls-key"}},
		"nothing agreed":           {map[string]string{"LATCHKEY_ACME": "a.example.com"}, []string{"--acme-agree (LATCHKEY_ACME_AGREE): read the terms"}},
		"no host":                  {map[string]string{"LATCHKEY_ACME": "on", "LATCHKEY_ACME_AGREE": "true"}, []string{"--acme (LATCHKEY_ACME): name the hosts"}},
		"host is an address":       {map[string]string{"LATCHKEY_ACME": "on", "LATCHKEY_ACME_AGREE": "true", base: "https://192.0.2.7"}, []string{"--acme (LATCHKEY_ACME): name the hosts"}},
		"not names":                {map[string]string{"LATCHKEY_ACME": "a.example.com:443"}, []string{"whole host names", "--acme-agree"}},
		"mail without ACME":        {map[string]string{"LATCHKEY_ACME_EMAIL": "a@example.com"}, []string{"--acme (LATCHKEY_ACME): write on or host names, which --acme-email is for"}},
		"a redirect to nowhere":    {map[string]string{"LATCHKEY_REDIRECT_ADDR": ":80"}, []string{"--redirect-addr (LATCHKEY_REDIRECT_ADDR): name a certificate"}},
		"a redirect to itself":     {map[string]string{"LATCHKEY_REDIRECT_ADDR": "127.0.0.1:443", "LATCHKEY_ADDR": "127.0.0.1:443", "LATCHKEY_ACME": "a.example.com", "LATCHKEY_ACME_AGREE": "true"}, []string{"write another address than --addr"}},
		"all of them":              {map[string]string{"LATCHKEY_ACME": "x", "LATCHKEY_ACME_AGREE": "y", "LATCHKEY_ACME_EMAIL": "z", "LATCHKEY_ACME_DIRECTORY": "http://ca", "LATCHKEY_ACME_CA": "/none", "LATCHKEY_REDIRECT_ADDR": "80"}, []string{"--acme ", "--acme-agree", "--acme-email", "--acme-directory", "--acme-ca", "--redirect-addr"}},
		"no such file, at a start": {map[string]string{"LATCHKEY_TLS_CERT": "none.pem", "LATCHKEY_TLS_KEY": "none.key", base: "https://a.example.com"}, []string{"the certificate none.pem cannot be read, check its path"}},
	} {
		env := folder(t)
		for key, value := range test.env {
			env[key] = value
		}
		code, stdout, stderr := call(t, env, "")
		if wanted := map[bool]int{true: exitFailed, false: exitUsage}[strings.Contains(name, "at a start")]; code != wanted || stdout != "" {
			t.Errorf("%s: exit %d, stdout %q", name, code, stdout)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: no %q in\n%s", name, want, stderr)
			}
		}
	}
}

func TestHostsThatAreCertified(t *testing.T) {
	for value, want := range map[string]string{"on": "account.example.com,api.example.com", "A.example.com, b.example.com,a.example.com": "a.example.com,b.example.com"} {
		config := Config{BaseURL: "https://Account.example.com:8443", GatewayHost: "api.example.com"}
		if problem := parseACME(&config, value); problem != "" {
			t.Error(problem)
		}
		if got := strings.Join(config.certifiedHosts(), ","); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}
