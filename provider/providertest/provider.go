// Package providertest is an OpenID provider for tests: it signs in whom the test
// says, without a page, and forges what the test asks for.
package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// What Latchkey is at this provider. ClientSecret holds what a form must encode.
const (
	ClientID     = "latchkey at/test"
	ClientSecret = "s3cret +&: of the test"
)

// Provider is one that runs.
type Provider struct {
	*httptest.Server
	// Now is its clock.
	Now func() time.Time

	stop func()
	done chan struct{}

	mu    sync.Mutex
	keys  keys
	codes map[string]asked
	forge Forgery
	calls map[string]int
	last  asked
}

// Forgery is what the provider does otherwise than it should.
type Forgery struct {
	// Metadata, Header and Claims replace members; nil takes one out.
	Metadata, Header, Claims map[string]any
	// Algorithm signs the ID token: RS256 where it is empty; none, HS256 with the
	// public key as its secret, or stranger, which is RS256 by a key of nobody's.
	Algorithm string
	// Answer changes the query that the browser brings back.
	Answer func(query url.Values)
	// Status is what every call answers instead, by path.
	Status map[string]int
	// Body goes with Status, and Redirect is where it leads.
	Body, Redirect string
	// Hang holds every call until the provider is closed.
	Hang bool
}

// asked is what one browser was sent with.
type asked struct{ query url.Values }

// New starts a provider that stops with the test. In a person's claims at least sub
// and email should stand; Become sets them.
func New(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	p := &Provider{Now: now, keys: newKeys(), codes: map[string]asked{}, calls: map[string]int{}, done: make(chan struct{})}
	p.stop = sync.OnceFunc(func() { close(p.done) })
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", p.metadata)
	mux.HandleFunc("/keys", p.publishKeys)
	mux.HandleFunc("/authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(p.guard(mux))
	t.Cleanup(p.Close)
	p.Forge(Forgery{})
	return p
}

// Close lets go what hangs, and ends the provider.
func (p *Provider) Close() {
	p.stop()
	p.Server.Close()
}

// Forge replaces what the provider does otherwise. Claims of the person who is signed
// in there go along.
func (p *Provider) Forge(f Forgery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	claims := map[string]any{"sub": "ana-7", "email": "ana@northwind.example", "email_verified": true, "name": "Ana Ruiz"}
	maps.Copy(claims, f.Claims)
	f.Claims = claims
	p.forge = f
}

// Become signs somebody in at the provider, as its ID tokens say from now on.
func (p *Provider) Become(subject, email string, verified bool) {
	p.Forge(Forgery{Claims: map[string]any{"sub": subject, "email": email, "email_verified": verified, "name": subject}})
}

// Calls is how often a path was called.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// Asked is the query of the last browser that came.
func (p *Provider) Asked() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.query
}

func (p *Provider) forgery() Forgery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forge
}

// guard counts calls and fails them where the test says so.
func (p *Provider) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.calls[r.URL.Path]++
		f := p.forge
		p.mu.Unlock()
		if f.Hang {
			<-p.done
			return
		}
		status := f.Status[r.URL.Path]
		if status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if f.Redirect != "" {
			w.Header().Set("Location", f.Redirect)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(f.Body))
	})
}

func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, forged(map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	}, p.forgery().Metadata))
}

func (p *Provider) publishKeys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"keys": []any{p.keys.public()}})
}

// authorize leads straight back: the person is signed in here already.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	p.mu.Lock()
	code := fmt.Sprintf("code-%d", len(p.codes)+1)
	p.codes[code], p.last = asked{query}, asked{query}
	change := p.forge.Answer
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {query.Get("state")}}
	if change != nil {
		change(back)
	}
	w.Header().Set("Location", query.Get("redirect_uri")+"?"+back.Encode())
	w.WriteHeader(http.StatusFound)
}

// token holds the client to all that the code flow with PKCE asks for.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	code := r.PostFormValue("code")
	asked, known := p.codes[code]
	p.codes[code] = struct{ query url.Values }{}
	f := p.forge
	p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if f.Metadata["token_endpoint_auth_methods_supported"] != nil {
		id, secret = url.QueryEscape(r.PostFormValue("client_id")), url.QueryEscape(r.PostFormValue("client_secret"))
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case id != url.QueryEscape(ClientID) || secret != url.QueryEscape(ClientSecret):
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known || asked.query == nil || asked.query.Get("code_challenge_method") != "S256" || asked.query.Get("code_challenge") != challenge ||
		asked.query.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "<b>" + code + "</b>"})
	default:
		answer(w, http.StatusOK, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": p.idToken(asked.query, f)})
	}
}

func (p *Provider) idToken(query url.Values, f Forgery) string {
	now := p.Now().Unix()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "iat": now, "exp": now + 60, "nonce": query.Get("nonce")}
	if query.Get("max_age") == "0" {
		claims["auth_time"] = now
	}
	return p.keys.sign(f.Algorithm, forged(map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}, f.Header), forged(claims, f.Claims))
}

// forged is members with others in their place.
func forged(members, others map[string]any) map[string]any {
	maps.Copy(members, others)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	return members
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func encoded(part any) string {
	text, err := json.Marshal(part)
	if err != nil {
		panic(err)
	}
	return strings.TrimRight(base64.URLEncoding.EncodeToString(text), "=")
}
