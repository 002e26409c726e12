package secrets_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/secrets"
)

const (
	unreadable = "This is not a public key that can be read. Paste one as PEM or JWK."
	otherKind  = "Use an RSA, an EC P-256 or an Ed25519 key."
	private    = "This is a private key. Do not use it any more: make a new pair and paste the public key."
	symmetric  = "This is a symmetric key, which is a secret. Do not use it any more: make a key pair and paste the public key."
	oneKey     = "Paste one key and nothing after it."
	wrongUse   = "The use of this key is not sig. Paste a key for signatures."
	wrongOps   = "The key_ops of this key do not include verify. Paste a key for signatures."
	wrongAlg   = "The alg of this key must be ES256, RS256, PS256, EdDSA or Ed25519 and fit its kty."
	exponent   = "This RSA key has an unusual exponent. Make one with the exponent 65537."
	fromCert   = "This is a certificate. Paste what this prints: openssl x509 -in cert.pem -pubkey -noout"
	fromSSH    = "This is an SSH key. Paste what this prints: ssh-keygen -e -m PKCS8 -f key.pub"
	notFromSSH = "This SSH key cannot be converted. Make a pair with openssl genpkey -algorithm ed25519 -out key.pem and paste what openssl pkey -in key.pem -pubout prints."
)

// RFC 7638, section 3.1.
const (
	rfc7638N          = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	rfc7638Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
)

// pair holds one private key of each kind.
type pair struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newPair() pair {
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, err3 := ed25519.GenerateKey(rand.Reader)
	if err1 != nil || err2 != nil || err3 != nil {
		panic("no keys")
	}
	return pair{rsaKey, ecKey, edKey}
}

var (
	mine     = sync.OnceValue(newPair)
	stranger = sync.OnceValue(newPair)
)

func (p pair) public() []any {
	return []any{&p.rsa.PublicKey, &p.ec.PublicKey, p.ed.Public()}
}

func pemBlock(kind string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}

func pemOf(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemBlock("PUBLIC KEY", der)
}

// jwkOf returns the key's JSON; each of more is a further member, "name":value.
func jwkOf(t testing.TB, key any, more ...string) string {
	t.Helper()
	text, err := jose.JSONWebKey{Key: key}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append([]string{strings.TrimSuffix(string(text), "}")}, more...), ",") + "}"
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// rsaJWK has the given number of bits and is nobody's.
func rsaJWK(bits uint, e string) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return fmt.Sprintf(`{"kty":"RSA","n":"%s","e":"%s"}`, b64(n.Sub(n, big.NewInt(159)).Bytes()), e)
}

func rsaPEM(t *testing.T, bits uint, e int) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return pemOf(t, &rsa.PublicKey{N: n.Sub(n, big.NewInt(159)), E: e})
}

