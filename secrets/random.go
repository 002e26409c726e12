package secrets

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/latchkey/latchkey/models"
)

const (
	// Base62Digits are the digits of Base62, least first.
	Base62Digits       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	clientSecretPrefix = "lk_cs_" // lets scanners find leaked ones
	// RandomChars is the length of RandomText: 62^43 > 2^256.
	RandomChars = 43
)

// Code returns 128 random bits as 22 characters of unpadded URL-safe base64: a
// set-up code or the id of a session.
func Code() models.Secret {
	return models.NewSecret(base64.RawURLEncoding.EncodeToString(randomBytes(16)))
}

// NewClientSecret returns the secret of an application: a prefix and 256 random
// bits as 43 base62 characters.
func NewClientSecret() models.Secret {
	return models.NewSecret(clientSecretPrefix + RandomText())
}

// RandomText returns 256 random bits as RandomChars base62 characters.
func RandomText() string { return Base62(randomBytes(32), RandomChars) }

// Hash returns the SHA-256 of value, by which a random value is stored and found.
// It is no hash for passwords: see Passwords.
func Hash(value models.Secret) []byte {
	sum := sha256.Sum256([]byte(value.Reveal()))
	return sum[:]
}

// Equal compares a and b in a time that depends on their lengths alone.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// Base62 writes b, read as one big-endian number, in length digits of 0-9A-Za-z
// with zeros in front. It panics where length is too small for b.
func Base62(b []byte, length int) string {
	rest := append([]byte(nil), b...)
	digits := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		digits[i] = Base62Digits[divideBy62(rest)]
	}
	for _, left := range rest {
		if left != 0 {
			panic("secrets: number does not fit in that many base62 digits")
		}
	}
	return string(digits)
}

// divideBy62 leaves the quotient in number and returns the remainder.
func divideBy62(number []byte) int {
	remainder := 0
	for i, b := range number {
		dividend := remainder<<8 | int(b)
		number[i] = byte(dividend / 62) //nolint:gosec // below 256, for remainder < 62
		remainder = dividend % 62
	}
	return remainder
}

// randomBytes needs no error: crypto/rand ends the program where the system has
// no randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
