package secrets

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"maps"
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
	nobodysEC      = `{"kty":"EC","crv":"P-256","x":"BMH9VRbB0qEOLVC9jpy6VpY9WDqDHLhk-j_Bo-3GTro","y":"vxdYw4XqqfYyvVTgqfjEr6rA35BgGvjYeE4R6na2g_w"}`
	nobodysEd      = `{"kty":"OKP","crv":"Ed25519","x":"n7lyfEHJTXVzayCbVzHvAKTBqTv4Sc2P-PtCYUyxx0s"}`
	nobodysRSA2048 = `{"kty":"RSA","n":"k2FJ6PQeJdLYSLdvZEuY6Mv0v58VG8Nxm3fnD0-6w7tcrIkctBmzFJAeARlmuA6V2MZ30m49uREmlwZTKVc9TTktx3V3AAWthR09fjkjP3J2EIk2z-JxPllzggCh2AuDWV-WdogLMkrdBA-Zl1F9M-FBvNSP7QsC6uEsRC9uW1wywCxTVv4TCRLnw2pjg8rmAfZc6W0jYAHXizSAMC7zS0fmDgRBu9ih_WXoTQQmmk2uzUtAvItX2izM_3ZtoJvAu39cEv9fIr-iHIpHA_1WFhBfJchfoK1olwOGTSZVIpyBoJ05Aw80gZw_1BxdTo5uElgbpm4UJquYe6UaoU0amQ","e":"AQAB"}`
	nobodysRSA3072 = `{"kty":"RSA","n":"nDlYAWVIbDMGNCg82xOcouOvx9INE9crVbes_Rwaz--aTi4GHSWUnWQ4D3KgO8gaydUoYTeJkn-G_8TkwtgsMIUmOMMvPn6POLQYH2M1qoZv85yhDoanMwv8NDlvi_otC1UHAChD2ctdYIxSa3q7OcJYcFCgxPlfQckLTRVDhCg-puJHanPE0Lm4oWqcOHIk3_ibQcaf3bXWAuRlQQ_JchUAizIBXvxbhLz3PrKlpAi0YkCiL3AEv-3UJRrQM6A3C1yzbtVZqHHuFulazAcnUBSl4cspyrAvn7nvK-HcdLqNTGaQ-eKwXIqq1q-zgjjGNNtixuW721-8ruIYhMiEp5EW1CQQzIGeeat3AoPrsDNWMJ1lQbgdRsqLA8bni_6RwHpx2gB9I7pwi4Lt6-vU22Z_l0IQV38ScosfYcskybzqIkA5Pl_dP1_UVwMotZ6zBi-oIyvopkIfRw02BPOxSa0PerjFSnDpnEb1vSKa1WXg-AmZhzbEiAZ5j1715caP","e":"AQAB"}`
	nobodysRSA4096 = `{"kty":"RSA","n":"wudnIQVFk8urOGrxN5OC2chOfJPs_K-ZLJVfVJzCLTnukYI473nPO6Hn0glHIc68pPLO810owN8iEKsKDhHVq09gcdCkt8LUhbnRTJRc9_6zMCxY6squf0-qyQHbS_nuw20cn-oQr4BG_2zuvAQJoFKgm-XtERj7peDMADTzf4exZ7eWXpA4hczzHKVLpMH1dYocNRlShkBEdPkDUXY1uXJzCAUuk9tI3Jc5ml87lyl8dqRI8e_LgNbqxbqZr6EMSc7d66iGb6SvPz5KnfW4RokPW4BJkjqmnKP_hmR8Veih-0rYNwavQIIhfNB8ITm0gSgQX6NXTghCOPMK4__QM_KVEcW_yCZs6uBBuJVOnixz6ZcBiEcjuTYUhPqcfS87Agq0IBrt7TLcBcBHkIgwmMn8KvJS5-tZW_J--b8o49xAAzX4PuhAhTnqQ-YaIP0ESEbsP8GO_JCduSXolgHQWL1HHprc0DIXe19s651k1Ux_2L_vk1jqQcTzidb1w8FIEmAQP18nhO-zx9vZhN9NhnVRYlefp4V-9B-oQRDyC96KSmElW64KkgGNl55EkNqRZxa7CTC0KA84l_FfL_jG0gge4p68pUFWQFiYzoN9_3jeJooQU4ekGXHnhb5dbMDQI1J3kaT4vAM6iKCt--HhAlnDoyChoEJZJtJSocCyCws","e":"AQAB"}`
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
		for range models.MaxClientKeys - tried {
			_, _, _ = verifyWithAny(signed, []string{nobodysKey(signed)})
		}
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

// nobodysKey has the usual lengths of RSA keys. For others there is no work.
func nobodysKey(signed signedAssertion) string {
	kty, length := keyTypes[signed.algorithm()], len(signed.Signatures[0].Signature)
	switch {
	case kty == "EC":
		return nobodysEC
	case kty == "OKP":
		return nobodysEd
	case length == 3072/8:
		return nobodysRSA3072
	case length == 4096/8:
		return nobodysRSA4096
	}
	return nobodysRSA2048
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
