package oauth_test

import (
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// What an assertion must say (RFC 7523 section 3, RFC 7519 section 4.1), at every endpoint.
func TestAssertionClaims(t *testing.T) {
	s := newServer(t)
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	token, introspect := issuerURL+"/oauth2/token", issuerURL+"/oauth2/introspect"
	for _, test := range []struct {
		what, name string
		value      any
		good       bool
	}{
		{"aud issuer", "aud", issuerURL, true},
		{"aud token endpoint", "aud", token, true},
		{"aud list of one", "aud", []string{issuerURL}, true},
		{"aud both", "aud", []string{issuerURL, token}, true},
		{"aud with a foreign one", "aud", []string{issuerURL, "https://other.example.com"}, false},
		{"aud foreign", "aud", "https://other.example.com", false},
		{"aud introspection endpoint", "aud", introspect, false},
		{"aud introspection endpoint beside", "aud", []string{issuerURL, introspect}, false},
		{"aud with a slash behind", "aud", issuerURL + "/", false},
		{"aud in capitals", "aud", strings.ToUpper(issuerURL), false},
		{"aud begins alike", "aud", issuerURL + ".evil.example", false},
		{"aud where it listens", "aud", s.url, false},
		{"aud empty", "aud", "", false},
		{"aud list of none", "aud", []string{}, false},
		{"aud missing", "aud", nil, false},
		{"aud a number", "aud", 1, false},
		{"aud list of numbers", "aud", []int{1}, false},
		{"iss another", "iss", store.NewID(), false},
		{"iss missing", "iss", nil, false},
		{"iss issuer", "iss", issuerURL, false},
		{"sub another", "sub", store.NewID(), false},
		{"sub row ID", "sub", s.app.ID, false},
		{"sub missing", "sub", nil, false},
		{"exp in a second", "exp", s.inSeconds(time.Second), true},
		{"exp in 5 minutes", "exp", s.inSeconds(5 * time.Minute), true},
		{"exp in 5 minutes and a second", "exp", s.inSeconds(5*time.Minute + time.Second), false},
		{"exp in a year", "exp", s.inSeconds(365 * 24 * time.Hour), false},
		{"exp now", "exp", s.inSeconds(0), false}, // T5
		{"exp past", "exp", s.inSeconds(-time.Second), false},
		{"exp missing", "exp", nil, false},
		{"exp in text", "exp", "4102444800", false},
		{"exp negative", "exp", -1, false},
		{"exp huge", "exp", 1e300, false},
		{"nbf now", "nbf", s.inSeconds(0), true},
		{"nbf ahead by the skew", "nbf", s.inSeconds(30 * time.Second), true},
		{"nbf ahead by more", "nbf", s.inSeconds(31 * time.Second), false},
		{"nbf long ago", "nbf", 1, true},
		{"nbf in text", "nbf", "1", false},
		{"iat ahead by the skew", "iat", s.inSeconds(30 * time.Second), true},
		{"iat ahead by more", "iat", s.inSeconds(31 * time.Second), false},
		{"jti missing", "jti", nil, false},
		{"jti empty", "jti", "", false},
		{"jti a number", "jti", 7, false},
		{"jti too long", "jti", strings.Repeat("j", 256), false},
		{"unknown claim", "own", map[string]any{"x": []int{1}}, true},
	} {
		for _, endpoint := range endpoints {
			code := "invalid_client"
			if test.good {
				code = ""
			}
			got := s.call(t, endpoint, asserted(pair.sign(t, s.claims(s.app).with(test.name, test.value)), ""), elsewhere()...)
			outcome(t, test.what, endpoint, got, code)
		}
	}
	outcome(t, "jti of 255 bytes", "token", s.post(t, asserted(pair.sign(t, s.claims(s.app).with("jti", strings.Repeat("j", 255))), "")), "")
}

// An assertion that is not one, or not ours (RFC 7519 section 7.2, RFC 8725).
func TestAssertionForm(t *testing.T) {
	s := newServer(t)
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	rsaPair := s.addKey(t, s.ana, s.app, jose.RS256)
	good := func() string { return pair.sign(t, s.claims(s.app)) }
	strange := rsaPair
	strange.alg = jose.RS512
	for _, test := range []struct{ what, body, code string }{
		{"good", asserted(good(), ""), ""},
		{"client_id absent", asserted(good(), "&client_id="), ""},
		{"client_id the same", asserted(good(), "&client_id="+s.app.ClientID), ""},
		{"client_id another", asserted(good(), "&client_id="+store.NewID()), "invalid_request"},
		{"client_id in capitals", asserted(good(), "&client_id="+strings.ToUpper(s.app.ClientID)), "invalid_request"},
		{"beside a secret", asserted(good(), "&client_secret="+s.secret), "invalid_request"},
		{"beside an empty secret", asserted(good(), "&client_secret="), ""},
		{"doubled", asserted(good(), "&client_assertion=x"), "invalid_request"},
		{"doubled type", asserted(good(), "&client_assertion_type=x"), "invalid_request"},
		{"no type", strings.Replace(asserted(good(), ""), "client_assertion_type", "x", 1), "invalid_request"},
		{"type alone", strings.Replace(asserted(good(), ""), "client_assertion=", "x=", 1), "invalid_request"},
		{"type beside a secret", "client_assertion_type=x&" + s.credentials("&token=x"), "invalid_request"},
		{"SAML type", strings.Replace(asserted(good(), ""), "jwt-bearer", "saml2-bearer", 1), "invalid_client"},
		{"type in capitals", strings.Replace(asserted(good(), ""), "jwt-bearer", "JWT-BEARER", 1), "invalid_client"},
		{"empty assertion", asserted("", ""), "invalid_request"},
		{"no JWT", asserted("x", ""), "invalid_client"},
		{"one part", asserted("e30", ""), "invalid_client"},
		{"two parts", asserted(good()[:strings.LastIndexByte(good(), '.')], ""), "invalid_client"},
		{"no signature", asserted(good()[:strings.LastIndexByte(good(), '.')+1], ""), "invalid_client"},
		{"signature of another", asserted(good()[:len(good())-40]+good()[len(good())-40:], ""), "invalid_client"},
		{"space behind", asserted(good()+" ", ""), "invalid_client"},
		{"algorithm that is not taken", asserted(strange.sign(t, s.claims(s.app)), ""), "invalid_client"},
		{"alg none", asserted("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", ""), "invalid_client"},
		{"10 kB", asserted(pair.sign(t, s.claims(s.app).with("own", strings.Repeat("x", 8000))), ""), "invalid_client"}, // R2
	} {
		outcome(t, test.what, "token", s.post(t, test.body), test.code)
	}
	for what, header := range map[string]string{"Basic": basic(s.app.ClientID + ":" + s.secret), "Bearer": "Bearer x"} {
		outcome(t, what+" beside", "token", s.post(t, asserted(good(), ""), "Authorization", header), "invalid_request") // O4
	}
	query := s.ask(t, "POST", "/oauth2/token?client_assertion="+good(), asserted(good(), ""), "Content-Type", form)
	outcome(t, "in the query", "token", query, "invalid_request")
}

// O4: an unknown client, one without keys, a resource server and a wrong key look the same.
func TestAssertionFailuresLookTheSame(t *testing.T) {
	s := newServer(t)
	s.addKey(t, s.ana, s.app, jose.ES256)
	plain, _ := s.client(t, "No keys", "api")
	gone, _ := s.client(t, "Gone", "api")
	goneKey := s.addKey(t, s.ana, gone, jose.ES256)
	if _, err := s.DeleteApplication(t.Context(), s.ana, gone.ID); err != nil {
		t.Fatal(err)
	}
	api := models.Application{ClientID: s.resourceServer(t, "Orders").id}
	nobody := newKeyPair(t, jose.ES256)
	for _, endpoint := range endpoints {
		want := s.call(t, endpoint, asserted(nobody.sign(t, s.claims(s.app)), ""))
		outcome(t, "wrong key", endpoint, want, "invalid_client")
		for what, assertion := range map[string]string{
			"unknown client":         nobody.sign(t, s.claims(models.Application{ClientID: store.NewID()})),
			"no UUID":                nobody.sign(t, s.claims(models.Application{ClientID: "\x00' OR 1=1 --"})),
			"application without":    nobody.sign(t, s.claims(plain)),
			"another's key":          goneKey.sign(t, s.claims(s.app)),
			"deleted":                goneKey.sign(t, s.claims(gone)),
			"resource server":        nobody.sign(t, s.claims(api)),
			"wrong key, expired too": nobody.sign(t, s.claims(s.app).with("exp", 1)),
			"wrong key, no jti":      nobody.sign(t, s.claims(s.app).with("jti", nil)),
		} {
			s.call(t, endpoint, asserted(assertion, "")).sameAs(t, what+" at "+endpoint, want)
		}
	}
}
