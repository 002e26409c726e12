package tokens

import (
	"hash/crc32"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const (
	// checkChars is the base62 length of 32 bits.
	checkChars = 6
	// maxValue bounds what is hashed for a caller who sends anything at all.
	maxValue = 512
)

// newValue makes a token value: prefix, 256 random bits, and a checksum over both
// by which a scanner tells a real token from a look-alike.
func newValue(prefix string) models.Secret {
	body := prefix + secrets.RandomText()
	return models.NewSecret(body + checksum(body))
}

// WellFormed tells whether text looks like a token value of any prefix. It is
// for scanners and for saying why a token is refused; it never decides that
// one is good.
func WellFormed(text string) bool {
	if !shaped(text) {
		return false
	}
	cut := len(text) - checkChars
	return checksum(text[:cut]) == text[cut:]
}

// shaped tells whether text has the form of a token value, check digits aside.
func shaped(text string) bool {
	if len(text) < secrets.RandomChars+checkChars || len(text) > maxValue {
		return false
	}
	tail := text[len(text)-secrets.RandomChars-checkChars:]
	return strings.Trim(tail, secrets.Base62Digits) == ""
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return secrets.Base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, checkChars) //nolint:gosec // each byte on purpose
}
