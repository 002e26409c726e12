package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
)

const (
	maxAssertion = 8 << 10
	// The end of the year 9999: its milliseconds are far from overflowing.
	maxSeconds = 253402300799
)

// keyTypes are the algorithms that are taken, and the kty that each one needs.
var keyTypes = map[jose.SignatureAlgorithm]string{
	jose.ES256: "EC", jose.RS256: "RSA", jose.PS256: "RSA", jose.EdDSA: "OKP",
}

var algorithms = slices.Collect(maps.Keys(keyTypes))

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

// Assertion is the checked-signature content of a client assertion. Whom it is
// for and when it is good is the caller's to decide.
type Assertion struct {
	Issuer, Subject, ID            string
	Audience                       []string
	ExpiresAt, NotBefore, IssuedAt models.Time // zero where absent
}

// AssertedClient returns the subject that the assertion claims, unverified, to
// look the client up. ok is false where it is not a JWT that could be good at all.
func AssertedClient(assertion models.Secret) (clientID string, ok bool) {
	signed, ok := parseAssertion(assertion)
	if !ok {
		return "", false
	}
	claims, ok := parseClaims(signed.UnsafePayloadWithoutVerification())
	if !ok || claims.Subject == "" {
		return "", false
	}
	return claims.Subject, true
}

// VerifyAssertion checks the signature against each of jwks and returns the claims
// and the index of the key that made it. ok is false for anything wrong; index is
// then -1. Where no key could have made the signature, as for an unknown client,
// the same work is done with a key that nobody has.
func VerifyAssertion(assertion models.Secret, jwks []string) (claims Assertion, index int, ok bool) {
	signed, ok := parseAssertion(assertion)
	if !ok {
		return Assertion{}, -1, false
	}
	payload, index, tried := verifyWithAny(signed, jwks)
	if !tried {
		_, _, _ = verifyWithAny(signed, []string{nobodysKey(signed.Signatures[0])})
	}
	if index < 0 {
		return Assertion{}, -1, false
	}
	claims, ok = parseClaims(payload)
	if !ok {
		return Assertion{}, -1, false
	}
	return claims, index, true
}

func verifyWithAny(signed *jose.JSONWebSignature, jwks []string) (payload []byte, index int, tried bool) {
	for i, jwk := range jwks {
		var key jose.JSONWebKey
		if key.UnmarshalJSON([]byte(jwk)) != nil || !couldHaveMade(key.Key, signed.Signatures[0]) {
			continue
		}
		tried = true
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, i, true
		}
	}
	return nil, -1, tried
}

// couldHaveMade looks at the length too: an RSA signature of another length than
// the key's is refused without any work, by which one could tell clients apart.
func couldHaveMade(key any, signature jose.Signature) bool {
	if _, problem := describeKey(key); problem != "" {
		return false
	}
	kty := keyTypes[jose.SignatureAlgorithm(signature.Protected.Algorithm)]
	switch key := key.(type) {
	case *rsa.PublicKey:
		return kty == "RSA" && key.Size() == len(signature.Signature)
	case *ecdsa.PublicKey:
		return kty == "EC"
	case ed25519.PublicKey:
		return kty == "OKP"
	}
	return false
}

// nobodysKey has the usual lengths of RSA keys. For others there is no work.
func nobodysKey(signature jose.Signature) string {
	kty := keyTypes[jose.SignatureAlgorithm(signature.Protected.Algorithm)]
	switch {
	case kty == "EC":
		return nobodysEC
	case kty == "OKP":
		return nobodysEd
	case len(signature.Signature) == 3072/8:
		return nobodysRSA3072
	case len(signature.Signature) == 4096/8:
		return nobodysRSA4096
	}
	return nobodysRSA2048
}

// parseAssertion takes the compact form alone and one spelling of it: no line
// breaks, no loose bits at the end of a part.
func parseAssertion(assertion models.Secret) (*jose.JSONWebSignature, bool) {
	text := assertion.Reveal()
	if len(text) > maxAssertion || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	var parts [][]byte
	for part := range strings.SplitSeq(text, ".") {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return nil, false
		}
		parts = append(parts, raw)
	}
	header, ok := jsonMembers(parts[0])
	if !ok {
		return nil, false
	}
	for _, name := range refusedHeaders {
		if _, present := header[name]; present {
			return nil, false
		}
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	return signed, err == nil
}

// claimReader remembers whether any claim was of the wrong type.
type claimReader struct {
	members map[string]json.RawMessage
	wrong   bool
}

func parseClaims(payload []byte) (Assertion, bool) {
	members, ok := jsonMembers(payload)
	if !ok {
		return Assertion{}, false
	}
	claims := claimReader{members: members}
	read := Assertion{
		Issuer: claims.text("iss"), Subject: claims.text("sub"), ID: claims.text("jti"),
		Audience:  claims.audience(),
		ExpiresAt: claims.time("exp"), NotBefore: claims.time("nbf"), IssuedAt: claims.time("iat"),
	}
	if claims.wrong {
		return Assertion{}, false
	}
	return read, true
}

func (c *claimReader) text(name string) string {
	raw, present := c.members[name]
	if !present {
		return ""
	}
	value, ok := jsonText(raw)
	c.wrong = c.wrong || !ok
	return value
}

func (c *claimReader) audience() []string {
	raw, present := c.members["aud"]
	if !present {
		return nil
	}
	if one, ok := jsonText(raw); ok {
		return []string{one}
	}
	many, ok := jsonTexts(raw)
	c.wrong = c.wrong || !ok
	return many
}

func (c *claimReader) time(name string) models.Time {
	raw, present := c.members[name]
	if !present {
		return 0
	}
	// Text, null and the like are no numbers to this either.
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		c.wrong = true
		return 0
	}
	return models.Time(seconds * 1000)
}

// jsonMembers takes an object apart. It refuses what two readers could understand
// in two ways: a name that comes twice, bytes that are no characters.
func jsonMembers(text []byte) (map[string]json.RawMessage, bool) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		token, _ := decoder.Token()
		name, ok := token.(string)
		_, twice := members[name]
		var value json.RawMessage
		if !ok || twice || decoder.Decode(&value) != nil {
			return nil, false
		}
		members[name] = value
	}
	return members, true
}

func jsonText(raw json.RawMessage) (string, bool) {
	var value *string
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return "", false
	}
	return *value, true
}

func jsonTexts(raw json.RawMessage) ([]string, bool) {
	var values []json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		return nil, false
	}
	texts := make([]string, len(values))
	for i, value := range values {
		text, ok := jsonText(value)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	return texts, true
}
