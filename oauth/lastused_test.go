package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// lastUsed reads the times, and the address, that a query gives.
func (s *server) lastUsed(t *testing.T, query string, args ...any) (at models.Time, from string) {
	t.Helper()
	if err := s.Raw(t).QueryRowContext(t.Context(), query, args...).Scan(&at, &from); err != nil {
		t.Fatal(err)
	}
	return at, from
}

// T8: each secret and each token shows when it was last accepted. What was
// refused is no use.
func TestLastUsedTimes(t *testing.T) {
	s := newServer(t)
	old := s.credentials("")
	value := secrets.NewClientSecret()
	if err := s.RotateSecret(t.Context(), s.ana, s.app.ID, store.Rotation{Secret: clientSecret(value), Overlap: time.Hour}); err != nil {
		t.Fatal(err)
	}
	s.secret = value.Reveal()
	start := s.Now()
	refusal(t, "old", s.post(t, old), 200, "")
	s.Wait(time.Minute)
	refusal(t, "new", s.post(t, s.credentials("")), 200, "")
	token, unused := s.token(t, ""), s.token(t, "")
	s.Wait(time.Minute)
	if got := s.ask(t, "GET", "/oauth2/verify", "", "Authorization", "Bearer "+token, "X-Forwarded-For", home); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	s.Wait(time.Minute)
	refusal(t, "wrong", s.post(t, strings.Replace(old, "client_secret=", "client_secret=x", 1)), 401, "invalid_client")
	s.Wait(time.Hour)
	refusal(t, "old after its end", s.post(t, old), 401, "invalid_client")
	unauthorized(t, "expired", s.verify(t, token), badToken)
	if err := s.settle(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, query string
		arg         any
		at          models.Time
		from        string
	}{
		{"old secret", "SELECT last_used_at, '' FROM client_secrets WHERE expires_at <> 0 AND application_id = ?", s.app.ID, start, ""},
		{"new secret", "SELECT last_used_at, '' FROM client_secrets WHERE expires_at = 0 AND application_id = ?", s.app.ID, start.Add(time.Minute), ""},
		{"token", "SELECT last_used_at, last_used_from FROM tokens WHERE hash = ?", secrets.Hash(newSecret(token)), start.Add(2 * time.Minute), home},
		{"unused token", "SELECT last_used_at, last_used_from FROM tokens WHERE hash = ?", secrets.Hash(newSecret(unused)), 0, ""},
		{"application", "SELECT last_used_at, '' FROM applications WHERE id = ?", s.app.ID, start.Add(2 * time.Minute), ""},
	} {
		if at, from := s.lastUsed(t, test.query, test.arg); at != test.at || from != test.from {
			t.Errorf("%s: %v after the start from %q, want %v from %q", test.what, at.Sub(start), from, test.at.Sub(start), test.from)
		}
	}
}
