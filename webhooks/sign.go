package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// The headers of the Standard Webhooks specification, by which receivers know a
// delivery and check where it comes from.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
	secretPrefix    = "whsec_"
)

// NewSecret makes a signing secret of 256 random bits and seals it for the team.
func NewSecret(keys *secrets.Keys, team string) ([]byte, error) {
	value := secretPrefix + base64.StdEncoding.EncodeToString(secrets.RandomKey())
	return keys.Seal(models.NewSecret(value), place(team))
}

// OpenSecret returns the signing secret as receivers' libraries take it.
func OpenSecret(keys *secrets.Keys, hook models.Webhook) (models.Secret, error) {
	return keys.Open(hook.Sealed, place(hook.TeamID))
}

func place(team string) secrets.Place {
	return secrets.Place{Table: "webhooks", Column: "sealed", Row: team}
}

// sign sets the headers of one try: HMAC-SHA-256 over ID, time and body.
func sign(header http.Header, secret models.Secret, id string, at models.Time, body string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
	if err != nil {
		return errors.New("the signing secret is damaged") // err would quote it
	}
	timestamp := strconv.FormatInt(at.Std().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}
