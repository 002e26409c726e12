package secrets

import (
	"strconv"
	"strings"

	"github.com/latchkey/latchkey/models"
)

const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits
	recoveryChars = recoveryBytes * 8 / 5
)

// NewRecoveryCodes returns ten codes of 80 random bits each, as they are shown. The
// digit in front is the code's place in the list: it says which of ten slow hashes to
// compare with, and is no part of the 80 bits.
func NewRecoveryCodes() []models.Secret {
	codes := make([]models.Secret, recoveryCodes)
	for i := range codes {
		text := unpadded.EncodeToString(randomBytes(recoveryBytes))
		codes[i] = models.NewSecret(strings.Join([]string{strconv.Itoa(i), text[:4], text[4:8], text[8:12], text[12:]}, "-"))
	}
	return codes
}

// alike puts the letters that base32 has for the digits that it has not.
var alike = strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B")

// ReadRecoveryCode returns the place of a code as typed and what is hashed of it. ok is
// false for what cannot be one.
func ReadRecoveryCode(typed models.Secret) (number int, code models.Secret, ok bool) {
	text := strings.TrimLeft(strings.ToUpper(typed.Reveal()), " -")
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, models.Secret{}, false
	}
	rest := alike.Replace(strings.TrimSpace(text[1:]))
	return int(text[0] - '0'), models.NewSecret(text[:1] + rest), len(rest) == recoveryChars
}
