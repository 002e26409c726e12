package oauth_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// These targets send what they are given to the endpoints, as a form.

var fuzzBodies = []string{
	"", "&", "=", "token=x", "token=lk_at_0", "token=&token=x", "token=%00", "token=%ff", "token=\xff", "token=%zz", "\ufefftoken=x", "token=x&token_type_hint=",
	"token=x&client_id=x&client_secret=y", "client_id=%00&client_secret=%00&token=x", "token=x&client_assertion=a.b.c", `{"token":"x"}`,
	"grant_type=client_credentials", "grant_type=client_credentials&scope=api+stream", "grant_type=client_credentials&scope=%22", "grant_type=password",
	"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=eyJhbGciOiJub25lIn0.e30.",
}

var fuzzHeaders = []string{"", "Basic", "Basic Og==", "Basic eDp5", "Basic JTAwOiUwMA==", "Bearer x", "basic  eDp5 ", "Digest x", "\xff"}

// checkAnswer wants what the contract has for any input at all.
func checkAnswer(t *testing.T, got answer) {
	t.Helper()
	var fields map[string]any
	if got.status != 200 && (json.Unmarshal([]byte(got.body), &fields) != nil || fields["error"] == "" || fields["error_description"] == "") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	switch got.status {
	case 200, 400, 401, 413:
	default:
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got.header.Get("Cache-Control") != "no-store" || (got.header.Get("WWW-Authenticate") != "") != (got.status == 401) {
		t.Fatalf("%d with %v", got.status, got.header)
	}
}

// fuzzed sends a body, as it is or behind good credentials.
func (s *server) fuzzed(t *testing.T, endpoint, body, header string, by *caller) answer {
	t.Helper()
	if by != nil {
		body = by.form("&" + body)
	}
	headers := elsewhere()
	if header != "" {
		headers = append(headers, "Authorization", header)
	}
	got := s.direct(t, endpoint, body, headers...)
	checkAnswer(t, got)
	return got
}

func addFuzzSeeds(f *testing.F) {
	for i, body := range fuzzBodies {
		for _, good := range []bool{true, false} {
			f.Add(body, fuzzHeaders[i%len(fuzzHeaders)], good)
			f.Add(body, "", good)
		}
	}
}

// O3, O5: whatever is asked, by whomever, it is answered, and no made-up token is
// active while a real one lives.
func FuzzIntrospection(f *testing.F) {
	s := newServer(f)
	s.log.mute()
	api := s.resourceServer(f, "Orders")
	s.token(f, "")
	addFuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body, header string, good bool) {
		var by *caller
		if good {
			by = &api
		}
		got := s.fuzzed(t, "introspect", body, header, by)
		if got.status == 200 && (got.body != notActive || !good) {
			t.Fatalf("%q behind %q: %s", body, header, got.body)
		}
	})
}

// O1, O4, O6: a token is issued to who proved who it is, for the one grant, with
// scopes that it has.
func FuzzTokenEndpoint(f *testing.F) {
	s := newServer(f)
	s.log.mute()
	addFuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body, header string, good bool) {
		var by *caller
		if good {
			me := s.me()
			by = &me
		}
		got := s.fuzzed(t, "token", body, header, by)
		if got.status != 200 {
			return
		}
		sent, err := url.ParseQuery(body)
		var fields map[string]any
		if json.Unmarshal([]byte(got.body), &fields) != nil || len(fields) != 4 || fields["access_token"] == "" {
			t.Fatalf("%s", got.body)
		}
		if err == nil && (!good || sent.Get("grant_type") != "client_credentials") {
			t.Fatalf("%q gives a token", body)
		}
		for _, scope := range strings.Fields(fmt.Sprint(fields["scope"])) {
			if scope != "api" && scope != "stream" {
				t.Fatalf("%q gives scope %s", body, fields["scope"])
			}
		}
	})
}

// What is signed by a key of the application and accepted says all that it must
// (RFC 7523 section 3); what is not signed is never accepted.
func FuzzClientAssertion(f *testing.F) {
	s := newServer(f)
	s.log.mute()
	pair := s.addKey(f, s.ana, s.app, jose.EdDSA)
	good, err := json.Marshal(s.claims(s.app))
	if err != nil {
		f.Fatal(err)
	}
	id := s.app.ClientID
	signed := map[string]bool{}
	for _, seed := range []string{
		string(good), strings.Replace(string(good), `"exp"`, `"iat":1,"exp"`, 1), strings.Replace(string(good), `"aud":`, `"aud":[],"own":`, 1),
		strings.Replace(string(good), id, id+`","sub":"x`, 1), strings.Replace(string(good), `"jti":"`, `"jti":"\u0000`, 1),
		"", "{}", "null", "[]", `{"iss":1}`, `{"sub":"` + id + `"}`, `{"exp":1e400}`, `{"aud":{}}`, "\xff",
	} {
		assertion := pair.signBytes(f, []byte(seed))
		signed[assertion] = true
		for _, raw := range []string{"", "x", "e30", "x.y.z", "e30.e30.", assertion} {
			f.Add([]byte(seed), raw)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, raw string) {
		if got := s.fuzzed(t, "introspect", asserted(raw, ""), "", nil); got.status == 200 && !signed[raw] {
			t.Fatalf("%q is accepted", raw)
		}
		if got := s.fuzzed(t, "introspect", asserted(pair.signBytes(t, payload), ""), "", nil); got.status != 200 {
			return
		}
		var said map[string]any
		err := json.Unmarshal(payload, &said)
		exp, _ := said["exp"].(float64)
		if jti, _ := said["jti"].(string); err != nil || said["iss"] != id || said["sub"] != id || jti == "" || said["aud"] == nil ||
			exp <= float64(s.inSeconds(0)) || exp > float64(s.inSeconds(5*time.Minute))+0.001 {
			t.Fatalf("%s is accepted: %v", payload, err)
		}
	})
}
