package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/secrets"
)

func TestTokenContentType(t *testing.T) {
	s := newServer(t)
	for contentType, status := range map[string]int{
		form: 200, form + "; charset=UTF-8": 200, form + ";charset=iso-8859-1": 200, "Application/X-WWW-Form-Urlencoded": 200,
		"": 400, "text/plain": 400, "application/json": 400, "multipart/form-data; boundary=x": 400, form + "-ish": 400, "form": 400, ";": 400,
	} {
		var headers []string
		if contentType != "" {
			headers = []string{"Content-Type", contentType}
		}
		code := ""
		if status != 200 {
			code = "invalid_request"
		}
		refusal(t, "content type "+contentType, s.ask(t, http.MethodPost, "/oauth2/token", s.credentials(""), headers...), status, code)
	}
}

// O4, O5: the address neither helps nor overrides; credentials in it are refused.
func TestTokenQuery(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		what, query, body string
		status            int
		code              string
	}{
		{"unrelated query", "?utm=x", s.credentials(""), 200, ""},
		{"scope in the query is not looked at", "?scope=admin", s.credentials(""), 200, ""},
		{"grant in the query does not count", "?grant_type=client_credentials", strings.Replace(s.credentials(""), "grant_type", "x", 1), 400, "invalid_request"},
		{"all in the query", "?" + s.credentials(""), "", 400, "invalid_request"},
		{"secret in the query", "?client_secret=" + s.secret, s.credentials(""), 400, "invalid_request"},
		{"secret in the query by a semicolon", "?a=b;client_secret=" + s.secret, s.credentials(""), 400, "invalid_request"},
		{"secret in the query, its name escaped", "?%zz&client%5fsecret=" + s.secret, s.credentials(""), 400, "invalid_request"},
		{"client in the query", "?client_id=" + s.app.ClientID, s.credentials(""), 400, "invalid_request"},
		{"empty secret in the query", "?client_secret", s.credentials(""), 400, "invalid_request"},
		{"secret under another spelling", "?client%5Fsecret=x", s.credentials(""), 400, "invalid_request"},
		{"secret in a query with a bad escape", "?client_secret=" + s.secret + "&x=%zz", s.credentials(""), 400, "invalid_request"},
		{"secret in a query with a semicolon", "?client_secret=" + s.secret + "&x;y", s.credentials(""), 400, "invalid_request"},
	} {
		refusal(t, test.what, s.ask(t, http.MethodPost, "/oauth2/token"+test.query, test.body, "Content-Type", form), test.status, test.code)
	}
}

// O12: only POST answers.
func TestTokenMethods(t *testing.T) {
	s := newServer(t)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "post", "ODD"} {
		got := s.ask(t, method, "/oauth2/token", s.credentials(""), "Content-Type", form, "X-Canary", "canary")
		if method == http.MethodHead {
			got.body = `{"error":"invalid_request","error_description":"This endpoint does not take that method."}`
		}
		refusal(t, method, got, 405, "invalid_request")
		if got.header.Get("Allow") != "POST" || strings.Contains(got.body, "canary") {
			t.Errorf("%s: Allow %q, body %s", method, got.header.Get("Allow"), got.body)
		}
	}
	if n := s.stored(t); n != 0 {
		t.Errorf("%d tokens were issued", n)
	}
	refusal(t, "unknown endpoint", s.ask(t, http.MethodPost, "/oauth2/other", ""), 404, "not_found")
}

// R2: a body of exactly 16 KiB is read, one byte more is not, however it comes.
func TestTokenBodyLimit(t *testing.T) {
	s := newServer(t)
	padded := func(size int) string {
		body := s.credentials("&padding=")
		return body + strings.Repeat("x", size-len(body))
	}
	for size, status := range map[int]int{16_000: 200, 16_001: 200, 16 << 10: 200, 16<<10 + 1: 413, 17_000: 413, 1 << 20: 413} {
		code := ""
		if status != 200 {
			code = "invalid_request"
		}
		refusal(t, "with its length", s.post(t, padded(size)), status, code)
		chunked := struct{ *strings.Reader }{strings.NewReader(padded(size))} // net/http does not know its length
		refusal(t, "chunked", s.send(t, http.MethodPost, "/oauth2/token", chunked, "Content-Type", form), status, code)
	}
}

func TestTokenAnswer(t *testing.T) {
	s := newServer(t)
	for more, scope := range map[string]string{"": "api stream", "&scope=stream": "stream", "&scope=stream+api": "stream api", "&scope=api+api": "api"} {
		got := s.post(t, s.credentials(more))
		refusal(t, more, got, 200, "")
		var fields map[string]any
		if err := json.Unmarshal([]byte(got.body), &fields); err != nil {
			t.Fatal(err)
		}
		value, _ := fields["access_token"].(string)
		if len(fields) != 4 || len(value) != len("lk_at_")+49 || !strings.HasPrefix(value, "lk_at_") ||
			fields["expires_in"] != 3600.0 || fields["scope"] != scope || fields["token_type"] != "bearer" {
			t.Errorf("%q: got %s", more, got.body)
		}
	}
}

// T2: a token of the endpoint is stored as a hash alone, and durable when it is
// answered: another connection sees it at once.
func TestTokenIsStoredAsHashAlone(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "&scope=api")
	var hash, sealed []byte
	var kind, scopes, last4, team, application string
	var created, expires, revoked int64
	err := s.Raw(t).QueryRowContext(t.Context(), "SELECT hash, sealed, kind, scopes, last4, team_id, application_id, created_at, expires_at, revoked_at FROM tokens").
		Scan(&hash, &sealed, &kind, &scopes, &last4, &team, &application, &created, &expires, &revoked)
	if err != nil {
		t.Fatal(err)
	}
	if want := secrets.Hash(newSecret(value)); string(hash) != string(want) || sealed != nil {
		t.Errorf("hash %x, want %x; sealed %d bytes", hash, want, len(sealed))
	}
	if kind != "client_credentials" || scopes != "api" || last4 != value[len(value)-4:] || team != s.ana.TeamID || application != s.app.ID ||
		expires-created != time.Hour.Milliseconds() || created != int64(s.Now()) || revoked != 0 {
		t.Errorf("stored %s %s %s %s %s %d %d %d", kind, scopes, last4, team, application, created, expires, revoked)
	}
	if strings.Contains(s.log.String(), value) || strings.Contains(s.log.String(), s.secret) { // A2
		t.Error("a value stands in the log")
	}
}
