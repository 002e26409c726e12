package oauth_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// O10, A6: without the database nobody gets a token, and none is good.

// A writer beside the program, a backup tool perhaps, holds the lock for longer than
// a request may wait.
func TestTokenWhileTheDatabaseIsLocked(t *testing.T) {
	s := newServerWithTimeout(t, 300*time.Millisecond)
	value := s.token(t, "")
	release := s.Lock(t)
	got := s.post(t, s.credentials(""))
	refusal(t, "locked", got, 503, "temporarily_unavailable")
	if wait(t, got) > time.Minute {
		t.Errorf("Retry-After is %v", wait(t, got))
	}
	if verified := s.verify(t, value); verified.status != 200 {
		t.Errorf("a writer stops readers: %d", verified.status)
	}
	release()
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
		deed    func(t *testing.T, s *server) error
	}{
		{"damaged", time.Minute, func(t *testing.T, s *server) error { t.Helper(); s.Break(t); return nil }},
		{"closed", time.Minute, func(_ *testing.T, s *server) error { return s.Close() }},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newServerWithTimeout(t, test.timeout)
			if err := test.deed(t, s); err != nil {
				t.Fatal(err)
			}
			refusal(t, "token", s.post(t, s.credentials("")), 503, "temporarily_unavailable")
			for _, endpoint := range aboutTokens {
				refusal(t, endpoint, s.call(t, endpoint, s.me().form("&token=lk_at_x")), 503, "temporarily_unavailable")
				refusal(t, endpoint+" by nobody", s.call(t, endpoint, caller{"x", "y"}.form("&token=lk_at_x")), 503, "temporarily_unavailable")
			}
			nobody := newKeyPair(t, jose.ES256).sign(t, s.claims(s.app))
			refusal(t, "assertion", s.post(t, asserted(nobody, "")), 503, "temporarily_unavailable")
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

// A request that has run out of time gets nothing. Whether it came from a client is
// told all the same, since a guess has to count however short its time was.
func TestTimeIsUp(t *testing.T) {
	s := newServerWithTimeout(t, time.Nanosecond)
	refusal(t, "token", s.post(t, s.credentials("")), 503, "temporarily_unavailable")
	for _, endpoint := range aboutTokens {
		refusal(t, endpoint, s.call(t, endpoint, s.me().form("&token=lk_at_x")), 503, "temporarily_unavailable")
		refusal(t, endpoint+" by nobody", s.call(t, endpoint, caller{"x", "y"}.form("&token=lk_at_x")), 401, "invalid_client")
	}
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	refusal(t, "assertion", s.post(t, asserted(pair.sign(t, s.claims(s.app)), "")), 503, "temporarily_unavailable")
	refusal(t, "verify", s.verify(t, "lk_at_x"), 503, "temporarily_unavailable")
}

// O10: a revocation that cannot be stored fails loudly, and the token stays good
// until it is revoked; an assertion whose use cannot be stored gets nothing.
func TestRevokeWhileTheDatabaseIsLocked(t *testing.T) {
	t.Parallel()
	s := newServerWithTimeout(t, 300*time.Millisecond)
	api := s.resourceServer(t, "Orders")
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	value := s.token(t, "")
	release := s.Lock(t)
	waiting := asserted(pair.sign(t, s.claims(s.app)), "")
	// Together, since SQLite waits for seconds whatever the time-out.
	var all sync.WaitGroup
	for _, endpoint := range append(endpoints, "revoke") {
		all.Go(func() { refusal(t, endpoint, s.direct(t, endpoint, waiting), 503, "temporarily_unavailable") })
		all.Go(func() {
			refusal(t, "revoke", s.direct(t, "revoke", s.me().form(ofToken(value))), 503, "temporarily_unavailable")
		})
	}
	all.Wait()
	revoked(t, "another's token needs no writing", s.revoke(t, s.me(), "lk_at_x"))
	if active(t, "locked", s.introspect(t, api, value)) == nil {
		t.Error("a revocation that failed counts")
	}
	release()
	revoked(t, "free again", s.revoke(t, s.me(), value))
	if active(t, "revoked", s.introspect(t, api, value)) != nil {
		t.Error("active after it was revoked")
	}
	if n := len(s.revocations(t)); n != 1 {
		t.Errorf("%d audit events", n)
	}
}

// Promise 2: what is remembered answers no longer than the feed of changes lives.
func TestIntrospectAfterTheDatabaseIsGone(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	value := s.token(t, "")
	if active(t, "before", s.introspect(t, api, value)) == nil {
		t.Error("not active")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	heard(func() bool { return s.introspect(t, api, value).status != 200 })
	refusal(t, "gone", s.introspect(t, api, value), 503, "temporarily_unavailable")
	refusal(t, "revoke", s.revoke(t, s.me(), value), 503, "temporarily_unavailable")
}
