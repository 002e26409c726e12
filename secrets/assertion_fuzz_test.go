package secrets_test

import (
	"encoding/json"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// FuzzParsePublicKey: what is taken reads back as itself and holds no secret; what
// is refused gives nothing but a sentence.
func FuzzParsePublicKey(f *testing.F) {
	for _, key := range mine().public() {
		f.Add(pemOf(f, key))
		f.Add(jwkOf(f, key, `"use":"sig"`, `"key_ops":["verify"]`))
		f.Add(`{"keys":[` + jwkOf(f, key) + `]}`)
	}
	f.Add(jwkOf(f, stranger().ec))
	f.Add(pemBlock("RSA PUBLIC KEY", []byte{0x30, 0}))
	f.Add("ssh-ed25519 AAAA me@host")
	f.Fuzz(func(t *testing.T, text string) {
		key, problem := secrets.ParsePublicKey(text)
		if problem != "" {
			if key != (secrets.PublicKey{}) || len(problem) > 200 {
				t.Errorf("%+v, %q", key, problem)
			}
			return
		}
		var members map[string]string
		if err := json.Unmarshal([]byte(key.JWK), &members); err != nil {
			t.Fatal(err)
		}
		for name := range members {
			if !strings.Contains(" kty crv x y n e ", " "+name+" ") {
				t.Errorf("%s in %s", name, key.JWK)
			}
		}
		if again, problem := secrets.ParsePublicKey(key.JWK); problem != "" || again != key {
			t.Errorf("%q reads back as %+v, %q", key.JWK, again, problem)
		}
	})
}

// FuzzAssertion: nothing is good but what was signed, to the letter.
func FuzzAssertion(f *testing.F) {
	keys, jwks := mine(), mine().jwks(f)
	signed := map[string]bool{}
	for alg, key := range map[jose.SignatureAlgorithm]any{jose.RS256: keys.rsa, jose.PS256: keys.rsa, jose.ES256: keys.ec, jose.EdDSA: keys.ed} {
		text := signJOSE(f, alg, key, goodClaims)
		signed[text] = true
		f.Add(text)
		f.Add(strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	}
	f.Add(byHand(`{"alg":"none"}`, goodClaims, func(string) []byte { return nil }))
	f.Add(byHand(`{"alg":"HS256","kid":"a"}`, `{"sub":"a","aud":["a"],"exp":1e3}`, hs256(jwks[0])))
	f.Fuzz(func(t *testing.T, text string) {
		assertion := models.NewSecret(text)
		client, problem := secrets.AssertedClient(assertion)
		if (problem == "") != (client != "") {
			t.Errorf("client %q, %s", client, problem)
		}
		claims, index, ok := secrets.VerifyAssertion(assertion, jwks)
		if ok != signed[text] {
			t.Errorf("%q: %v by key %d", text, ok, index)
		}
		if ok && claims.Subject != client {
			t.Errorf("subject %q, looked up %q", claims.Subject, client)
		}
		if _, _, ok := secrets.VerifyAssertion(assertion, nil); ok {
			t.Errorf("%q is good without a key", text)
		}
	})
}
