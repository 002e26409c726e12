package providertest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"sync"
)

// keys are the provider's own and one that it does not publish.
type keys struct{ own, stranger *rsa.PrivateKey }

// newKeys makes them once: that takes a while.
var newKeys = sync.OnceValue(func() keys {
	var made [2]*rsa.PrivateKey
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return keys{made[0], made[1]}
})

func (k keys) public() map[string]any { return jwk(&k.own.PublicKey, "k1") }

func jwk(key *rsa.PublicKey, id string) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
}

// StrangerJWK is a public key of nobody's, for a header that brings its own.
func StrangerJWK() map[string]any { return jwk(&newKeys().stranger.PublicKey, "k1") }

func (k keys) sign(algorithm string, header, claims map[string]any) string {
	if algorithm == "none" || algorithm == "HS256" {
		header["alg"] = algorithm
	}
	input := encoded(header) + "." + encoded(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(k.signature(algorithm, input))
}

func (k keys) signature(algorithm, input string) []byte {
	key := k.own
	switch algorithm {
	case "none":
		return nil
	case "HS256":
		public, err := x509.MarshalPKIXPublicKey(&k.own.PublicKey)
		if err != nil {
			panic(err)
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	case "stranger":
		key = k.stranger
	}
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signature
}
