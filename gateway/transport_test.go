package gateway_test

import (
	"crypto/x509"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

func poolOf(up *gatewaytest.Upstream) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(up.Certificate())
	return pool
}

// wellFormed is a token value with the right check digits.
func wellFormed(t testing.TB) string {
	t.Helper()
	body := "lk_at_" + strings.Repeat("0", secrets.RandomChars)
	sum := crc32.ChecksumIEEE([]byte(body))
	value := body + secrets.Base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, 6)
	if !tokens.WellFormed(value) {
		t.Fatal(value)
	}
	return value
}
