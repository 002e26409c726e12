package e2e

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/e2e/harness"
)

// A certificate is got when it is missing, lies sealed in the database, and is there again
// after a start without the ACME server.
func TestACertificateByACME(t *testing.T) {
	dir, addr := t.TempDir(), harness.FreeAddr(t)
	p := startPebble(t, reached{tls: addr, http: harness.FreeAddr(t)}, 90*24*time.Hour)
	trust := p.trust()
	s := p.startCertified(dir, addr)
	serial := p.certified(s, addr, "", trust)
	made := transport(t, trust, true)
	made.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	client := &http.Client{Transport: made, Timeout: patience}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/oauth2/verify", nil)
	must(t, err)
	res, err := client.Do(r)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized || res.ProtoMajor != 2 {
		t.Errorf("%s %d", res.Proto, res.StatusCode)
	}
	p.server.Kill()
	s.Stop()
	files, err := filepath.Glob(filepath.Join(dir, "latchkey.db*"))
	must(t, err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		must(t, err)
		if bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Errorf("%s holds a private key in clear", path)
		}
	}
	s = p.startCertified(dir, addr)
	if again := p.certified(s, addr, "", trust); again != serial {
		t.Errorf("another certificate after the start: %s, before %s", again, serial)
	}
	if strings.Contains(s.Stderr.String(), "PRIVATE KEY") || strings.Contains(s.Stderr.String(), "level=ERROR") {
		t.Errorf("the log: %s", s.Stderr)
	}
}

// Before it ends, the certificate is renewed while the program runs.
func TestACMERenews(t *testing.T) {
	addr := harness.FreeAddr(t)
	p := startPebble(t, reached{tls: addr, http: harness.FreeAddr(t)}, 15*time.Second)
	trust := p.trust()
	s := p.startCertified(t.TempDir(), addr)
	first := p.certified(s, addr, "", trust)
	p.certified(s, addr, first, trust)
}

// Behind a balancer the ACME server may reach any node: here always the one that did not ask.
// Both show the same certificate.
func TestNodesShareACME(t *testing.T) {
	dir, one, two := t.TempDir(), harness.FreeAddr(t), harness.FreeAddr(t)
	p := startPebble(t, reached{tls: one, http: harness.FreeAddr(t)}, 90*24*time.Hour)
	trust := p.trust()
	away := *p
	away.directory = "https://" + harness.FreeAddr(t) + "/dir" // the first node can get none by itself
	answers := away.startCertified(dir, one)
	eventually(t, func() string {
		if !strings.Contains(answers.Stderr.String(), "no certificate could be got") {
			return "the first node has not tried: " + answers.Stderr.String()
		}
		return ""
	})
	asks := p.startCertified(dir, two)
	serial := p.certified(asks, two, "", trust)
	if other := p.certified(answers, one, "", trust); other != serial {
		t.Errorf("the nodes show %s and %s", serial, other)
	}
	if n := strings.Count(p.server.Said(), "Issued certificate serial"); n != 1 {
		t.Errorf("%d certificates were issued:\n%s", n, p.server.Said())
	}
}

// Where port 443 does not lead here, the check over http does.
func TestACMEOverHTTP(t *testing.T) {
	addr, second := harness.FreeAddr(t), harness.FreeAddr(t)
	p := startPebble(t, reached{tls: harness.FreeAddr(t), http: second}, 90*24*time.Hour)
	s := p.startCertified(t.TempDir(), addr, "--redirect-addr", second)
	p.certified(s, addr, "", p.trust())
	if !strings.Contains(p.server.Said(), "/.well-known/acme-challenge/") {
		t.Errorf("not checked over http:\n%s", p.server.Said())
	}
}
