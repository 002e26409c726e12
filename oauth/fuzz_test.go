package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/latchkey/latchkey/tokens"
)

// These targets look at the parsers themselves, which package oauth keeps to itself.

// O5: what is accepted was sent once, whole and decoded once, as net/url reads it.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{
		"", "&&", "=", "a", "a=1&b=2", "a=1&a=2", "a=&a=1", "a=%zz", "%=1", "a=%ff", "a=\xff", "a=1;b=2", "a=b=c", "a+b=c+d", "%61=1&a=2",
		"grant_type=client_credentials&client_id=x&client_secret=y&scope=api+stream",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		params, err := parseForm(body)
		if err != nil {
			if params != nil {
				t.Fatalf("%q is refused and yet gives %v", body, params)
			}
			return
		}
		for name, value := range params {
			if value == "" || !utf8.ValidString(name) || !utf8.ValidString(value) {
				t.Fatalf("%q gives %q=%q", body, name, value)
			}
		}
		if strings.Contains(body, ";") {
			return // net/url refuses it
		}
		values, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("%q is taken, net/url says %v", body, err)
		}
		for name, list := range values {
			if len(list) != 1 || params[name] != list[0] {
				t.Fatalf("%q gives %q=%q, net/url says %q", body, name, params[name], list)
			}
		}
		if len(params) > len(values) {
			t.Fatalf("%q gives %v, net/url says %v", body, params, values)
		}
	})
}

// Whatever is encoded as RFC 6749 section 2.3.1 says comes back as it was, and
// nothing that is accepted holds bytes that are not text.
func FuzzParseBasic(f *testing.F) {
	for _, seed := range [][3]string{{"id", "secret", "aWQ6c2VjcmV0"}, {"", "", ""}, {"a:b", "c:d", "Og=="}, {"é %+&", "\x00", "aWQ="}, {"\xff", "x", "JXp6Ong="}, {"a", "b", "/zo="}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, id, secret, raw string) {
		encoded := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		got, ok := readBasic(encoded)
		if text := utf8.ValidString(id) && utf8.ValidString(secret); ok != text || ok && (got.id != id || got.secret.Reveal() != secret) {
			t.Fatalf("%q and %q come back as %q and %q, %v", id, secret, got.id, got.secret.Reveal(), ok)
		}
		got, ok = readBasic(raw)
		if !ok && (got.id != "" || !got.secret.IsEmpty()) {
			t.Fatalf("%q is refused and yet gives %q", raw, got.id)
		}
		if ok && (!utf8.ValidString(got.id) || !utf8.ValidString(got.secret.Reveal())) {
			t.Fatalf("%q gives %q", raw, got.id)
		}
	})
}

func readBasic(encoded string) (credentials, bool) {
	id, secret, ok := splitBasic(encoded)
	if !ok {
		return credentials{}, false
	}
	return parseBasic(id, secret)
}

// O9: a token comes from one header, in one piece, exactly as it was sent.
func FuzzBearer(f *testing.F) {
	for _, seed := range [][2]string{
		{"Bearer lk_at_x", ""}, {"bearer x", ""}, {"Bearer", ""}, {"Bearer ", ""}, {"Bearer a b", ""}, {"Bearer a,b", ""},
		{"Bearer\ta", ""}, {"Basic x", ""}, {"", ""}, {"Bearer a", "Bearer a"}, {"BEARER  a ", ""}, {"ſearer a", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		r := &http.Request{Header: http.Header{"Authorization": {first}}}
		if second != "" {
			r.Header.Add("Authorization", second)
		}
		value, sent, ok := tokens.Bearer(r.Header.Values("Authorization"))
		token := value.Reveal()
		if !ok {
			if token != "" {
				t.Fatalf("%q is refused and yet gives %q", first, token)
			}
			return
		}
		if !sent || second != "" || token == "" || strings.ContainsAny(token, " ,\t") {
			t.Fatalf("%q and %q give %q, sent %v", first, second, token, sent)
		}
		scheme, rest, found := strings.Cut(first, " ")
		if !found || strings.ToLower(scheme) != "bearer" || strings.Trim(rest, " ") != token {
			t.Fatalf("%q gives %q", first, token)
		}
	})
}
