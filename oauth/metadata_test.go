package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

const MetadataPath = "/.well-known/oauth-authorization-server"

const wantMetadata = `{
	"issuer": "https://account.example.com",
	"token_endpoint": "https://account.example.com/oauth2/token",
	"token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
	"token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
	"introspection_endpoint": "https://account.example.com/oauth2/introspect",
	"introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
	"introspection_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
	"revocation_endpoint": "https://account.example.com/oauth2/revoke",
	"revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
	"revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
	"latchkey_revocation_feed_endpoint": "https://account.example.com/oauth2/revocations",
	"grant_types_supported": ["client_credentials"],
	"response_types_supported": [],
	"scopes_supported": ["api", "stream"],
	"service_documentation": "https://account.example.com/docs"
}`

// O1: exactly what is served (RFC 8414 section 2).
func TestMetadata(t *testing.T) {
	s := newServer(t)
	got := s.ask(t, http.MethodGet, MetadataPath, "")
	refusal(t, "GET", got, 200, "")
	var fields, want map[string]any
	if err := json.Unmarshal([]byte(wantMetadata), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got.body), &fields); err != nil || !reflect.DeepEqual(fields, want) {
		t.Errorf("%s, %v", got.body, err)
	}
	head := s.ask(t, http.MethodHead, MetadataPath, "")
	if head.body != "" {
		t.Errorf("HEAD gives %q", head.body)
	}
	head.body = got.body
	head.sameAs(t, "HEAD", got)
	s.ask(t, http.MethodGet, MetadataPath, "", "Accept", "text/html", "Authorization", "Bearer x").sameAs(t, "another Accept", got)
}

// G3: the issuer is the configured address, whatever the request says.
func TestMetadataBelievesNoHeader(t *testing.T) {
	s := newServer(t)
	want := s.ask(t, http.MethodGet, MetadataPath, "")
	for _, target := range []string{MetadataPath, "http://evil.example" + MetadataPath, MetadataPath + "?issuer=https://evil.example"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.Host, r.RemoteAddr = "evil.example", "127.0.0.1:4711"
		for _, name := range []string{"Host", "Forwarded", "Proto", "Port", "Server", "Prefix"} {
			r.Header.Set("X-Forwarded-"+name, "evil.example")
		}
		r.Header.Set("Forwarded", "host=evil.example;proto=http")
		r.Header.Set("X-Original-Url", "https://evil.example/x")
		recorder := httptest.NewRecorder()
		s.echo.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusOK || recorder.Body.String() != want.body {
			t.Errorf("%s: %d %s", target, recorder.Code, recorder.Body)
		}
	}
}

func TestMetadataMethodsAndPaths(t *testing.T) { // O12
	s := newServer(t)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get"} {
		got := s.ask(t, method, MetadataPath, "", "X-HTTP-Method-Override", "GET")
		refusal(t, method, got, 405, "invalid_request")
		if allow := got.header.Get("Allow"); allow != "GET, HEAD" || strings.Contains(got.body, "issuer") {
			t.Errorf("%s: Allow %q, %s", method, allow, got.body)
		}
	}
	for _, path := range []string{MetadataPath + "/", MetadataPath + "/tenant", "/oauth2/", "/oauth2", "/oauth2/token/", "/oauth2/introspect/", "/oauth2/revoke/x"} {
		refusal(t, path, s.ask(t, http.MethodGet, path, ""), 404, "not_found")
	}
}
