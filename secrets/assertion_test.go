package secrets_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const goodClaims = `{"iss":"c1","sub":"c1","aud":"https://id.example.com","exp":1700000300,"nbf":1700000000,"iat":1700000000.25,"jti":"j1","own":[{}]}`

var wantClaims = secrets.Assertion{
	Issuer: "c1", Subject: "c1", ID: "j1", Audience: []string{"https://id.example.com"},
	ExpiresAt: 1700000300_000, NotBefore: 1700000000_000, IssuedAt: 1700000000_250,
}

func signJOSE(t testing.TB, alg jose.SignatureAlgorithm, key any, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// byHand puts an assertion together without go-jose.
func byHand(header, claims string, sign func(input string) []byte) string {
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	return input + "." + b64(sign(input))
}

func digest(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return sum[:]
}

func es256(key *ecdsa.PrivateKey) func(string) []byte {
	return func(input string) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest(input))
		if err != nil {
			panic(err)
		}
		raw := make([]byte, 64)
		r.FillBytes(raw[:32])
		s.FillBytes(raw[32:])
		return raw
	}
}

func rs256(key *rsa.PrivateKey) func(string) []byte {
	return func(input string) []byte {
		raw, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest(input))
		if err != nil {
			panic(err)
		}
		return raw
	}
}

func ps256(key *rsa.PrivateKey) func(string) []byte {
	return func(input string) []byte {
		raw, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest(input), &rsa.PSSOptions{SaltLength: 32})
		if err != nil {
			panic(err)
		}
		return raw
	}
}

func edDSA(key ed25519.PrivateKey) func(string) []byte {
	return func(input string) []byte { return ed25519.Sign(key, []byte(input)) }
}

