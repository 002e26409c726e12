package api

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// signatureHeader holds t=<Unix seconds>,v1=<hex>[,v1=<hex>…]: the scheme of Stripe. Any
// v1 may fit, so that a shop can change its secret; what is not t or v1 is left alone.
const signatureHeader = "Latchkey-Signature"

const (
	// replayWindow is how far the time of a signature may be away, either way.
	replayWindow = 5 * time.Minute
	maxSignature = 1024
	// digest is the length of an HMAC-SHA-256.
	digest = 32
)

// signature is a header that was read.
type signature struct {
	at   int64
	text string // as it was signed
	v1   [][]byte
}

func parseSignature(header string) (signature, bool) {
	var s signature
	if len(header) > maxSignature {
		return s, false
	}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at, err := strconv.ParseInt(value, 10, 64)
			if err != nil || at < 0 || s.text != "" {
				return s, false
			}
			s.at, s.text = at, value
		case "v1":
			mac, err := hex.DecodeString(value)
			if err != nil || len(mac) != digest {
				return s, false
			}
			s.v1 = append(s.v1, mac)
		}
	}
	return s, s.text != "" && len(s.v1) > 0
}

// checkSignature tells, for the log, what is wrong with the signature of a body; empty
// where it was signed with the secret, lately.
func checkSignature(secret models.Secret, headers []string, body []byte, now time.Time) string {
	if len(headers) != 1 {
		return "not one " + signatureHeader
	}
	s, ok := parseSignature(headers[0])
	if !ok {
		return "malformed " + signatureHeader
	}
	const window = int64(replayWindow / time.Second)
	if away := now.Unix() - s.at; away > window || away < -window {
		return "signed at another time"
	}
	want, problem := secrets.Sign(secret, s.text+"."+string(body)), "wrong signature"
	for _, mac := range s.v1 {
		if secrets.Equal(mac, want) {
			problem = ""
		}
	}
	return problem
}
