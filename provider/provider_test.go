package provider_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/provider/providertest"
	"github.com/latchkey/latchkey/secrets"
)

// world is a client at a provider, with a clock of its own.
type world struct {
	*providertest.Provider
	client *provider.Client
	clock  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)}
	w.Provider = providertest.New(t, func() time.Time { return w.clock })
	w.client = provider.New(w.settings(), "http://127.0.0.1:8080/back", func() time.Time { return w.clock })
	return w
}

func (w *world) settings() provider.Settings {
	return provider.Settings{Issuer: w.URL, ClientID: providertest.ClientID, ClientSecret: models.NewSecret(providertest.ClientSecret)}
}

// visit goes to the provider and back as a browser does.
func (w *world) visit(t *testing.T) (provider.Attempt, provider.Answer, url.Values) {
	t.Helper()
	attempt, address, err := w.client.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	back, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Body.Close()
	at, err := back.Location()
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	return attempt, provider.Answer{
		Code: models.NewSecret(query.Get("code")), Issuer: query.Get("iss"), NonceHash: secrets.Hash(attempt.Nonce), Verifier: attempt.Verifier,
	}, query
}

func (w *world) finish(t *testing.T) (provider.Person, error) {
	t.Helper()
	_, answer, _ := w.visit(t)
	return w.client.Finish(t.Context(), answer)
}

func TestThereAndBack(t *testing.T) { // S20
	w := newWorld(t)
	attempt, answer, query := w.visit(t)
	if query.Get("state") != attempt.State.Reveal() {
		t.Errorf("state %q", query.Get("state"))
	}
	asked := w.Asked()
	for name, want := range map[string]string{
		"response_type": "code", "scope": "openid email profile", "code_challenge_method": "S256", "nonce": attempt.Nonce.Reveal(), "prompt": "", "max_age": "",
	} {
		if asked.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, asked.Get(name), want)
		}
	}
	got, err := w.client.Finish(t.Context(), answer)
	if want := (provider.Person{Subject: "ana-7", Email: "ana@northwind.example", Name: "Ana Ruiz"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.client.Finish(t.Context(), answer); !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), "invalid_grant") || strings.Contains(err.Error(), "<b>") {
		t.Errorf("the code again: %v", err)
	}
	if w.Calls("/.well-known/openid-configuration") != 1 || w.Calls("/keys") != 1 {
		t.Error("what is known is asked for again")
	}
	w.clock = w.clock.Add(time.Hour)
	if _, err := w.finish(t); err != nil || w.Calls("/.well-known/openid-configuration") != 2 {
		t.Errorf("after an hour: %v, %d calls", err, w.Calls("/.well-known/openid-configuration"))
	}
}

func TestAnotherVerifierAndAnotherNonce(t *testing.T) { // S20
	w := newWorld(t)
	_, answer, _ := w.visit(t)
	answer.Verifier = models.NewSecret(secrets.RandomText())
	if _, err := w.client.Finish(t.Context(), answer); !errors.Is(err, provider.ErrRefused) {
		t.Errorf("another verifier: %v", err)
	}
	_, answer, _ = w.visit(t)
	answer.NonceHash = secrets.Hash(secrets.Code())
	if _, err := w.client.Finish(t.Context(), answer); !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), "nonce") {
		t.Errorf("the nonce of another browser: %v", err)
	}
}