func TestParsePublicKeyThumbprint(t *testing.T) {
	key, problem := secrets.ParsePublicKey(`{"kty":"RSA","n":"` + rfc7638N + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`)
	if problem != "" || key.Thumbprint != rfc7638Thumbprint || key.Description != "RSA, 2048 bits, RS256" || !strings.Contains(key.JWK, `"alg":"RS256"`) {
		t.Errorf("%+v, %q", key, problem)
	}
}

// Every way to write a key down gives the same key, and nothing but the key.
func TestParsePublicKeyForms(t *testing.T) {
	for i, want := range []struct{ alg, description string }{
		{"RS256", "RSA, 2048 bits"}, {"ES256", "EC, P-256"}, {"EdDSA", "Ed25519"},
	} {
		key := mine().public()[i]
		jwk, text := jwkOf(t, key), pemOf(t, key)
		first, problem := secrets.ParsePublicKey(jwk)
		if problem != "" || first.Description != want.description {
			t.Fatalf("%s: %+v, %q", want.alg, first, problem)
		}
		checkBare(t, first, key)
		forms := map[string]string{
			"PEM":            text,
			"CRLF":           strings.ReplaceAll(text, "\n", "\r\n"),
			"no last break":  strings.TrimSpace(text),
			"spaces around":  " \r\n\t" + text + "\n \n",
			"own JWK":        first.JWK,
			"JWK and spaces": "\n " + strings.ReplaceAll(jwk, ",", " ,\r\n\t") + "\n",
			"all members":    jwkOf(t, key, `"use":"sig"`, `"key_ops":["sign","verify"]`, `"kid":7`, `"x5c":["!"]`, `"x5u":"::"`, `"own":{}`),
			"set":            `{"keys":[` + jwk + `]}`,
		}
		if pub, ok := key.(*rsa.PublicKey); ok {
			forms["PKCS#1"] = pemBlock("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(pub))
			forms["zeros before n"] = strings.Replace(jwk, b64(pub.N.Bytes()), b64(append([]byte{0, 0}, pub.N.Bytes()...)), 1)
		}
		for name, form := range forms {
			if got, problem := secrets.ParsePublicKey(form); problem != "" || got != first {
				t.Errorf("%s as %s: %+v, %q", want.alg, name, got, problem)
			}
		}
		held, problem := secrets.ParsePublicKey(jwkOf(t, key, `"alg":"`+want.alg+`"`))
		if problem != "" || held.Thumbprint != first.Thumbprint || strings.Replace(held.JWK, `"alg":"`+want.alg+`",`, "", 1) != first.JWK {
			t.Errorf("%s with its alg: %+v, %q", want.alg, held, problem)
		}
	}
}

// checkBare compares with the thumbprint that go-jose has, and with the hash of
// the members in order, taken by hand.
func checkBare(t *testing.T, got secrets.PublicKey, key any) {
	t.Helper()
	thumbprint, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil || got.Thumbprint != b64(thumbprint) {
		t.Errorf("thumbprint %s, %v", got.Thumbprint, err)
	}
	members := map[string]string{}
	if err := json.Unmarshal([]byte(got.JWK), &members); err != nil {
		t.Fatal(err)
	}
	// encoding/json sorts a map by name, as RFC 7638 asks.
	sorted, _ := json.Marshal(members)
	if sum := sha256.Sum256(sorted); b64(sum[:]) != got.Thumbprint {
		t.Errorf("%s has more than the key in it", got.JWK)
	}
}

// A private key is told from whatever else is wrong, so that its owner hears of it.
func TestParsePublicKeyPrivate(t *testing.T) {
	keys := mine()
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(keys.ed)
	sec1, _ := x509.MarshalECPrivateKey(keys.ec)
	ec, public := jwkOf(t, &keys.ec.PublicKey), pemOf(t, &keys.ec.PublicKey)
	forms := []string{
		pemBlock("PRIVATE KEY", pkcs8),
		pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(keys.rsa)),
		pemBlock("EC PARAMETERS", []byte{6, 0}) + pemBlock("EC PRIVATE KEY", sec1),
		pemBlock("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")),
		pemBlock("ENCRYPTED PRIVATE KEY", pkcs8),
		pemBlock("PRIVATE KEY", pkcs8)[:60],
		public + pemBlock("PRIVATE KEY", pkcs8),
		"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
		"PuTTY-User-Key-File-3: ssh-ed25519\n",
		jwkOf(t, keys.rsa), jwkOf(t, keys.ec), jwkOf(t, keys.ed),
		`{"keys":[` + jwkOf(t, keys.ec) + `]}`,
		`{"keys":[` + ec + `,` + jwkOf(t, keys.ed) + `,` + ec + `]}`,
		`{"keys":[],"d":""}`,
		`{"kty":"AKP","alg":"ML-DSA-44","priv":"AA"}`,
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "\\u0064"} {
		forms = append(forms, jwkOf(t, &keys.rsa.PublicKey, `"`+name+`":null`, `"use":"enc"`))
	}
	for _, form := range forms {
		if key, problem := secrets.ParsePublicKey(form); problem != private || key != (secrets.PublicKey{}) {
			t.Errorf("%.40q: %q", form, problem)
		}
	}
}

// K7: the sentence is a fixed one, and there is no half a key beside it.
func TestParsePublicKeyRefused(t *testing.T) {
	keys := mine()
	ec, edPEM := jwkOf(t, &keys.ec.PublicKey), pemOf(t, keys.ed.Public())
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	x25519, _ := ecdh.X25519().GenerateKey(rand.Reader)
	offCurve, _ := x509.MarshalPKIXPublicKey(&keys.ec.PublicKey)
	offCurve[len(offCurve)-1] ^= 1
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	okp := func(x []byte) string { return `{"kty":"OKP","crv":"Ed25519","x":"` + b64(x) + `"}` }
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "Paste a public key."},
		{"blank", " \r\n\t", "Paste a public key."},
		{"too long", strings.Repeat(" ", 16<<10+1), "This is too long for a public key. Use at most 16 KiB."},
		{"longest", strings.Repeat("x", 16<<10), unreadable},
		{"words", "my key", unreadable},
		{"not text", "{\"kty\":\"\xff\"}", unreadable},

		{"certificate", pemBlock("CERTIFICATE", []byte{1}), fromCert},
		{"chain", pemBlock("CERTIFICATE", []byte{1}) + pemBlock("CERTIFICATE", []byte{2}), fromCert},
		{"openssl's own certificate", pemBlock("TRUSTED CERTIFICATE", []byte{1}), fromCert},
		{"request", pemBlock("CERTIFICATE REQUEST", []byte{1}), unreadable},
		{"ssh-rsa", "ssh-rsa AAAAB3NzaC1yc2E= me@host", fromSSH},
		{"ecdsa", "ecdsa-sha2-nistp256 AAAA me@host", fromSSH},
		{"SSH2", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", fromSSH},
		{"ssh-ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host", notFromSSH},
		{"hardware", "sk-ssh-ed25519@openssh.com AAAA me@host", notFromSSH},

		{"two blocks", edPEM + edPEM, oneKey},
		{"text after", edPEM + "and more", oneKey},
		{"damaged block before", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n" + edPEM, oneKey},
		{"text before", "and more\n" + edPEM, unreadable},
		{"damaged", strings.Replace(edPEM, "M", "!", 1), unreadable},
		{"half", edPEM[:len(edPEM)/2], unreadable},
		{"empty block", pemBlock("PUBLIC KEY", nil), unreadable},
		{"wrong label", pemBlock("RSA PUBLIC KEY", offCurve), unreadable},
		{"unknown label", pemBlock("EC PARAMETERS", []byte{6, 0}), unreadable},
		{"P-256 off the curve", pemBlock("PUBLIC KEY", offCurve), unreadable},
		{"P-384", pemOf(t, &p384.PublicKey), otherKind},
		{"X25519", pemOf(t, x25519.PublicKey()), otherKind},
		{"RSA 1024", pemOf(t, &small.PublicKey), "This RSA key has 1024 bits. Use one of at least 2048."},
		{"RSA 16384", rsaPEM(t, 16384, 65537), "This RSA key has 16384 bits. Use one of at most 8192."},
		{"RSA e 3", rsaPEM(t, 2048, 3), exponent},
		{"RSA e too large", rsaPEM(t, 2048, 1<<31+1), exponent},

		{"array", "[" + ec + "]", unreadable},
		{"half JWK", ec[:len(ec)-1], unreadable},
		{"two JWKs", ec + ec, unreadable},
		{"no members", "{}", unreadable},
		{"name twice", strings.Replace(ec, `"kty"`, `"crv":"P-256","kty"`, 1), unreadable},
		{"name twice, one escaped", strings.Replace(ec, `"kty"`, `"\u0063rv":"P-256","kty"`, 1), unreadable},
		{"name in capitals", strings.Replace(ec, `"kty"`, `"KTY"`, 1), unreadable},
		{"kty a number", `{"kty":1}`, unreadable},
		{"unknown kty", `{"kty":"AKP","pub":"AA"}`, otherKind},
		{"symmetric", `{"kty":"oct","k":"AAAA"}`, symmetric},
		{"symmetric in a set", `{"keys":[` + ec + `,{"kty":"oct"}]}`, symmetric},
		{"JWK P-384", jwkOf(t, &p384.PublicKey), otherKind},
		{"JWK secp256k1", `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, otherKind},
		{"JWK X25519", `{"kty":"OKP","crv":"X25519","x":"` + b64(x25519.PublicKey().Bytes()) + `"}`, otherKind},
		{"JWK off the curve", `{"kty":"EC","crv":"P-256","x":"` + b64(make([]byte, 32)) + `","y":"` + b64(make([]byte, 32)) + `"}`, unreadable},
		{"JWK short x", `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, unreadable},
		{"JWK no x", `{"kty":"EC","crv":"P-256"}`, unreadable},
		{"Ed25519 short", okp(make([]byte, 31)), unreadable},
		{"Ed25519 long", okp(make([]byte, 33)), unreadable},
		{"Ed25519 order 4", okp(make([]byte, 32)), unreadable},
		{"Ed25519 order 1", okp(append([]byte{1}, make([]byte, 31)...)), unreadable},
		{"Ed25519 order 2", okp(append(append([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f)), unreadable},
		{"PEM Ed25519 order 1", pemOf(t, ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...))), unreadable},
		{"JWK RSA 2047", rsaJWK(2047, "AQAB"), "This RSA key has 2047 bits. Use one of at least 2048."},
		{"JWK RSA 8200", rsaJWK(8200, "AQAB"), "This RSA key has 8200 bits. Use one of at most 8192."},
		{"JWK RSA even", `{"kty":"RSA","e":"AQAB","n":"` + b64(append([]byte{0x80}, make([]byte, 255)...)) + `"}`, unreadable},
		{"JWK RSA e 65536", rsaJWK(2048, "AQAA"), exponent},
		{"JWK RSA e 65538", rsaJWK(2048, "AQAC"), exponent},
		{"JWK RSA e 65539", rsaJWK(2048, "AQAD"), ""},
		{"JWK RSA e 1", rsaJWK(2048, "AQ"), unreadable},
		{"JWK RSA e too large", rsaJWK(2048, b64([]byte{0x80, 0, 0, 1})), exponent},
		{"JWK RSA e far too large", rsaJWK(2048, b64(bytes.Repeat([]byte{0xff}, 40))), unreadable},
		{"JWK RSA 8192", rsaJWK(8192, "AQAB"), ""},
		{"JWK RSA no e", `{"kty":"RSA","n":"` + rfc7638N + `"}`, unreadable},

		{"set of none", `{"keys":[]}`, "This set has 0 keys. Paste one key."},
		{"set of two", `{"keys":[` + ec + `,` + ec + `]}`, "This set has 2 keys. Paste one key."},
		{"set of text", `{"keys":["x"]}`, unreadable},
		{"set no list", `{"keys":{}}`, unreadable},
		{"set in a set", `{"keys":[{"keys":[` + ec + `]}]}`, unreadable},
		{"use enc", jwkOf(t, &keys.ec.PublicKey, `"use":"enc"`), wrongUse},
		{"use null", jwkOf(t, &keys.ec.PublicKey, `"use":null`), wrongUse},
		{"key_ops sign", jwkOf(t, &keys.ec.PublicKey, `"key_ops":["sign"]`), wrongOps},
		{"key_ops empty", jwkOf(t, &keys.ec.PublicKey, `"key_ops":[]`), wrongOps},
		{"key_ops text", jwkOf(t, &keys.ec.PublicKey, `"key_ops":"verify"`), wrongOps},
		{"alg of another kty", jwkOf(t, &keys.ec.PublicKey, `"alg":"RS256"`), wrongAlg},
		{"alg not taken", jwkOf(t, &keys.rsa.PublicKey, `"alg":"RS512"`), wrongAlg},
		{"alg none", jwkOf(t, &keys.rsa.PublicKey, `"alg":"none"`), wrongAlg},
		{"alg empty", jwkOf(t, &keys.rsa.PublicKey, `"alg":""`), wrongAlg},
		{"alg unknown without kty", `{"alg":"none"}`, wrongAlg},
	} {
		key, problem := secrets.ParsePublicKey(tt.text)
		if problem != tt.want || (problem == "") != (key != secrets.PublicKey{}) {
			t.Errorf("%s: %q, want %q", tt.name, problem, tt.want)
		}
	}
}
