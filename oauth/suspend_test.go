package oauth_test

import (
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// T4: everything of a suspended team is refused by the very next request on this node,
// whatever the caches hold, and within a second on another. Resumed, it goes on.
func TestASuspendedTeamIsRefused(t *testing.T) {
	s := newServer(t)
	other := s.again(t)
	eve := s.Member(t, "contoso", "eve", models.RoleOwner)
	foreign, foreignSecret := s.clientOf(t, eve, "Neighbour", "api")
	api := s.resourceServer(t, "API")
	second, secondSecret := s.client(t, "Second", "api")
	issued, manual, neighbour := s.token(t, ""), "", s.tokenOf(t, caller{foreign.ClientID, foreignSecret}, "")
	_, manual = s.manual(t, second)
	good := func(on *server, value string) bool { return on.verify(t, value).status == 200 }
	active := func(on *server, value string) bool {
		got := on.introspect(t, api, value)
		return got.status == 200 && got.body != `{"active":false}`+"\n" && got.body != `{"active":false}`
	}
	for range 3 { // so that the caches of both hold all of it
		for _, on := range []*server{s, other} {
			for _, value := range []string{issued, manual, neighbour} {
				if !good(on, value) || !active(on, value) {
					t.Fatal("a token is refused before")
				}
			}
			on.tokenOf(t, caller{second.ClientID, secondSecret}, "")
		}
	}
	if err := s.SuspendTeam(t.Context(), models.CommandLine, s.ana.TeamID, "Unpaid"); err != nil {
		t.Fatal(err)
	}
	refused := func(on *server, when string) {
		t.Helper()
		for _, value := range []string{issued, manual} {
			unauthorized(t, when, on.verify(t, value), badToken)
			if active(on, value) {
				t.Errorf("%s: introspection says it is active", when)
			}
		}
		for _, app := range []caller{s.me(), {second.ClientID, secondSecret}} {
			refusal(t, when, on.post(t, "grant_type=client_credentials&"+app.form("")), 401, "invalid_client")
		}
		if !good(on, neighbour) || !active(on, neighbour) {
			t.Errorf("%s: another team's token is refused", when)
		}
	}
	refused(s, "at once")
	refused(s, "from the cache")
	issues := func(app caller) bool {
		return other.post(t, "grant_type=client_credentials&"+app.form("")).status == 200
	}
	for began := time.Now(); good(other, issued) || good(other, manual) || issues(s.me()) || issues(caller{second.ClientID, secondSecret}); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Second {
			t.Fatal("the other node still takes or issues tokens after a second")
		}
	}
	refused(other, "on the other node")
	if err := s.ResumeTeam(t.Context(), models.CommandLine, s.ana.TeamID); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{issued, manual} {
		if !good(s, value) || !active(s, value) {
			t.Error("a token is refused after the team was resumed")
		}
	}
	s.token(t, "")
}

// A rotated secret of a resource server, and one that was removed, end with the next question.
func TestRotatedResourceServer(t *testing.T) {
	s := newServer(t)
	api, token := s.resourceServer(t, "API"), s.token(t, "")
	for range 3 {
		refusal(t, "before", s.introspect(t, api, token), 200, "")
	}
	servers, err := s.ResourceServers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	value := secrets.NewClientSecret()
	if err := s.RotateResourceServer(t.Context(), models.CommandLine, servers[0].ID, secrets.Hash(value)); err != nil {
		t.Fatal(err)
	}
	refusal(t, "the old secret", s.introspect(t, api, token), 401, "invalid_client")
	api.secret = value.Reveal()
	refusal(t, "the new secret", s.introspect(t, api, token), 200, "")
	if err := s.RemoveResourceServer(t.Context(), models.CommandLine, "API"); err != nil {
		t.Fatal(err)
	}
	refusal(t, "removed", s.introspect(t, api, token), 401, "invalid_client")
}
