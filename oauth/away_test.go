package oauth_test

import (
	"net/http"
	"os"
	"testing"
	"time"
)

// O10, A6: without the database nobody gets a token, and none is good.

// A writer beside the program, a backup tool perhaps, holds the lock for longer than
// a request may wait.
func TestTokenWhileTheDatabaseIsLocked(t *testing.T) {
	s := newServerWithTimeout(t, 300*time.Millisecond)
	value := s.token(t, "")
	held, err := s.raw(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	got := s.post(t, s.credentials(""))
	refusal(t, "locked", got, 503, "temporarily_unavailable")
	if wait(t, got) > time.Minute {
		t.Errorf("Retry-After is %v", wait(t, got))
	}
	if verified := s.verify(t, value); verified.status != 200 {
		t.Errorf("a writer stops readers: %d", verified.status)
	}
	if _, err := held.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	refusal(t, "free again", s.post(t, s.credentials("")), 200, "")
	// The transaction that was under way may have gone through; nobody knows its value.
	if n := s.stored(t); n != 2 && n != 3 {
		t.Errorf("%d tokens are stored", n)
	}
}

func TestDatabaseAway(t *testing.T) {
	for _, test := range []struct {
		what    string
		timeout time.Duration
		deed    func(s *server) error
	}{
		{"time is up", time.Nanosecond, func(*server) error { return nil }},
		{"damaged", time.Minute, func(s *server) error {
			for _, file := range []string{s.Path, s.Path + "-wal"} {
				if err := os.Truncate(file, 100); err != nil {
					return err
				}
			}
			return nil
		}},
		{"closed", time.Minute, func(s *server) error { return s.Close() }},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newServerWithTimeout(t, test.timeout)
			if err := test.deed(s); err != nil {
				t.Fatal(err)
			}
			refusal(t, "token", s.post(t, s.credentials("")), 503, "temporarily_unavailable")
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				got := s.ask(t, method, "/oauth2/verify", "", "Authorization", "Bearer lk_at_x")
				refusal(t, "verify by "+method, got, 503, "temporarily_unavailable")
				if got.header.Get("X-Latchkey-Team") != "" {
					t.Error("the answer names a team")
				}
			}
		})
	}
}
