package secrets

import (
	"encoding/base32"
	"net/url"
	"strings"

	"github.com/pquerna/otp/hotp"

	"github.com/latchkey/latchkey/models"
)

const (
	seedBytes = 20 // what RFC 4226 recommends for HMAC-SHA-1
	// stepMillis and stepDrift are the time steps of RFC 6238, and how far a clock may be off.
	stepMillis = 30_000
	stepDrift  = 1
)

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSeed returns the seed of an authenticator app: 160 random bits as base32.
func NewSeed() models.Secret {
	return models.NewSecret(unpadded.EncodeToString(randomBytes(seedBytes)))
}

// CodeStep finds the time step that a code of six digits belongs to: the one of now, or
// one beside it. It does the same work for every code.
func CodeStep(seed, code models.Secret, now models.Time) (step int64, ok bool) {
	typed := []byte(strings.ReplaceAll(strings.TrimSpace(code.Reveal()), " ", ""))
	for at := int64(now)/stepMillis - stepDrift; at <= int64(now)/stepMillis+stepDrift; at++ {
		want, err := hotp.GenerateCode(seed.Reveal(), uint64(max(at, 0)))
		if Equal([]byte(want), typed) && err == nil {
			step, ok = at, true
		}
	}
	return step, ok
}

// SeedAddress is what the QR code of a seed says to an app.
func SeedAddress(seed models.Secret, issuer, account string) models.Secret {
	query := url.Values{"secret": {seed.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	address := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account, RawQuery: query.Encode()}
	return models.NewSecret(address.String())
}
