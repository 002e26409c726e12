package mailtest

import (
	"crypto/tls"
	"testing"

	"github.com/latchkey/latchkey/certs/certstest"
)

// encryption is the server's TLS, with a certificate of an authority of its own.
func (s *Server) encryption(t testing.TB) *tls.Config {
	t.Helper()
	name := s.Name
	if name == "" {
		name = "127.0.0.1"
	}
	authority := certstest.New(t)
	s.CA = authority.PEM
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{authority.Certificate(t, name)}}
	if s.OldTLS {
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	return config
}
