package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey/latchkey/certs/certstest"
)

// A certificate that stops a start, or ends, is found before.
func TestDoctorReadsTheCertificate(t *testing.T) {
	authority, dir := certstest.New(t), t.TempDir()
	env := madeFolder(t)
	env["LATCHKEY_ADDR"], env["LATCHKEY_BASE_URL"] = freeAddr(t), "https://localhost:1"
	env["LATCHKEY_TLS_CERT"], env["LATCHKEY_TLS_KEY"] = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	_, says := consult(t, env)
	wants(t, says, "wrong    certificate: the certificate "+env["LATCHKEY_TLS_CERT"]+" cannot be read, check its path")
	now := time.Now()
	put := func(until time.Time, host string) {
		t.Helper()
		cert, key := authority.Issue(t, now.Add(-48*time.Hour), until, host)
		for path, text := range map[string][]byte{env["LATCHKEY_TLS_CERT"]: cert, env["LATCHKEY_TLS_KEY"]: key} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for want, at := range map[string]struct {
		until time.Time
		host  string
	}{
		"ok       certificate: " + env["LATCHKEY_TLS_CERT"] + " is good for 89 days":    {now.Add(90 * 24 * time.Hour), "localhost"},
		"warning  certificate: " + env["LATCHKEY_TLS_CERT"] + " ends in 4 days":         {now.Add(5 * 24 * time.Hour), "localhost"},
		"wrong    certificate: " + env["LATCHKEY_TLS_CERT"] + " has ended":              {now.Add(-time.Hour), "localhost"},
		"wrong    certificate: the certificate " + env["LATCHKEY_TLS_CERT"] + " is for": {now.Add(90 * 24 * time.Hour), "other.example.com"},
	} {
		put(at.until, at.host)
		_, says := consult(t, env)
		wants(t, says, want)
	}
}

func TestDoctorAsksTheACMEServer(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	env := madeFolder(t)
	env["LATCHKEY_ADDR"], env["LATCHKEY_BASE_URL"] = freeAddr(t), "https://account.example.invalid"
	env["LATCHKEY_ACME"], env["LATCHKEY_ACME_AGREE"], env["LATCHKEY_ACME_DIRECTORY"] = "on", "true", server.URL
	_, says := consult(t, env)
	wants(t, says, "wrong    certificate: the ACME server "+server.URL+" cannot be reached: its certificate comes from an authority")
	env["LATCHKEY_ACME_CA"] = roots
	_, says = consult(t, env)
	wants(t, says, "ok       certificate: the ACME server "+server.URL+" answers")
	status = http.StatusNotFound
	_, says = consult(t, env)
	wants(t, says, "wrong    certificate: "+server.URL+" answers 404: correct LATCHKEY_ACME_DIRECTORY")
}
