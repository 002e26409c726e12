package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/store"
)

// aboutTokens are the endpoints that are asked about one token.
var aboutTokens = []string{"introspect", "revoke"}

// O2, O4: introspection and revocation authenticate as the token endpoint does.
func TestClientAuthentication(t *testing.T) {
	s := newServer(t)
	id, secret, me := s.app.ClientID, s.secret, s.me()
	good := []string{"Authorization", basic(id + ":" + secret)}
	value := s.token(t, "")
	const token = "token=x"
	bearer := []string{"Authorization", "Bearer " + value}
	for _, test := range []struct {
		what, body string
		headers    []string
		status     int
		code       string
	}{
		{"body", me.form("&token=x"), nil, 200, ""},
		{"Basic", token, good, 200, ""},
		{"Basic in small letters", token, []string{"Authorization", "basic " + good[1][6:]}, 200, ""},
		{"Basic, form-encoded", token, []string{"Authorization", basic(url.QueryEscape(id) + ":" + strings.ReplaceAll(secret, "_", "%5F"))}, 200, ""},
		{"Basic beside the same client_id", token + "&client_id=" + id, good, 200, ""},
		{"Basic beside another client_id", token + "&client_id=" + store.NewID(), good, 400, "invalid_request"},
		{"both ways", me.form("&token=x"), good, 400, "invalid_request"},
		{"two headers", token, append(good, good...), 400, "invalid_request"},
		{"Basic and Bearer", token, append(bearer, good...), 400, "invalid_request"},
		{"body and Bearer", me.form("&token=x"), bearer, 400, "invalid_request"},
		{"Bearer with a good token", token, bearer, 401, "invalid_client"},
		{"Bearer about itself", "token=" + value, bearer, 401, "invalid_client"},
		{"Bearer beside a client_id", token + "&client_id=" + id, bearer, 401, "invalid_client"},
		{"Basic in bad form", token, []string{"Authorization", "Basic !"}, 401, "invalid_client"},
		{"none", token, nil, 401, "invalid_client"},
		{"none and no token", "", nil, 401, "invalid_client"}, // who asks comes first
		{"ID alone", token + "&client_id=" + id, nil, 401, "invalid_client"},
		{"empty secret", token + "&client_secret=&client_id=" + id, nil, 401, "invalid_client"},
		{"wrong secret", caller{id, "x"}.form("&token=x"), nil, 401, "invalid_client"},
		{"wrong secret by Basic", token, []string{"Authorization", basic(id + ":x")}, 401, "invalid_client"},
		{"wrong secret and no token", caller{id, "x"}.form(""), nil, 401, "invalid_client"},
		{"unknown client", caller{store.NewID(), secret}.form("&token=x"), nil, 401, "invalid_client"},
		{"a token for a secret", caller{id, value}.form("&token=x"), nil, 401, "invalid_client"},
		{"row ID", caller{s.app.ID, secret}.form("&token=x"), nil, 401, "invalid_client"},
		{"NUL behind the ID", caller{id + "%00", secret}.form("&token=x"), nil, 401, "invalid_client"},
	} {
		for _, endpoint := range aboutTokens {
			got := s.call(t, endpoint, test.body, test.headers...)
			if test.status == http.StatusOK && endpoint == "revoke" {
				revoked(t, test.what, got)
			} else {
				refusal(t, test.what+" at "+endpoint, got, test.status, test.code)
			}
		}
	}
	if got := s.verify(t, value); got.status != 200 {
		t.Errorf("a Bearer header revoked its token: %d", got.status)
	}
}

