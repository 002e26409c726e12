package secrets

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	maxKeyText = 16 << 10
	minRSABits = 2048
	maxRSABits = 8192
)

// The sentences shown beside the field for a public key.
const (
	sentenceKeyEmpty       = "Paste a public key."
	sentenceKeyLong        = "This is too long for a public key. Use at most 16 KiB."
	sentenceKeyUnreadable  = "This is not a public key that can be read. Paste one as PEM or JWK."
	sentenceKeyKind        = "Use an RSA, an EC P-256 or an Ed25519 key."
	sentenceKeyPrivate     = "This is a private key. Do not use it any more: make a new pair and paste the public key."
	sentenceKeySymmetric   = "This is a symmetric key, which is a secret. Do not use it any more: make a key pair and paste the public key."
	sentenceKeyCertificate = "This is a certificate. Paste what this prints: openssl x509 -in cert.pem -pubkey -noout"
	sentenceKeySSH         = "This is an SSH key. Paste what this prints: ssh-keygen -e -m PKCS8 -f key.pub"
	sentenceKeySSHOther    = "This SSH key cannot be converted. Make a pair with openssl genpkey -algorithm ed25519 -out key.pem and paste what openssl pkey -in key.pem -pubout prints."
	sentenceKeyOne         = "Paste one key and nothing after it."
	sentenceKeyUse         = "The use of this key is not sig. Paste a key for signatures."
	sentenceKeyOps         = "The key_ops of this key do not include verify. Paste a key for signatures."
	sentenceKeyAlg         = "The alg of this key must be ES256, RS256, PS256, EdDSA or Ed25519 and fit its kty."
	sentenceKeyExponent    = "This RSA key has an unusual exponent. Make one with the exponent 65537."
)

// go-jose stops at 4096 bits without saying so; describeKey has a sentence for it.
func init() { jose.MaxRSAModulusBits = 8 * maxKeyText }

// PublicKey is a public key by which an application proves who it is.
type PublicKey struct {
	JWK         string // canonical JSON (RFC 7517): only kty, crv, x, y, n, e, and alg where it was given
	Thumbprint  string // RFC 7638 SHA-256, base64url without padding
	Description string // "RSA, 2048 bits", "RSA, 2048 bits, PS256", "EC, P-256", "Ed25519"
}

// ParsePublicKey reads a JWK, a JWK set with one key, or PEM, as pasted by a person.
// The second result is the sentence to show beside the field, empty for a good key.
func ParsePublicKey(text string) (PublicKey, string) {
	if len(text) > maxKeyText {
		return PublicKey{}, sentenceKeyLong
	}
	text = strings.TrimSpace(text)
	kind, _, _ := strings.Cut(text, " ")
	switch {
	case text == "":
		return PublicKey{}, sentenceKeyEmpty
	case strings.HasPrefix(text, "{"):
		return parseJWK([]byte(text))
	case strings.Contains(text, "PRIVATE KEY"), strings.HasPrefix(text, "PuTTY-User-Key-File"):
		return PublicKey{}, sentenceKeyPrivate
	case strings.HasPrefix(text, "-----BEGIN "):
		return parsePEM([]byte(text))
	case kind == "ssh-rsa", strings.HasPrefix(kind, "ecdsa-sha2-"), strings.HasPrefix(text, "---- BEGIN SSH2"):
		return PublicKey{}, sentenceKeySSH
	case strings.HasPrefix(kind, "ssh-"), strings.HasPrefix(kind, "sk-"):
		return PublicKey{}, sentenceKeySSHOther
	}
	return PublicKey{}, sentenceKeyUnreadable
}

func parsePEM(text []byte) (PublicKey, string) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return PublicKey{}, sentenceKeyUnreadable
	case strings.HasSuffix(block.Type, "CERTIFICATE"):
		return PublicKey{}, sentenceKeyCertificate
	// The decoder passes over a damaged block in silence, hence the count.
	case len(bytes.TrimSpace(rest)) > 0, bytes.Count(text, []byte("-----BEGIN ")) > 1:
		return PublicKey{}, sentenceKeyOne
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return PublicKey{}, sentenceKeyUnreadable
	}
	if err != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	return newPublicKey(key, "")
}

// newPublicKey leaves it to go-jose to refuse Ed25519 keys for which anyone can sign.
// algorithm is the one that the key is for, empty for any that fits.
func newPublicKey(key any, algorithm string) (PublicKey, string) {
	description, problem := describeKey(key)
	if problem != "" {
		return PublicKey{}, problem
	}
	if _, severalFit := key.(*rsa.PublicKey); severalFit && algorithm != "" {
		description += ", " + algorithm
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: algorithm}
	text, err := jwk.MarshalJSON()
	if err != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	return PublicKey{
		JWK:         string(text),
		Thumbprint:  base64.RawURLEncoding.EncodeToString(thumbprint),
		Description: description,
	}, ""
}

// describeKey says what kind of key it is, or why it is not taken.
func describeKey(key any) (description, problem string) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		switch {
		case bits < minRSABits:
			return "", fmt.Sprintf("This RSA key has %d bits. Use one of at least %d.", bits, minRSABits)
		case bits > maxRSABits:
			return "", fmt.Sprintf("This RSA key has %d bits. Use one of at most %d.", bits, maxRSABits)
		case key.N.Bit(0) == 0:
			return "", sentenceKeyUnreadable
		// FIPS 186-5 for the lower bound, crypto/rsa for the upper one.
		case key.E%2 == 0 || key.E < 65537 || key.E > math.MaxInt32:
			return "", sentenceKeyExponent
		}
		return fmt.Sprintf("RSA, %d bits", bits), ""
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return "EC, P-256", ""
		}
	case ed25519.PublicKey:
		return "Ed25519", ""
	}
	return "", sentenceKeyKind
}
