package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/certs/certstest"
	"github.com/latchkey/latchkey/e2e/harness"
)

// acmeHost is a name that the ACME server finds at 127.0.0.1.
const acmeHost = "account.latchkey.test"

// acmePrograms are Pebble, an ACME server that checks for real, and its name server, built
// from the module of the tools.
var acmePrograms = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(binary), "acme") + string(filepath.Separator)
	out, err := exec.CommandContext(context.Background(), "go", "build", "-C", filepath.Join("..", "tools"), "-o", dir,
		"github.com/letsencrypt/pebble/v2/cmd/pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return dir, nil
})

// pebble is an ACME server that runs.
type pebble struct {
	t         testing.TB
	directory string // its address
	ca        string // who signs its own certificate, as a file
	manage    string
	client    *http.Client
	server    *harness.Process
}

// reached is where the ACME server looks for acmeHost.
type reached struct{ tls, http string }

// startPebble starts one whose certificates are good for a while.
func startPebble(t testing.TB, at reached, lifetime time.Duration) *pebble {
	t.Helper()
	programs, err := acmePrograms()
	if err != nil {
		t.Fatalf("building Pebble: %v\n%s", err, programs)
	}
	dir, names := t.TempDir(), harness.FreeAddr(t)
	p := &pebble{t: t, manage: "https://" + harness.FreeAddr(t), ca: filepath.Join(dir, "ca.pem")}
	authority := certstest.New(t)
	must(t, os.WriteFile(p.ca, authority.PEM, 0o600))
	p.client = &http.Client{Transport: transport(t, authority.Trust("127.0.0.1"), false), Timeout: patience}
	cert, key := authority.Pair(t, dir, "127.0.0.1")
	listen := harness.FreeAddr(t)
	p.directory = "https://" + listen + "/dir"
	text, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": addrOf(p.manage), "certificate": cert, "privateKey": key,
		"tlsPort": portOf(t, at.tls), "httpPort": portOf(t, at.http), "keyAlgorithm": "ecdsa",
		"profiles":   map[string]any{"default": map[string]any{"description": "of a test", "validityPeriod": int(lifetime.Seconds())}},
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	must(t, err)
	config := filepath.Join(dir, "pebble.json")
	must(t, os.WriteFile(config, text, 0o600))
	background(t, filepath.Join(programs, "pebble-challtestsrv"), "-dnsserver", names, "-management", harness.FreeAddr(t), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	p.server = background(t, filepath.Join(programs, "pebble"), "-config", config, "-dnsserver", names)
	eventually(t, func() string {
		if _, err := p.roots(); err != nil {
			return "Pebble does not answer: " + err.Error() + "\n" + p.server.Said()
		}
		return ""
	})
	return p
}

func portOf(t testing.TB, addr string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(addr)
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	return port
}

// background runs a helper. Waiting and the reuse of what was checked before are what real
// servers have for load.
func background(t testing.TB, path string, args ...string) *harness.Process {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Env = []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0"}
	return harness.Start(t, cmd)
}

// roots are what clients trust: the certificate is a new one at each start.
func (p *pebble) roots() (*x509.CertPool, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.manage+"/roots/0", nil)
	if err != nil {
		return nil, err
	}
	res, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots, err
}

// trust is the TLS of a client that trusts whom the ACME server certifies.
func (p *pebble) trust() *tls.Config {
	p.t.Helper()
	roots, err := p.roots()
	must(p.t, err)
	return &tls.Config{RootCAs: roots, ServerName: acmeHost, MinVersion: tls.VersionTLS12}
}

// startCertified starts a program at addr that gets its certificate from there.
func (p *pebble) startCertified(dir, addr string, args ...string) *server {
	p.t.Helper()
	_, port, err := net.SplitHostPort(addr)
	must(p.t, err)
	return startIn(p.t, dir, append([]string{
		"--addr", addr, "--base-url", "https://" + net.JoinHostPort(acmeHost, port), "--acme", "on", "--acme-agree", "true", "--acme-email", "ops@latchkey.test",
		"--acme-directory", p.directory, "--acme-ca", p.ca,
	}, args...)...)
}

// certified waits until addr shows another certificate than before, and returns its serial number.
func (p *pebble) certified(s *server, addr, before string, trust *tls.Config) string {
	p.t.Helper()
	var serial string
	eventually(p.t, func() string {
		conn, err := (&tls.Dialer{Config: trust}).DialContext(p.t.Context(), "tcp", addr)
		if err != nil {
			return "no certificate: " + err.Error() + "\n" + s.Stderr.String() + p.server.Said()
		}
		_ = conn.Close()
		if serial = shown(p.t, addr, trust); serial == before {
			return "still the certificate of before\n" + s.Stderr.String() + p.server.Said()
		}
		return ""
	})
	return serial
}