// O5: parameters come from the body alone, once each.
func TestParametersAboutTokens(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	good := s.me().form(ofToken(value))
	for _, test := range []struct{ what, query, body string }{
		{"no token", "", s.me().form("")},
		{"empty token", "", s.me().form("&token=")},
		{"token of another name", "", s.me().form("&Token=" + value + "&access_token=" + value)},
		{"token in the query alone", "?token=" + value, s.me().form("")},
		{"doubled token", "", good + "&token=" + value},
		{"doubled token, one empty", "", good + "&token="},
		{"doubled under another spelling", "", good + "&%74oken=x"},
		{"doubled hint", "", good + "&token_type_hint=a&token_type_hint=b"},
		{"doubled client", "", good + "&client_id=x"},
		{"doubled secret", "", good + "&client_secret=x"},
		{"doubled unknown parameter", "", good + "&x=1&x=2"},
		{"bad percent code", "", good + "&x=%zz"},
		{"bad UTF-8", "", s.me().form("&token=%ff")},
		{"bad UTF-8 unescaped", "", s.me().form("&token=\xff")},
		{"BOM", "", "\ufefftoken=" + value + "&" + s.me().form("")},
		{"JSON", "", `{"token":"` + value + `"}`},
		{"credentials in the query", "?" + s.me().form(""), "token=" + value},
		{"secret in the query", "?client_secret=x", good},
	} {
		status, code := 400, "invalid_request"
		if test.what == "JSON" {
			status, code = 401, "invalid_client" // one odd name, and nobody who asks
		}
		for _, endpoint := range aboutTokens {
			refusal(t, test.what+" at "+endpoint, s.call(t, endpoint+test.query, test.body), status, code)
		}
	}
	for _, contentType := range []string{"", "application/json", "multipart/form-data; boundary=x", "text/plain"} {
		for _, endpoint := range aboutTokens {
			refusal(t, contentType+" at "+endpoint, s.ask(t, http.MethodPost, "/oauth2/"+endpoint, good, "Content-Type", contentType), 400, "invalid_request")
		}
	}
	if got := s.verify(t, value); got.status != 200 {
		t.Errorf("the token was revoked: %d", got.status)
	}
	if active(t, "query beside a good body", s.call(t, "introspect?token=x&scope=x", good)) == nil {
		t.Error("the query counts")
	}
}

// O12: only POST answers, whatever a header says about the method.
func TestMethodsAboutTokens(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "post", "ODD"} {
		for _, endpoint := range aboutTokens {
			got := s.ask(t, method, "/oauth2/"+endpoint, s.me().form(ofToken(value)), "Content-Type", form, "X-HTTP-Method-Override", "POST", "X-Method-Override", "POST")
			if method == http.MethodHead {
				got.body = `{"error":"invalid_request","error_description":"This endpoint does not take that method."}`
			}
			refusal(t, method, got, 405, "invalid_request")
			if got.header.Get("Allow") != "POST" {
				t.Errorf("%s %s: Allow %q", method, endpoint, got.header.Get("Allow"))
			}
		}
	}
	if got := s.verify(t, value); got.status != 200 {
		t.Errorf("the token was revoked: %d", got.status)
	}
}

// O2: a resource server introspects, and nothing else.
func TestResourceServerOnlyIntrospects(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	value := s.token(t, "")
	refusal(t, "token", s.post(t, "grant_type=client_credentials&"+api.form("")), 400, "unauthorized_client")
	refusal(t, "token with a scope", s.post(t, "grant_type=client_credentials&scope=api&"+api.form("")), 400, "unauthorized_client")
	refusal(t, "revoke", s.revoke(t, api, value), 400, "unauthorized_client")
	refusal(t, "revoke nothing", s.call(t, "revoke", api.form("")), 400, "unauthorized_client")
	for _, endpoint := range []string{"token", "introspect", "revoke"} {
		refusal(t, "wrong secret", s.call(t, endpoint, "grant_type=client_credentials&"+caller{api.id, "x"}.form(ofToken(value))), 401, "invalid_client")
	}
	if got := s.verify(t, value); got.status != 200 || s.stored(t) != 1 {
		t.Errorf("the token was revoked or another made: %d", got.status)
	}
}
