package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/store"
)

// refusal checks an error answer of the token endpoint against RFC 6749 section
// 5.2 and the contract. An empty code means that a token is expected.
func refusal(t *testing.T, what string, got answer, status int, code string) {
	t.Helper()
	var fields map[string]string
	_ = json.Unmarshal([]byte(got.body), &fields)
	if got.status != status || fields["error"] != code {
		t.Errorf("%s: got %d %q, want %d %q", what, got.status, fields["error"], status, code)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: headers %v", what, got.header)
	}
	scheme, bearer := "Basic realm=", code == "invalid_token" || code == "insufficient_scope"
	if bearer {
		scheme = "Bearer realm="
	}
	if challenge := got.header.Get("WWW-Authenticate"); strings.HasPrefix(challenge, scheme) != (bearer || status == http.StatusUnauthorized) {
		t.Errorf("%s: challenge %q beside %d", what, challenge, status)
	}
	if retry := got.header.Get("Retry-After"); (retry != "") != (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
		t.Errorf("%s: Retry-After %q beside %d", what, retry, status)
	}
	if code == "" {
		return
	}
	// O11: a sentence of ours, in the characters of RFC 6749 section 5.2.
	if len(fields) != 2 || !regexp.MustCompile(`^[ !#-\[\]-~]+\.$`).MatchString(fields["error_description"]) {
		t.Errorf("%s: body %s", what, got.body)
	}
}

func basic(raw string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(raw)) }

func TestTokenParameters(t *testing.T) { // O5
	s := newServer(t)
	const grant = "grant_type=client_credentials"
	for _, test := range []struct {
		what, body string
		status     int
		code       string
	}{
		{"good", s.credentials(""), 200, ""},
		{"unknown parameter", s.credentials("&audience=x&foo"), 200, ""},
		{"empty pairs", "&&" + s.credentials("&"), 200, ""},
		{"empty scope is no scope", s.credentials("&scope="), 200, ""},
		{"blank scope", s.credentials("&scope=+"), 400, "invalid_scope"},
		{"subset of the scopes", s.credentials("&scope=stream"), 200, ""},
		{"percent codes in names", strings.Replace(s.credentials(""), "client_id", "client%5Fid", 1), 200, ""},
		{"nothing", "", 400, "invalid_request"},
		{"no grant", strings.Replace(s.credentials(""), grant, "", 1), 400, "invalid_request"},
		{"empty grant", strings.Replace(s.credentials(""), grant, "grant_type=", 1), 400, "invalid_request"},
		{"grant of another name", strings.Replace(s.credentials(""), "grant_type", "Grant_Type", 1), 400, "invalid_request"},
		{"doubled grant", s.credentials("&" + grant), 400, "invalid_request"},
		{"doubled client", s.credentials("&client_id=" + s.app.ClientID), 400, "invalid_request"},
		{"doubled secret", s.credentials("&client_secret=x"), 400, "invalid_request"},
		{"doubled under another spelling", s.credentials("&client%5fid=x"), 400, "invalid_request"},
		{"doubled scope", s.credentials("&scope=api&scope=stream"), 400, "invalid_request"},
		{"doubled unknown parameter", s.credentials("&x=1&x=1"), 400, "invalid_request"},
		{"bad percent code", s.credentials("&x=%zz"), 400, "invalid_request"},
		{"cut percent code", s.credentials("&x=%4"), 400, "invalid_request"},
		{"bad percent code in a name", s.credentials("&%=1"), 400, "invalid_request"},
		{"bad UTF-8", s.credentials("&x=%ff"), 400, "invalid_request"},
		{"bad UTF-8 unescaped", s.credentials("&x=\xff"), 400, "invalid_request"},
		{"bad UTF-8 in a name", s.credentials("&%c3%28=1"), 400, "invalid_request"},
		{"decoded once", s.credentials("&scope=%2561pi"), 400, "invalid_scope"},
		{"semicolon is no separator", strings.ReplaceAll(s.credentials(""), "&", ";"), 400, "unsupported_grant_type"},
		{"JSON in the body", `{"grant_type":"client_credentials"}`, 400, "invalid_request"},
		{"password grant", strings.Replace(s.credentials("&username=a&password=b"), grant, "grant_type=password", 1), 400, "unsupported_grant_type"}, // O1
		{"refresh grant", strings.Replace(s.credentials(""), grant, "grant_type=refresh_token", 1), 400, "unsupported_grant_type"},                   // O1
		{"code grant", strings.Replace(s.credentials("&code=x"), grant, "grant_type=authorization_code", 1), 400, "unsupported_grant_type"},          // O1
		{"grant in capitals", strings.Replace(s.credentials(""), grant, "grant_type=CLIENT_CREDENTIALS", 1), 400, "unsupported_grant_type"},
		{"other grant of an unknown client", "grant_type=password&client_id=x&client_secret=y", 400, "unsupported_grant_type"},
		{"other grant of nobody", "grant_type=password&username=a&password=b", 400, "unsupported_grant_type"},
		{"scope of another", s.credentials("&scope=admin"), 400, "invalid_scope"},       // O6
		{"one scope too many", s.credentials("&scope=api+admin"), 400, "invalid_scope"}, // O6
		{"scope in capitals", s.credentials("&scope=API"), 400, "invalid_scope"},
		{"scope with a NUL", s.credentials("&scope=api%00"), 400, "invalid_scope"},
		{"scope beside a wrong secret", grant + "&client_id=" + s.app.ClientID + "&client_secret=x&scope=admin", 401, "invalid_client"}, // O2
	} {
		refusal(t, test.what, s.post(t, test.body), test.status, test.code)
	}
}

