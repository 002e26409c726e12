package e2e

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/certs/certstest"
)

// secured is a program that encrypts its connections itself, and what clients trust.
type secured struct {
	*server
	authority *certstest.Authority
	ca        string // the authority's certificate, as a file
	cert, key string
	trust     *tls.Config
}

// startSecured starts a program with a certificate for 127.0.0.1 in files, and one owner.
func startSecured(t testing.TB, args ...string) *secured {
	t.Helper()
	dir := t.TempDir()
	s := &secured{authority: certstest.New(t), ca: filepath.Join(dir, "ca.pem")}
	s.cert, s.key = s.authority.Pair(t, dir, "127.0.0.1", "localhost")
	s.trust = s.authority.Trust("127.0.0.1")
	must(t, os.WriteFile(s.ca, s.authority.PEM, 0o600))
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	s.server = startIn(t, dir, append([]string{"--tls-cert", s.cert, "--tls-key", s.key}, args...)...)
	return s
}

// transport speaks HTTP/2, or HTTP/1.1 alone.
func transport(t testing.TB, trust *tls.Config, http2 bool) *http.Transport {
	t.Helper()
	made := &http.Transport{TLSClientConfig: trust.Clone(), Protocols: &http.Protocols{}}
	made.Protocols.SetHTTP2(http2)
	made.Protocols.SetHTTP1(!http2)
	t.Cleanup(made.CloseIdleConnections)
	return made
}

// signIn is the owner, over HTTP/2.
func (s *secured) signIn() *client {
	s.t.Helper()
	c := newClient(s.t, s.base)
	c.http.Transport, c.dir = transport(s.t, s.trust, true), s.dir
	if got := c.post("/login", url.Values{"email": {ownerEmail}, "password": {password}}); got.status != http.StatusOK || got.path != applications {
		s.t.Fatalf("signing in: %d on %s", got.status, got.path)
	}
	return c
}

// shown is the serial number of the certificate that a new connection gets.
func shown(t testing.TB, addr string, trust *tls.Config) string {
	t.Helper()
	conn, err := (&tls.Dialer{Config: trust}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatal("no TLS")
	}
	return secure.ConnectionState().PeerCertificates[0].SerialNumber.Text(16)
}

// addrOf is host and port of a base address.
func addrOf(base string) string {
	_, addr, _ := strings.Cut(base, "://")
	return addr
}
