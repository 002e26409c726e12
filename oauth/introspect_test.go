package oauth_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

const notActive = `{"active":false}`

// active reads a good answer, nil for one that says no.
func active(t *testing.T, what string, got answer) map[string]any {
	t.Helper()
	refusal(t, what, got, 200, "")
	if got.body == notActive {
		return nil
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(got.body), &fields); err != nil || fields["active"] != true {
		t.Errorf("%s: %s", what, got.body)
	}
	return fields
}

// O2: a resource server sees every team's tokens, an application its own team's.
func TestIntrospectWhoseTokens(t *testing.T) {
	s := newServer(t)
	sibling, siblingSecret := s.client(t, "Reporter", "api")
	bo := s.Member(t, "southwind", "bo", models.RoleOwner)
	foreign, foreignSecret := s.clientOf(t, bo, "Trading bot", "api")
	ours, theirs := caller{sibling.ClientID, siblingSecret}, caller{foreign.ClientID, foreignSecret}
	_, manual := s.manual(t, s.app)
	api := s.resourceServer(t, "Orders")
	for _, token := range []struct{ what, value, client string }{
		{"own", s.token(t, ""), s.app.ClientID}, {"own, manual", manual, s.app.ClientID},
		{"sibling's", s.tokenOf(t, ours, ""), sibling.ClientID}, {"another team's", s.tokenOf(t, theirs, ""), foreign.ClientID},
	} {
		foreignToken := token.client == foreign.ClientID
		for what, by := range map[string]struct {
			caller
			sees bool
		}{
			"resource server": {api, true}, "application": {s.me(), !foreignToken}, "sibling": {ours, !foreignToken}, "other team": {theirs, foreignToken},
		} {
			for _, round := range []string{"from the store", "from the cache"} {
				got := active(t, token.what+" "+round, s.introspect(t, by.caller, token.value))
				if (got != nil) != by.sees || got != nil && got["client_id"] != token.client {
					t.Errorf("%s, asked by the %s, %s: %v", token.what, what, round, got)
				}
			}
		}
	}
}

// RFC 7662 section 2.2: these fields, of these types, and no others.
func TestIntrospectAnswer(t *testing.T) {
	s := newServer(t)
	s.Wait(999 * time.Millisecond) // no fractions of seconds in the answer
	value := s.token(t, "&scope=stream")
	var id string
	if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT id FROM tokens").Scan(&id); err != nil {
		t.Fatal(err)
	}
	made := float64(s.Now().Std().Unix())
	want := map[string]any{
		"active": true, "scope": "stream", "client_id": s.app.ClientID, "token_type": "bearer", "iss": issuerURL,
		"sub": s.app.ClientID, "jti": id, "team": s.ana.TeamID, "application": s.app.ID, // O8
		"iat": made, "nbf": made, "exp": made + 3600,
	}
	for what, more := range map[string]string{
		"plain": "", "hint": "&token_type_hint=access_token", "other hint": "&token_type_hint=refresh_token", "odd hint": "&token_type_hint=%00%27",
		"empty hint": "&token_type_hint=", "unknown parameter": "&resource=x",
	} {
		for _, by := range []caller{s.me(), s.resourceServer(t, what)} {
			got := active(t, what, s.call(t, "introspect", by.form(ofToken(value)+more)))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
	}
}

// O6: what counts is what was granted and the application still has.
func TestIntrospectScopeFollowsTheApplication(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	both, one := s.token(t, ""), s.token(t, "&scope=api")
	for _, step := range []struct{ owned, both, one string }{
		{"api stream", "api stream", "api"}, {"api", "api", "api"}, {"stream", "stream", ""}, {"stream api admin", "api stream", "api"},
	} {
		change(t, s, step.owned)
		for value, want := range map[string]string{both: step.both, one: step.one} {
			for _, by := range []caller{s.me(), api} {
				if got := active(t, step.owned, s.introspect(t, by, value)); got["scope"] != want {
					t.Errorf("application has %q: %v, want %q", step.owned, got, want)
				}
			}
		}
	}
}

// T8: a resource server's question counts as use of the token, which it serves;
// an application's does not. Both are use of the caller's credential.
func TestIntrospectLastUsed(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders API")
	served, asked, dead := s.token(t, ""), s.token(t, ""), s.token(t, "")
	revoked(t, "revoke", s.revoke(t, s.me(), dead))
	s.Wait(time.Minute)
	for value, by := range map[string]caller{served: api, asked: s.me(), dead: api} {
		s.introspect(t, by, value)
	}
	if err := s.settle(); err != nil {
		t.Fatal(err)
	}
	const byHash = "SELECT last_used_at, last_used_from FROM tokens WHERE hash = ?"
	for _, test := range []struct {
		what, query string
		arg         any
		at          models.Time
		from        string
	}{
		{"token of the resource server's question", byHash, secrets.Hash(newSecret(served)), s.Now(), "Orders API"},
		{"token of the application's question", byHash, secrets.Hash(newSecret(asked)), 0, ""},
		{"revoked token", byHash, secrets.Hash(newSecret(dead)), 0, ""},
		{"resource server", "SELECT last_used_at, '' FROM resource_servers WHERE client_id = ?", api.id, s.Now(), ""},
		{"secret of the application", "SELECT last_used_at, '' FROM client_secrets WHERE application_id = ?", s.app.ID, s.Now(), ""},
	} {
		if at, from := s.lastUsed(t, test.query, test.arg); at != test.at || from != test.from {
			t.Errorf("%s: %d from %q, want %d from %q", test.what, at, from, test.at, test.from)
		}
	}
}

// Promise 2: a resource server that is removed is refused at once by the store
// that removed it, and by others as soon as they hear of it.
func TestIntrospectByARemovedResourceServer(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	api, other := s.resourceServer(t, "Orders"), s.resourceServer(t, "Billing")
	node := s.again(t)
	for what, on := range map[string]*server{"first": s, "second": node} {
		if active(t, what, on.introspect(t, api, value)) == nil {
			t.Errorf("%s node: not active", what)
		}
	}
	if err := s.RemoveResourceServer(context.Background(), models.CommandLine, "ORDERS"); err != nil {
		t.Fatal(err)
	}
	refusal(t, "same node", s.introspect(t, api, value), 401, "invalid_client")
	got := node.introspect(t, api, value)
	for deadline := time.Now().Add(time.Minute); got.status == 200 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		got = node.introspect(t, api, value)
	}
	refusal(t, "other node", got, 401, "invalid_client")
	if active(t, "another", node.introspect(t, other, value)) == nil {
		t.Error("another resource server is refused too")
	}
}

// A2: no token, good or not, and no secret in the log; A3: a refusal has its reason there.
func TestIntrospectLog(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	good, dead := s.token(t, ""), s.token(t, "")
	revoked(t, "revoke", s.revoke(t, s.me(), dead))
	unknown := newServer(t).token(t, "")
	for _, value := range []string{good, dead, unknown, "canaryZk3Q"} {
		s.introspect(t, api, value)
	}
	s.introspect(t, caller{api.id, "canarySecret"}, good)
	log := s.log.String()
	for _, value := range []string{good, dead, unknown, "canary", s.secret, api.secret} {
		if strings.Contains(log, value) {
			t.Errorf("%s stands in the log", value)
		}
	}
	for _, reason := range []string{"revoked", "unknown", "malformed", "wrong client secret"} {
		if strings.Count(log, `"refused":"`+reason+`"`) != 1 {
			t.Errorf("the log does not say %s once: %s", reason, log)
		}
	}
	if !tokens.WellFormed(unknown) {
		t.Error("the unknown token is not well formed")
	}
}