func TestTokenCredentials(t *testing.T) { // O4
	s := newServer(t)
	id, secret := s.app.ClientID, s.secret
	const grant = "grant_type=client_credentials"
	good := basic(id + ":" + secret)
	for _, test := range []struct {
		what, body string
		headers    []string
		status     int
		code       string
	}{
		{"Basic", grant, []string{"Authorization", good}, 200, ""},
		{"scheme in small letters", grant, []string{"Authorization", "basic " + good[6:]}, 200, ""},
		{"Basic, form-encoded", grant, []string{"Authorization", basic(url.QueryEscape(id) + ":" + strings.ReplaceAll(secret, "_", "%5F"))}, 200, ""},
		{"Basic beside the same client_id", grant + "&client_id=" + id, []string{"Authorization", good}, 200, ""},
		{"Basic beside an empty client_secret", grant + "&client_secret=", []string{"Authorization", good}, 200, ""},
		{"Basic beside another client_id", grant + "&client_id=" + store.NewID(), []string{"Authorization", good}, 400, "invalid_request"},
		{"both ways", s.credentials(""), []string{"Authorization", good}, 400, "invalid_request"},
		{"both ways, body wrong", grant + "&client_id=" + id + "&client_secret=x", []string{"Authorization", good}, 400, "invalid_request"},
		{"two headers", grant, []string{"Authorization", good, "Authorization", good}, 400, "invalid_request"},
		{"two headers, one of them other", grant, []string{"Authorization", good, "Authorization", "Bearer x"}, 400, "invalid_request"},
		{"not base64", grant, []string{"Authorization", "Basic !!!"}, 401, "invalid_client"},
		{"no colon", grant, []string{"Authorization", basic("nocolon")}, 401, "invalid_client"},
		{"empty header beside a good body", s.credentials(""), []string{"Authorization", ""}, 200, ""},
		{"empty header", grant, []string{"Authorization", ""}, 401, "invalid_client"},
		{"bad percent code", grant, []string{"Authorization", basic(id + ":%zz")}, 400, "invalid_request"},
		{"bad percent code in the ID", grant, []string{"Authorization", basic("%4:" + secret)}, 400, "invalid_request"},
		{"bad UTF-8", grant, []string{"Authorization", basic(id + ":\xff")}, 400, "invalid_request"},
		{"bad UTF-8, form-encoded", grant, []string{"Authorization", basic(id + ":%ff")}, 400, "invalid_request"},
		{"decoded once", grant, []string{"Authorization", basic(id + ":" + strings.ReplaceAll(secret, "_", "%255F"))}, 401, "invalid_client"}, // O5
		{"second colon belongs to the secret", grant, []string{"Authorization", basic(id + ":" + secret + ":x")}, 401, "invalid_client"},
		{"Basic without a secret", grant, []string{"Authorization", basic(id + ":")}, 401, "invalid_client"},
		{"Basic without an ID", grant, []string{"Authorization", basic(":" + secret)}, 401, "invalid_client"},
		{"Bearer", grant, []string{"Authorization", "Bearer " + s.token(t, "")}, 401, "invalid_client"},
		{"Digest beside a good body", s.credentials(""), []string{"Authorization", "Digest x"}, 400, "invalid_request"},
		{"Digest", grant, []string{"Authorization", "Digest x"}, 401, "invalid_client"},
		{"none", grant, nil, 401, "invalid_client"},
		{"ID alone", grant + "&client_id=" + id, nil, 401, "invalid_client"},
		{"secret alone", grant + "&client_secret=" + secret, nil, 401, "invalid_client"},
		{"empty secret", grant + "&client_id=" + id + "&client_secret=", nil, 401, "invalid_client"},
		{"wrong secret", grant + "&client_id=" + id + "&client_secret=x", nil, 401, "invalid_client"},
		{"secret with a space behind", grant + "&client_id=" + id + "&client_secret=" + secret + "+", nil, 401, "invalid_client"},
		{"unknown client", grant + "&client_id=" + store.NewID() + "&client_secret=" + secret, nil, 401, "invalid_client"},
		{"no UUID at all", grant + "&client_id=%27+OR+1%3D1+--&client_secret=" + secret, nil, 401, "invalid_client"},
		{"row ID for client ID", grant + "&client_id=" + s.app.ID + "&client_secret=" + secret, nil, 401, "invalid_client"},
		{"client ID in capitals", grant + "&client_id=" + strings.ToUpper(id) + "&client_secret=" + secret, nil, 401, "invalid_client"},
		{"NUL behind the ID", grant + "&client_id=" + id + "%00&client_secret=" + secret, nil, 401, "invalid_client"},
	} {
		refusal(t, test.what, s.post(t, test.body, test.headers...), test.status, test.code)
	}
}
