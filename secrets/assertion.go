package secrets

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"math/big"
	"slices"
	"strings"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
)

const maxAssertion = 8 << 10

// ed25519Name is what RFC 9864 calls EdDSA with this curve. go-jose does not
// know it yet.
const ed25519Name jose.SignatureAlgorithm = "Ed25519"

// keyTypes are the algorithms that are taken, and the kty that each one needs.
var keyTypes = map[jose.SignatureAlgorithm]string{
	jose.ES256: "EC", jose.RS256: "RSA", jose.PS256: "RSA", jose.EdDSA: "OKP", ed25519Name: "OKP",
}

var algorithms = slices.Collect(maps.Keys(keyTypes))

// signedAssertion is a JWS with the text that was signed.
type signedAssertion struct {
	*jose.JSONWebSignature
	input string
}

func (s signedAssertion) algorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(s.Signatures[0].Protected.Algorithm)
}

func (s signedAssertion) verify(key any) (payload []byte, ok bool) {
	if s.algorithm() != ed25519Name {
		payload, err := s.Verify(key)
		return payload, err == nil
	}
	public, ok := key.(ed25519.PublicKey)
	ok = ok && ed25519.Verify(public, []byte(s.input), s.Signatures[0].Signature)
	return s.UnsafePayloadWithoutVerification(), ok
}

// refusedHeaders carry a key or refer to one, or change what a signature means
// (RFC 8725). What else stands in a header, such as kid, is ignored.
var refusedHeaders = []string{"jwk", "jku", "x5u", "x5c", "crit", "b64"}

// Keys that nobody has: made once for this file, the private halves thrown away.
// Nothing rests on that. A signature they verify is refused like any other.
const (
	nobodysEC = `{"kty":"EC","crv":"P-256","x":"BMH9VRbB0qEOLVC9jpy6VpY9WDqDHLhk-j_Bo-3GTro","y":"vxdYw4XqqfYyvVTgqfjEr6rA35BgGvjYeE4R6na2g_w"}`
	nobodysEd = `{"kty":"OKP","crv":"Ed25519","x":"n7lyfEHJTXVzayCbVzHvAKTBqTv4Sc2P-PtCYUyxx0s"}`
)

// AssertedClient returns the subject that the assertion claims, unverified, to
// look the client up, or the sentence that says why it could not be good at all.
func AssertedClient(assertion models.Secret) (clientID, problem string) {
	signed, ok := parseAssertion(assertion)
	if !ok {
		return "", "The client assertion is not a JWT signed by ES256, RS256, PS256 or EdDSA (Ed25519)."
	}
	claims, ok := parseClaims(signed.UnsafePayloadWithoutVerification())
	if !ok {
		return "", "A claim of the client assertion is of the wrong type or comes twice."
	}
	if claims.Subject == "" {
		return "", "The client assertion has no sub."
	}
	return claims.Subject, ""
}

// VerifyAssertion checks the signature against each of jwks and returns the claims
// and the index of the key that made it. ok is false for anything wrong; index is
// then -1. A signature that no key made, or could have made, takes as much work as
// with models.MaxClientKeys keys: how many a client has, or whether it exists, cannot
// be told from the time.
func VerifyAssertion(assertion models.Secret, jwks []string) (claims Assertion, index int, ok bool) {
	signed, ok := parseAssertion(assertion)
	if !ok {
		return Assertion{}, -1, false
	}
	payload, index, tried := verifyWithAny(signed, jwks)
	if index < 0 {
		_, _, _ = verifyWithAny(signed, slices.Repeat([]string{nobodysKey(signed)}, models.MaxClientKeys-tried))
		return Assertion{}, -1, false
	}
	claims, ok = parseClaims(payload)
	if !ok {
		return Assertion{}, -1, false
	}
	return claims, index, true
}

func verifyWithAny(signed signedAssertion, jwks []string) (payload []byte, index, tried int) {
	for i, jwk := range jwks {
		var key jose.JSONWebKey
		if key.UnmarshalJSON([]byte(jwk)) != nil || !couldHaveMade(key, signed) {
			continue
		}
		tried++
		if payload, ok := signed.verify(key.Key); ok {
			return payload, i, tried
		}
	}
	return nil, -1, tried
}

// couldHaveMade looks at the length too: an RSA signature of another length than
// the key's is refused without any work, by which one could tell clients apart.
func couldHaveMade(jwk jose.JSONWebKey, signed signedAssertion) bool {
	if _, problem := describeKey(jwk.Key); problem != "" || !isFor(jwk, signed.algorithm()) {
		return false
	}
	kty := keyTypes[signed.algorithm()]
	switch key := jwk.Key.(type) {
	case *rsa.PublicKey:
		return kty == "RSA" && key.Size() == len(signed.Signatures[0].Signature)
	case *ecdsa.PublicKey:
		return kty == "EC"
	case ed25519.PublicKey:
		return kty == "OKP"
	}
	return false
}

// isFor holds a key to the algorithm that it was made for (RFC 7517 section 4.4).
// EdDSA and Ed25519 are one.
func isFor(jwk jose.JSONWebKey, algorithm jose.SignatureAlgorithm) bool {
	return jwk.Algorithm == "" || jwk.Algorithm == string(algorithm) || keyTypes[algorithm] == "OKP"
}

// nobodysKey is one that could have made the signature, of whichever length.
func nobodysKey(signed signedAssertion) string {
	switch keyTypes[signed.algorithm()] {
	case "EC":
		return nobodysEC
	case "OKP":
		return nobodysEd
	}
	modulus := new(big.Int).Lsh(big.NewInt(1), 8*uint(len(signed.Signatures[0].Signature)))
	key := jose.JSONWebKey{Key: &rsa.PublicKey{N: modulus.Sub(modulus, big.NewInt(1)), E: 65537}}
	text, err := key.MarshalJSON()
	if err != nil {
		return "" // no key at all has that length
	}
	return string(text)
}

// parseAssertion takes the compact form alone and one spelling of it: no line
// breaks, no loose bits at the end of a part.
func parseAssertion(assertion models.Secret) (signedAssertion, bool) {
	text := assertion.Reveal()
	if len(text) > maxAssertion || strings.ContainsAny(text, "\r\n") {
		return signedAssertion{}, false
	}
	var parts [][]byte
	for part := range strings.SplitSeq(text, ".") {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return signedAssertion{}, false
		}
		parts = append(parts, raw)
	}
	if len(parts) != 3 {
		return signedAssertion{}, false
	}
	header, ok := jsonMembers(parts[0])
	if !ok {
		return signedAssertion{}, false
	}
	for _, name := range refusedHeaders {
		if _, present := header[name]; present {
			return signedAssertion{}, false
		}
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	return signedAssertion{signed, text[:strings.LastIndexByte(text, '.')]}, err == nil
}
