package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// ed25519Name is EdDSA with this curve by the name of RFC 9864, which go-jose does not know.
	ed25519Name jose.SignatureAlgorithm = "Ed25519"
)

// keyPair signs client assertions.
type keyPair struct {
	id  string // of the public half, where an application has it
	alg jose.SignatureAlgorithm
	key crypto.Signer
}

func newKeyPair(t testing.TB, alg jose.SignatureAlgorithm) keyPair {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA, ed25519Name:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{store.NewID(), alg, key}
}

// addKey makes a pair and gives the application the public half, as a page does.
func (s *server) addKey(t testing.TB, actor models.Actor, app models.Application, alg jose.SignatureAlgorithm) keyPair {
	t.Helper()
	pair := newKeyPair(t, alg)
	text, err := jose.JSONWebKey{Key: pair.key.Public()}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	public, problem := secrets.ParsePublicKey(string(text))
	if problem != "" {
		t.Fatal(problem)
	}
	key := models.ClientKey{ID: pair.id, Name: pair.id, JWK: public.JWK, Thumbprint: public.Thumbprint, Description: public.Description}
	if err := s.AddClientKey(t.Context(), actor, app.ID, key, ""); err != nil {
		t.Fatal(err)
	}
	return pair
}

// claims of a client assertion.
type claims map[string]any

// with returns the claims with one of them changed, or left out for nil.
func (c claims) with(name string, value any) claims {
	changed := maps.Clone(c)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

// claims are good ones, with an ID of their own.
func (s *server) claims(app models.Application) claims {
	return claims{"iss": app.ClientID, "sub": app.ClientID, "aud": issuerURL, "exp": s.inSeconds(time.Minute), "jti": store.NewID()}
}

func (s *server) inSeconds(d time.Duration) int64 { return s.Now().Add(d).Std().Unix() }

func (p keyPair) sign(t testing.TB, what claims) string {
	t.Helper()
	payload, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return p.signBytes(t, payload)
}

func (p keyPair) signBytes(t testing.TB, payload []byte) string {
	t.Helper()
	if key, ok := p.key.(ed25519.PrivateKey); ok && p.alg == ed25519Name {
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"Ed25519"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
		return input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(input)))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: p.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// asserted is a form by which a client proves itself by an assertion. It serves
// every endpoint.
func asserted(assertion, more string) string {
	return "grant_type=client_credentials&token=x&client_assertion_type=" + url.QueryEscape(assertionType) + "&client_assertion=" + url.QueryEscape(assertion) + more
}

// outcome checks the answer of any endpoint: an empty code means a good one.
func outcome(t *testing.T, what, endpoint string, got answer, code string) {
	t.Helper()
	status := 401
	switch code {
	case "":
		status = 200
	case "invalid_request":
		status = 400
	}
	if status == 200 && endpoint == "revoke" {
		revoked(t, what, got)
		return
	}
	refusal(t, what+" at "+endpoint, got, status, code)
}

var endpoints = []string{"token", "introspect", "revoke"}

// RFC 7523 section 3: each algorithm, at each endpoint.
func TestAssertionAlgorithms(t *testing.T) { // O2
	s := newServer(t)
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA, ed25519Name} {
		pair := s.addKey(t, s.ana, s.app, alg)
		for _, endpoint := range endpoints {
			got := s.call(t, endpoint, asserted(pair.sign(t, s.claims(s.app)), ""))
			outcome(t, string(alg), endpoint, got, "")
		}
	}
	other := newKeyPair(t, jose.ES256)
	outcome(t, "key of nobody", "token", s.post(t, asserted(other.sign(t, s.claims(s.app)), "")), "invalid_client")
}