func TestForgedTokensAreRefused(t *testing.T) { // S20
	w := newWorld(t)
	now := w.clock.Unix()
	claims := func(name string, value any) providertest.Forgery {
		return providertest.Forgery{Claims: map[string]any{name: value}}
	}
	header := func(name string, value any) providertest.Forgery {
		return providertest.Forgery{Header: map[string]any{name: value}}
	}
	own := providertest.StrangerJWK()
	for name, forgery := range map[string]providertest.Forgery{
		"iss of another":             claims("iss", "https://evil.example"),
		"iss with a slash":           claims("iss", w.URL+"/"),
		"no iss":                     claims("iss", nil),
		"aud of another":             claims("aud", "another"),
		"no aud":                     claims("aud", nil),
		"two aud without azp":        claims("aud", []string{providertest.ClientID, "another"}),
		"azp of another":             claims("azp", "another"),
		"exp in the past":            claims("exp", now-1),
		"no exp":                     claims("exp", nil),
		"iat far ahead":              claims("iat", now+120),
		"no iat":                     claims("iat", nil),
		"nbf far ahead":              claims("nbf", now+3600),
		"nonce of another":           claims("nonce", "another"),
		"no nonce":                   claims("nonce", nil),
		"no sub":                     claims("sub", nil),
		"empty sub":                  claims("sub", ""),
		"sub that is a number":       claims("sub", 7),
		"long sub":                   claims("sub", strings.Repeat("x", 256)),
		"auth_time that is a text":   claims("auth_time", "now"),
		"no signature":               {Algorithm: "none"},
		"HS256 with the public key":  {Algorithm: "HS256"},
		"a key of nobody's":          {Algorithm: "stranger"},
		"unknown kid":                header("kid", "k9"),
		"another alg":                header("alg", "PS256"),
		"jku":                        header("jku", "https://evil.example/keys"),
		"x5u":                        header("x5u", "https://evil.example/cert"),
		"x5c":                        header("x5c", []string{"MIIB"}),
		"crit":                       header("crit", []string{"exp"}),
		"jwk":                        {Algorithm: "stranger", Header: map[string]any{"jwk": own}},
		"jwk beside a good key":      header("jwk", own),
		"answer of another issuer":   {Answer: func(q url.Values) { q.Set("iss", "https://evil.example") }},
		"answer without its issuer":  {Metadata: map[string]any{"authorization_response_iss_parameter_supported": true}},
		"answer without an ID token": {Status: map[string]int{"/token": 200}, Body: `{"access_token":"a","token_type":"Bearer"}`},
		"ID token that is a number":  {Status: map[string]int{"/token": 200}, Body: `{"access_token":"a","token_type":"Bearer","id_token":7}`},
		"ID token that is none":      {Status: map[string]int{"/token": 200}, Body: `{"access_token":"a","token_type":"Bearer","id_token":"a.b.c"}`},
		"error with markup":          {Status: map[string]int{"/token": 400}, Body: `{"error":"<script>","error_description":"<b>code</b>"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w.client = provider.New(w.settings(), "http://127.0.0.1:8080/back", func() time.Time { return w.clock })
			w.Forge(forgery)
			got, err := w.finish(t)
			if !errors.Is(err, provider.ErrRefused) || got != (provider.Person{}) {
				t.Errorf("%+v, %v", got, err)
			}
			if err != nil && (strings.ContainsAny(err.Error(), "<>") || strings.Contains(err.Error(), providertest.ClientSecret)) {
				t.Errorf("the error says too much: %v", err)
			}
		})
	}
}

func TestWhatAProviderMaySay(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Unix()
	ana := provider.Person{Subject: "ana-7", Email: "ana@northwind.example", Name: "Ana Ruiz"}
	nameless, hidden, proven := ana, ana, ana
	nameless.Name, hidden.Email, proven.ProvenAt = "", "", models.At(w.clock.Add(-time.Minute))
	ahead := proven
	ahead.ProvenAt = models.At(w.clock)
	for name, test := range map[string]struct {
		forgery providertest.Forgery
		want    provider.Person
	}{
		"verified as a text":       {providertest.Forgery{Claims: map[string]any{"email_verified": "true"}}, ana},
		"not verified":             {providertest.Forgery{Claims: map[string]any{"email_verified": false}}, hidden},
		"verified not said":        {providertest.Forgery{Claims: map[string]any{"email_verified": nil}}, hidden},
		"verified by a number":     {providertest.Forgery{Claims: map[string]any{"email_verified": 1}}, hidden},
		"no address":               {providertest.Forgery{Claims: map[string]any{"email": nil}}, hidden},
		"an address that is none":  {providertest.Forgery{Claims: map[string]any{"email": "Ana <ana@northwind.example>"}}, hidden},
		"no name":                  {providertest.Forgery{Claims: map[string]any{"name": nil}}, nameless},
		"auth_time":                {providertest.Forgery{Claims: map[string]any{"auth_time": now - 60}}, proven},
		"auth_time with fraction":  {providertest.Forgery{Claims: map[string]any{"auth_time": float64(now-60) + 0.5}}, proven},
		"auth_time a little ahead": {providertest.Forgery{Claims: map[string]any{"auth_time": now + 30}}, ahead},
		"auth_time far ahead":      {providertest.Forgery{Claims: map[string]any{"auth_time": now + 3600}}, ana},
		"auth_time beyond all":     {providertest.Forgery{Claims: map[string]any{"auth_time": 1e300}}, ana},
		"two aud with azp":         {providertest.Forgery{Claims: map[string]any{"aud": []string{providertest.ClientID, "x"}, "azp": providertest.ClientID}}, ana},
		"no kid":                   {providertest.Forgery{Header: map[string]any{"kid": nil}}, ana},
		"its issuer":               {providertest.Forgery{Answer: func(q url.Values) { q.Set("iss", w.URL) }}, ana},
		"secret in the body":       {providertest.Forgery{Metadata: map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_post"}}}, ana},
	} {
		t.Run(name, func(t *testing.T) {
			w.client = provider.New(w.settings(), "http://127.0.0.1:8080/back", func() time.Time { return w.clock })
			w.Forge(test.forgery)
			if got, err := w.finish(t); err != nil || got != test.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestAProviderThatIsAway(t *testing.T) {
	const page = "/.well-known/openid-configuration"
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	for name, forgery := range map[string]providertest.Forgery{
		"error":               {Status: map[string]int{page: 500}, Body: strings.Repeat("x", 2<<20)},
		"no JSON":             {Status: map[string]int{page: 200}, Body: "<html>"},
		"another issuer":      {Metadata: map[string]any{"issuer": "https://evil.example"}},
		"issuer with a slash": {Metadata: map[string]any{"issuer": "http://127.0.0.1/"}},
		"redirect elsewhere":  {Status: map[string]int{page: 302}, Redirect: elsewhere.URL + page},
		"redirect for ever":   {Status: map[string]int{page: 302}, Redirect: page},
		"no token endpoint":   {Metadata: map[string]any{"token_endpoint": nil}},
		"no keys":             {Metadata: map[string]any{"jwks_uri": ""}},
		"http elsewhere":      {Metadata: map[string]any{"authorization_endpoint": "http://evil.example/authorize"}},
		"script":              {Metadata: map[string]any{"authorization_endpoint": "javascript:alert(1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Forge(forgery)
			_, address, err := w.client.Begin(t.Context(), false)
			if !errors.Is(err, provider.ErrAway) || address != "" || len(err.Error()) > 300 {
				t.Fatalf("%q, %v", address, err)
			}
			w.Forge(providertest.Forgery{})
			calls := w.Calls(page)
			if _, _, err := w.client.Begin(t.Context(), false); !errors.Is(err, provider.ErrAway) || w.Calls(page) != calls {
				t.Errorf("at once again: %v, %d calls more", err, w.Calls(page)-calls)
			}
			w.clock = w.clock.Add(5 * time.Second)
			if _, _, err := w.client.Begin(t.Context(), false); err != nil {
				t.Errorf("five seconds later: %v", err)
			}
		})
	}
}

func TestAProviderThatGoesAway(t *testing.T) {
	w := newWorld(t)
	_, answer, _ := w.visit(t)
	w.Forge(providertest.Forgery{Status: map[string]int{"/token": 503}, Body: "busy"})
	if _, err := w.client.Finish(t.Context(), answer); !errors.Is(err, provider.ErrAway) {
		t.Errorf("token endpoint that fails: %v", err)
	}
	w.Forge(providertest.Forgery{Hang: true})
	begun := time.Now()
	if _, err := w.client.Finish(t.Context(), answer); !errors.Is(err, provider.ErrAway) || time.Since(begun) > 8*time.Second {
		t.Errorf("token endpoint that hangs: %v after %v", err, time.Since(begun))
	}
	w.Close()
	w.clock = w.clock.Add(2 * time.Hour)
	if _, _, err := w.client.Begin(t.Context(), false); err != nil {
		t.Errorf("what it said before does not go on: %v", err)
	}
	fresh := provider.New(w.settings(), "http://127.0.0.1:8080/back", func() time.Time { return w.clock })
	if _, _, err := fresh.Begin(t.Context(), false); !errors.Is(err, provider.ErrAway) {
		t.Errorf("connection refused: %v", err)
	}
}
