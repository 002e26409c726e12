package oauth_test

import (
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// A temporary token is a token like any other to those who ask about it; its application
// has no credentials, so nobody gets a token by its client ID.
func TestTemporaryTokensAtTheEndpoints(t *testing.T) {
	s := newServer(t)
	token, secret, err := s.issuer.Temporary(t.Context(), s.ana, "api stream")
	if err != nil {
		t.Fatal(err)
	}
	value := secret.Reveal()
	builtIn, err := s.Store.Application(t.Context(), s.ana.TeamID, token.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from the cache
		got := s.verify(t, value)
		if got.status != 200 || got.header.Get("X-Latchkey-Team") != s.ana.TeamID || got.header.Get("X-Latchkey-Application") != builtIn.ID ||
			got.header.Get("X-Latchkey-Scope") != "api stream" || got.header.Get("X-Latchkey-Token-Id") != token.ID {
			t.Errorf("%d %v", got.status, got.header)
		}
	}
	eve := s.Member(t, "contoso", "eve", models.RoleOwner)
	foreign, foreignSecret := s.clientOf(t, eve, "Theirs", "api")
	for what, by := range map[string]caller{"resource server": s.resourceServer(t, "API"), "own team": s.me()} {
		if fields := active(t, what, s.introspect(t, by, value)); fields["client_id"] != builtIn.ClientID || fields["jti"] != token.ID {
			t.Errorf("%s: %v", what, fields)
		}
	}
	if fields := active(t, "another team", s.introspect(t, caller{foreign.ClientID, foreignSecret}, value)); fields != nil {
		t.Errorf("another team: %v", fields)
	}
	for _, password := range []string{"", "x", value} {
		refusal(t, "token", s.post(t, "grant_type=client_credentials&"+caller{builtIn.ClientID, password}.form("")), 401, "invalid_client")
		refusal(t, "revoke", s.revoke(t, caller{builtIn.ClientID, password}, value), 401, "invalid_client")
	}
	if s.revoke(t, s.me(), value); s.verify(t, value).status != 200 { // RFC 7009 section 2.1: not its own
		t.Error("an application ended a temporary token")
	}
}

// T4: a member who is removed is refused at once here, and within a second elsewhere.
func TestARemovedMembersTemporaryToken(t *testing.T) {
	s := newServer(t)
	other := s.again(t)
	jon := s.Member(t, "northwind", "jon", models.RoleDeveloper)
	_, secret, err := s.issuer.Temporary(t.Context(), jon, "api")
	if err != nil {
		t.Fatal(err)
	}
	value := secret.Reveal()
	for range 3 {
		if s.verify(t, value).status != 200 || other.verify(t, value).status != 200 {
			t.Fatal("refused before")
		}
	}
	if _, err := s.RemoveMember(t.Context(), s.ana, jon.UserID); err != nil {
		t.Fatal(err)
	}
	unauthorized(t, "at once", s.verify(t, value), badToken)
	for began := time.Now(); other.verify(t, value).status == 200; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Second {
			t.Fatal("the other node still takes it after a second")
		}
	}
}
