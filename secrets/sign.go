package secrets

import (
	"crypto/hmac"
	"crypto/sha256"
	"io"

	"github.com/latchkey/latchkey/models"
)

// Sign returns the HMAC-SHA-256 of text under a secret that others hold too. Compare it
// with Equal.
func Sign(secret models.Secret, text string) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = io.WriteString(mac, text) // a hash takes all
	return mac.Sum(nil)
}
