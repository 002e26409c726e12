package secrets

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"math/bits"

	"github.com/latchkey/latchkey/models"
)

const (
	// Base62Digits are the digits of Base62, least first.
	Base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// ClientSecretPrefix lets scanners find leaked ones.
	ClientSecretPrefix = "lk_cs_"
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
	return models.NewSecret(ClientSecretPrefix + RandomText())
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
	words := toWords(b)
	digits := make([]byte, length)
	for i := length; i > 0; {
		// Ten digits at a time: 62^10 fits in a word.
		rest := divide(words, sixtyTwoToTheTenth)
		for range min(10, i) {
			i--
			digits[i] = Base62Digits[rest%62]
			rest /= 62
		}
		words[0] |= rest // what had no digit left
	}
	for _, left := range words {
		if left != 0 {
			panic("secrets: number does not fit in that many base62 digits")
		}
	}
	return string(digits)
}

const sixtyTwoToTheTenth = 839299365868340224

// toWords reads b as a big-endian number of 64-bit words, at least one.
func toWords(b []byte) []uint64 {
	words := make([]uint64, max(1, (len(b)+7)/8))
	for i, digit := range b {
		fromEnd := len(b) - 1 - i
		words[len(words)-1-fromEnd/8] |= uint64(digit) << (8 * (fromEnd % 8))
	}
	return words
}

// divide leaves the quotient in number and returns the remainder.
func divide(number []uint64, by uint64) uint64 {
	var remainder uint64
	for i, word := range number {
		number[i], remainder = bits.Div64(remainder, word, by)
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

// RandomKey returns 256 random bits, for a key that others use too.
func RandomKey() []byte { return randomBytes(32) }
