package oauth_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// What verify refuses is kept for the token's team, under our own path whatever a proxy
// says that the call was. T3: no value is among it.
func TestVerifyNotesWhatItRefuses(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "&scope=api")
	var id string
	if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT id FROM tokens").Scan(&id); err != nil {
		t.Fatal(err)
	}
	ask := func(query, value string) {
		s.ask(t, "GET", "/oauth2/verify"+query, "", "Authorization", "Bearer "+value, "User-Agent", "probe/1", "X-Forwarded-For", "203.0.113.9", "X-Original-Uri", "/forged")
	}
	known := func(reason models.Refusal, scope string) note {
		return note{tokens.RefusedError{
			Reason: reason, Hash: sha256.Sum256([]byte(value)), TokenID: id, ApplicationID: s.app.ID, TeamID: s.ana.TeamID, Scope: scope,
		}, "/oauth2/verify", "203.0.113.9", "probe/1"}
	}
	check := func(what string, want ...note) {
		t.Helper()
		got := s.noted.take()
		if len(got) != len(want) {
			t.Errorf("%s: %d notes, want %d", what, len(got), len(want))
			return
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: noted %+v, want %+v", what, got[i], want[i])
			}
		}
	}
	ask("", value)
	ask("?scope=api", value)
	check("good")
	ask("?scope=stream", value)
	check("lacks a scope", known(models.RefusedScope, "stream"))
	ask("", value+"x")
	check("wrong check digits", note{tokens.RefusedError{Reason: models.RefusedCheckDigits, Hash: sha256.Sum256([]byte(value + "x"))}, "/oauth2/verify", "203.0.113.9", "probe/1"})
	s.ask(t, "GET", "/oauth2/verify", "")
	s.ask(t, "GET", "/oauth2/verify", "", "Authorization", "Bearer a b")
	check("no token to know it by")
	s.Wait(2 * time.Hour)
	ask("", value)
	check("expired", known(models.RefusedExpired, ""))
	s.call(t, "introspect", s.me().form("&token="+value))
	check("introspection asks about tokens that may have ended")
}
