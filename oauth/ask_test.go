package oauth_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const form = "application/x-www-form-urlencoded"

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// sameAs checks that two answers cannot be told apart.
func (a answer) sameAs(t *testing.T, what string, other answer) {
	t.Helper()
	if a.status != other.status || a.body != other.body || !maps.EqualFunc(a.lasting(), other.lasting(), slices.Equal) {
		t.Errorf("%s: %d %q %v\nwant %d %q %v", what, a.status, a.body, a.lasting(), other.status, other.body, other.lasting())
	}
}

// lasting leaves out the headers that every answer has anew.
func (a answer) lasting() http.Header {
	header := a.header.Clone()
	header.Del("Date")
	header.Del("X-Request-Id")
	return header
}

// ask sends a request. Headers are pairs of name and value; a name may come twice.
func (s *server) ask(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return s.send(t, method, path, strings.NewReader(body), headers...)
}

func (s *server) send(t testing.TB, method, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(got)}
}

// direct posts a form without a network between, where there are many.
func (s *server) direct(t testing.TB, endpoint, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth2/"+endpoint, strings.NewReader(body))
	r.Header.Set("Content-Type", form)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	r.RemoteAddr = "127.0.0.1:4711"
	recorder := httptest.NewRecorder()
	s.echo.ServeHTTP(recorder, r)
	return answer{recorder.Code, recorder.Header(), recorder.Body.String()}
}

var addresses atomic.Uint32

// elsewhere is an address that no request came from, out of reach of the limits.
func elsewhere() []string {
	n := addresses.Add(1)
	return from(netip.AddrFrom4([4]byte{11, byte(n >> 16), byte(n >> 8), byte(n)}).String())
}

// call posts a form to an endpoint.
func (s *server) call(t testing.TB, endpoint, body string, headers ...string) answer {
	t.Helper()
	return s.ask(t, http.MethodPost, "/oauth2/"+endpoint, body, append([]string{"Content-Type", form}, headers...)...)
}

// post sends a form to the token endpoint.
func (s *server) post(t testing.TB, body string, headers ...string) answer {
	t.Helper()
	return s.call(t, "token", body, headers...)
}

// caller is a client with a secret.
type caller struct{ id, secret string }

func (s *server) me() caller { return caller{s.app.ClientID, s.secret} }

// form is what proves who is calling, with more parameters behind it.
func (c caller) form(more string) string {
	return "client_id=" + c.id + "&client_secret=" + url.QueryEscape(c.secret) + more
}

// credentials is a good form for the token endpoint, with more parameters behind it.
func (s *server) credentials(more string) string {
	return "grant_type=client_credentials&" + s.me().form(more)
}

// ofToken is the parameter of the endpoints that are about a token.
func ofToken(value string) string { return "&token=" + url.QueryEscape(value) }

func (s *server) introspect(t testing.TB, by caller, value string) answer {
	t.Helper()
	return s.call(t, "introspect", by.form(ofToken(value)))
}

func (s *server) revoke(t testing.TB, by caller, value string) answer {
	t.Helper()
	return s.call(t, "revoke", by.form(ofToken(value)))
}

// token gets a token the usual way.
func (s *server) token(t testing.TB, more string) string {
	t.Helper()
	return s.tokenOf(t, s.me(), more)
}

func (s *server) tokenOf(t testing.TB, by caller, more string) string {
	t.Helper()
	return s.tokenBy(t, "grant_type=client_credentials&"+by.form(more))
}

func (s *server) tokenBy(t testing.TB, body string) string {
	t.Helper()
	var got struct {
		AccessToken string `json:"access_token"`
	}
	a := s.post(t, body)
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || got.AccessToken == "" {
		t.Fatalf("no token: %d %s", a.status, a.body)
	}
	return got.AccessToken
}

// manual makes a token as a member does on a page.
func (s *server) manual(t testing.TB, app models.Application) (id, value string) {
	t.Helper()
	id, err := s.issuer.Generate(t.Context(), s.ana, app, models.TokenValues{}, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.RevealToken(t.Context(), s.ana, app.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := s.issuer.Open(token)
	if err != nil {
		t.Fatal(err)
	}
	return id, secret.Reveal()
}

// resourceServer makes an API that asks about tokens.
func (s *server) resourceServer(t testing.TB, name string) caller {
	t.Helper()
	value := secrets.NewClientSecret()
	api := models.ResourceServer{ID: store.NewID(), Name: name, ClientID: store.NewID(), Hash: secrets.Hash(value)}
	if err := s.AddResourceServer(t.Context(), models.CommandLine, api); err != nil {
		t.Fatal(err)
	}
	return caller{api.ClientID, value.Reveal()}
}

// stored counts the tokens in the database.
func (s *server) stored(t testing.TB) (n int) {
	t.Helper()
	if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM tokens").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