func hs256(key string) func(string) []byte {
	return func(input string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func (p pair) jwks(t testing.TB) []string {
	t.Helper()
	var jwks []string
	for _, key := range p.public() {
		parsed, problem := secrets.ParsePublicKey(pemOf(t, key))
		if problem != "" {
			t.Fatal(problem)
		}
		jwks = append(jwks, parsed.JWK)
	}
	return jwks
}

// checkRefused: whatever is wrong, the answer is the same and says nothing (K7).
func checkRefused(t *testing.T, name, assertion string, jwks []string) {
	t.Helper()
	claims, index, ok := secrets.VerifyAssertion(models.NewSecret(assertion), jwks)
	if ok || index != -1 || !reflect.DeepEqual(claims, secrets.Assertion{}) {
		t.Errorf("%s: verified by key %d, %v", name, index, claims)
	}
}

func checkGood(t *testing.T, name, assertion string, jwks []string, wantIndex int) {
	t.Helper()
	claims, index, ok := secrets.VerifyAssertion(models.NewSecret(assertion), jwks)
	if !ok || index != wantIndex || !reflect.DeepEqual(claims, wantClaims) {
		t.Errorf("%s: %v, key %d, %+v", name, ok, index, claims)
	}
	if client, problem := secrets.AssertedClient(models.NewSecret(assertion)); problem != "" || client != "c1" {
		t.Errorf("%s: client %q, %v", name, client, ok)
	}
}

// K1: what go-jose signs and what the standard library alone signs is good, by
// the right one of several keys.
func TestVerifyAssertion(t *testing.T) {
	keys, jwks := mine(), mine().jwks(t)
	for _, tt := range []struct {
		name, assertion string
		index           int
	}{
		{"RS256", signJOSE(t, jose.RS256, keys.rsa, goodClaims), 0},
		{"PS256", signJOSE(t, jose.PS256, keys.rsa, goodClaims), 0},
		{"ES256", signJOSE(t, jose.ES256, keys.ec, goodClaims), 1},
		{"EdDSA", signJOSE(t, jose.EdDSA, keys.ed, goodClaims), 2},
		{"RS256 by hand", byHand(`{"alg":"RS256"}`, goodClaims, rs256(keys.rsa)), 0},
		{"PS256 by hand", byHand(`{"alg":"PS256"}`, goodClaims, ps256(keys.rsa)), 0},
		{"ES256 by hand", byHand(`{"typ":"JWT","alg":"ES256"}`, goodClaims, es256(keys.ec)), 1},
		{"EdDSA by hand", byHand(` {"alg" : "EdDSA" } `, goodClaims, edDSA(keys.ed)), 2},
		{"Ed25519 by hand", byHand(`{"alg":"Ed25519"}`, goodClaims, edDSA(keys.ed)), 2},
		{"hints", byHand(`{"alg":"ES256","kid":"../../etc/passwd","x5t":"AA","own":{"a":1}}`, goodClaims, es256(keys.ec)), 1},
	} {
		checkGood(t, tt.name, tt.assertion, jwks, tt.index)
		checkGood(t, tt.name+", alone", tt.assertion, jwks[tt.index:tt.index+1], 0)
		others := append(stranger().jwks(t), jwks...)
		checkGood(t, tt.name+", after others", tt.assertion, others, tt.index+3)
		checkRefused(t, tt.name+", other keys", tt.assertion, stranger().jwks(t))
		checkRefused(t, tt.name+", no key", tt.assertion, nil)
		checkTampered(t, tt.name, tt.assertion, jwks)
	}
}

func checkTampered(t *testing.T, name, assertion string, jwks []string) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	payload := b64([]byte(strings.Replace(goodClaims, "1700000300", "1900000300", 1)))
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	spaced := b64([]byte(strings.TrimSpace(string(header)) + "  \n"))
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	signature[len(signature)-1] ^= 1
	// All four kinds of signature leave four bits of the last character unused.
	last := strings.NewReplacer("A", "B", "Q", "R", "g", "h", "w", "x").Replace(assertion[len(assertion)-1:])
	for part, changed := range map[string]string{
		"loose bits":    assertion[:len(assertion)-1] + last,
		"payload":       parts[0] + "." + payload + "." + parts[2],
		"header":        spaced + "." + parts[1] + "." + parts[2],
		"signature":     parts[0] + "." + parts[1] + "." + b64(signature),
		"no signature":  parts[0] + "." + parts[1] + ".",
		"zeros":         parts[0] + "." + parts[1] + "." + b64(make([]byte, len(signature))),
		"short":         parts[0] + "." + parts[1] + "." + b64(signature[1:]),
		"detached":      parts[0] + ".." + parts[2],
		"break inside":  assertion[:9] + "\n" + assertion[9:],
		"break after":   assertion + "\r\n",
		"space before":  " " + assertion,
		"padding":       assertion + "=",
		"fourth part":   assertion + ".",
		"fifth part":    assertion + ".AA.AA",
		"JSON":          `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"plain base64+": strings.NewReplacer("-", "+", "_", "/").Replace(assertion) + "+",
	} {
		checkRefused(t, name+", "+part, changed, jwks)
	}
}

// RFC 7515, appendices A.2 and A.3.
func TestVerifyAssertionOfRFC7515(t *testing.T) {
	const payload = ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	jwks := []string{
		`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
	}
	want := secrets.Assertion{Issuer: "joe", ExpiresAt: 1300819380_000}
	for i, assertion := range []string{
		"eyJhbGciOiJSUzI1NiJ9" + payload + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		"eyJhbGciOiJFUzI1NiJ9" + payload + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
	} {
		claims, index, ok := secrets.VerifyAssertion(models.NewSecret(assertion), jwks)
		if !ok || index != i || !reflect.DeepEqual(claims, want) {
			t.Errorf("%d: %v, key %d, %+v", i, ok, index, claims)
		}
		if client, problem := secrets.AssertedClient(models.NewSecret(assertion)); problem == "" || client != "" {
			t.Errorf("%d: client %q without a subject", i, client)
		}
	}
}

// RFC 8725: the header does not choose what a key means (K1, K7).
func TestVerifyAssertionAlgorithms(t *testing.T) {
	keys, jwks := mine(), mine().jwks(t)
	none := func(string) []byte { return nil }
	for _, alg := range []string{"none", "None", "nOnE", "", "HS256", "RS384", "ES384", "ES256K", "Ed448", "ed25519", "rs256"} {
		for _, sign := range []func(string) []byte{none, rs256(keys.rsa), es256(keys.ec), edDSA(keys.ed)} {
			checkRefused(t, "alg "+alg, byHand(`{"alg":"`+alg+`"}`, goodClaims, sign), jwks)
		}
	}
	for i, jwk := range jwks {
		for _, secret := range []string{jwk, pemOf(t, keys.public()[i]), strings.TrimSpace(pemOf(t, keys.public()[i])), ""} {
			checkRefused(t, "public key as HMAC key", byHand(`{"alg":"HS256"}`, goodClaims, hs256(secret)), jwks)
		}
	}
	der := func(input string) []byte {
		raw, _ := ecdsa.SignASN1(rand.Reader, keys.ec, digest(input))
		return raw
	}
	noSalt := func(input string) []byte {
		raw, _ := rsa.SignPKCS1v15(nil, keys.rsa, 0, digest(input))
		return raw
	}
	for name, assertion := range map[string]string{
		"RS256 by PSS":     byHand(`{"alg":"RS256"}`, goodClaims, ps256(keys.rsa)),
		"PS256 by PKCS#1":  byHand(`{"alg":"PS256"}`, goodClaims, rs256(keys.rsa)),
		"RS256 no hash ID": byHand(`{"alg":"RS256"}`, goodClaims, noSalt),
		"RS256 by EC":      byHand(`{"alg":"RS256"}`, goodClaims, es256(keys.ec)),
		"ES256 by RSA":     byHand(`{"alg":"ES256"}`, goodClaims, rs256(keys.rsa)),
		"ES256 by Ed25519": byHand(`{"alg":"ES256"}`, goodClaims, edDSA(keys.ed)),
		"EdDSA by EC":      byHand(`{"alg":"EdDSA"}`, goodClaims, es256(keys.ec)),
		"Ed25519 by EC":    byHand(`{"alg":"Ed25519"}`, goodClaims, es256(keys.ec)),
		"ES256 in DER":     byHand(`{"alg":"ES256"}`, goodClaims, der),
	} {
		checkRefused(t, name, assertion, jwks)
	}
	rs := byHand(`{"alg":"RS256"}`, goodClaims, rs256(keys.rsa))
	checkRefused(t, "RS256 with an EC key", rs, jwks[1:])
	checkRefused(t, "ES256 with an RSA key", byHand(`{"alg":"ES256"}`, goodClaims, es256(keys.ec)), jwks[:1])
}

// A key that was made for one algorithm is good for no other (RFC 7517 section 4.4).
func TestVerifyAssertionByAKeyForOneAlgorithm(t *testing.T) {
	keys := mine()
	held := func(key any, alg string) []string {
		parsed, problem := secrets.ParsePublicKey(jwkOf(t, key, `"alg":"`+alg+`"`))
		if problem != "" {
			t.Fatal(problem)
		}
		return []string{parsed.JWK}
	}
	rs, ps := byHand(`{"alg":"RS256"}`, goodClaims, rs256(keys.rsa)), byHand(`{"alg":"PS256"}`, goodClaims, ps256(keys.rsa))
	checkGood(t, "RS256", rs, held(&keys.rsa.PublicKey, "RS256"), 0)
	checkGood(t, "PS256", ps, held(&keys.rsa.PublicKey, "PS256"), 0)
	checkRefused(t, "PS256 by a key for RS256", ps, held(&keys.rsa.PublicKey, "RS256"))
	checkRefused(t, "RS256 by a key for PS256", rs, held(&keys.rsa.PublicKey, "PS256"))
	checkGood(t, "ES256", byHand(`{"alg":"ES256"}`, goodClaims, es256(keys.ec)), held(&keys.ec.PublicKey, "ES256"), 0)
	for _, name := range []string{"EdDSA", "Ed25519"} { // the same by its old and its new name (RFC 9864)
		for _, alg := range []string{"EdDSA", "Ed25519"} {
			checkGood(t, name, byHand(`{"alg":"`+name+`"}`, goodClaims, edDSA(keys.ed)), held(keys.ed.Public(), alg), 0)
		}
	}
}

// A header brings no key along, and names none twice.
func TestVerifyAssertionHeaders(t *testing.T) {
	keys, jwks := mine(), mine().jwks(t)
	thief := jwkOf(t, &stranger().ec.PublicKey)
	for _, member := range []string{
		`"jwk":` + thief, `"jwk":` + jwks[1], `"jwk":null`, `"jku":"https://example.com/jwks"`,
		`"x5u":"https://example.com/x"`, `"x5c":[]`, `"\u00785c":[]`,
		`"crit":["exp"],"exp":1`, `"crit":[]`, `"crit":null`, `"b64":true`, `"crit":["b64"],"b64":false`,
		`"alg":"ES256"`, `"\u0061lg":"none"`, `"kid":"a","kid":"b"`, `"kid":7`, "\"kid\":\"\xff\"",
	} {
		assertion := byHand(`{"alg":"ES256",`+member+`}`, goodClaims, es256(keys.ec))
		checkRefused(t, member, assertion, jwks)
		if client, problem := secrets.AssertedClient(models.NewSecret(assertion)); problem == "" || client != "" {
			t.Errorf("%s: client %q", member, client)
		}
	}
	stolen := byHand(`{"alg":"ES256","jwk":`+thief+`}`, goodClaims, es256(stranger().ec))
	checkRefused(t, "signed by the key in the header", stolen, jwks)
	for _, header := range []string{"", "{}", "null", "[]", `"ES256"`, `{"ALG":"ES256"}`, `{"alg":["ES256"]}`, `{"alg":"ES256"}{}`, `{"alg":"ES256",}`} {
		checkRefused(t, header, byHand(header, goodClaims, es256(keys.ec)), jwks)
	}
}

func TestVerifyAssertionClaims(t *testing.T) {
	keys, jwks := mine(), mine().jwks(t)
	const last = models.Time(253402300799_000)
	for _, tt := range []struct {
		claims string
		want   secrets.Assertion
		good   bool
	}{
		{`{}`, secrets.Assertion{}, true},
		{` {"sub" : "\u0063\u00e9" } `, secrets.Assertion{Subject: "cé"}, true},
		{`{"SUB":"a","Exp":1}`, secrets.Assertion{}, true},
		{`{"aud":["a","b"]}`, secrets.Assertion{Audience: []string{"a", "b"}}, true},
		{`{"aud":[]}`, secrets.Assertion{Audience: []string{}}, true},
		{`{"exp":1.5,"nbf": 0.25 ,"iat":1e3}`, secrets.Assertion{ExpiresAt: 1500, NotBefore: 250, IssuedAt: 1000_000}, true},
		{`{"exp":253402300799,"nbf":0}`, secrets.Assertion{ExpiresAt: last}, true},
		{claims: `{"exp":253402300800}`},
		{claims: `{"exp":9223372036854775807}`},
		{claims: `{"exp":18446744073709551616}`},
		{claims: `{"exp":1e400}`},
		{claims: `{"exp":NaN}`},
		{claims: `{"exp":Infinity}`},
		{claims: `{"exp":0x10}`},
		{claims: `{"exp":-1}`},
		{claims: `{"nbf":-0.001}`},
		{claims: `{"iat":"1700000000"}`},
		{claims: `{"iat":null}`},
		{claims: `{"exp":true}`},
		{claims: `{"exp":[1]}`},
		{claims: `{"sub":7}`},
		{claims: `{"sub":null}`},
		{claims: `{"iss":["c1"]}`},
		{claims: `{"jti":{}}`},
		{claims: `{"aud":null}`},
		{claims: `{"aud":7}`},
		{claims: `{"aud":["a",null]}`},
		{claims: `{"aud":["a",7]}`},
		{claims: `{"aud":[["a"]]}`},
		{claims: `{"sub":"a","sub":"a"}`},
		{claims: `{"sub":"a","\u0073ub":"b"}`},
		{claims: `{"own":1,"own":2}`},
		{claims: "{\"sub\":\"a\xff\"}"},
		{claims: `{"sub":"a"}{}`},
		{claims: `{"sub":"a",}`},
		{claims: `[]`},
		{claims: `null`},
		{claims: `"sub"`},
		{claims: ``},
	} {
		assertion := byHand(`{"alg":"ES256"}`, tt.claims, es256(keys.ec))
		claims, _, ok := secrets.VerifyAssertion(models.NewSecret(assertion), jwks)
		if ok != tt.good || !reflect.DeepEqual(claims, tt.want) {
			t.Errorf("%s: %v, %+v", tt.claims, ok, claims)
		}
		client, problem := secrets.AssertedClient(models.NewSecret(assertion))
		if client != tt.want.Subject || (problem == "") != (client != "") {
			t.Errorf("%s: client %q, %s", tt.claims, client, problem)
		}
	}
}

func TestVerifyAssertionLength(t *testing.T) {
	keys, jwks := mine(), mine().jwks(t)
	sign := func(filler int) string {
		return byHand(`{"alg":"EdDSA"}`, strings.Repeat(" ", filler)+goodClaims, edDSA(keys.ed))
	}
	longest := 0
	for len(sign(longest+1)) <= 8<<10 {
		longest++
	}
	checkGood(t, "longest", sign(longest), jwks, 2)
	checkRefused(t, "too long", sign(longest+1), jwks)
	checkRefused(t, "empty", "", jwks)
	checkRefused(t, "dots", strings.Repeat(".", 8<<10), jwks)
	if _, _, ok := secrets.VerifyAssertion(models.Secret{}, jwks); ok {
		t.Error("the zero secret is good")
	}
}

// A stored key counts only if it would be taken today.
func TestVerifyAssertionStoredKeys(t *testing.T) {
	keys := mine()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	assertion := byHand(`{"alg":"RS256"}`, goodClaims, rs256(keys.rsa))
	for _, jwk := range []string{
		"", "null", "{}", "[]", "CANARY", `{"kty":"RSA"}`, `{"kty":"oct","k":"AAAA"}`, jwkOf(t, keys.rsa), pemOf(t, &keys.rsa.PublicKey),
	} {
		checkRefused(t, jwk, assertion, []string{jwk})
		checkGood(t, jwk, assertion, []string{jwk, jwkOf(t, &keys.rsa.PublicKey)}, 1)
	}
	checkRefused(t, "RSA 1024", byHand(`{"alg":"RS256"}`, goodClaims, rs256(small)), []string{jwkOf(t, &small.PublicKey)})
	symmetric := `{"kty":"oct","k":"` + b64([]byte(strings.Repeat("k", 32))) + `"}`
	checkRefused(t, "HMAC", byHand(`{"alg":"HS256"}`, goodClaims, hs256(strings.Repeat("k", 32))), []string{symmetric})
}

// Larger RSA keys than the usual ones, and signatures of every length, also where
// there is no key to try.
func TestVerifyAssertionRSASizes(t *testing.T) {
	large, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	jwks := append(mine().jwks(t), jwkOf(t, &large.PublicKey))
	checkGood(t, "3072", byHand(`{"alg":"PS256"}`, goodClaims, ps256(large)), jwks, 3)
	for _, size := range []int{1, 64, 255, 256, 257, 384, 512, 1024} {
		for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
			zeros := func(string) []byte { return make([]byte, size) }
			assertion := byHand(`{"alg":"`+alg+`"}`, goodClaims, zeros)
			checkRefused(t, alg, assertion, jwks)
			checkRefused(t, alg+", unknown client", assertion, nil)
		}
	}
}
