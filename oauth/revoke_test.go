package oauth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// revoked checks the one good answer of revocation (RFC 7009 section 2.2).
func revoked(t *testing.T, what string, got answer) {
	t.Helper()
	refusal(t, what, got, 200, "")
	if strings.TrimSpace(got.body) != "{}" {
		t.Errorf("%s: %s", what, got.body)
	}
}

// revocations returns the audit events of tokens that were revoked.
func (s *server) revocations(t *testing.T) []models.AuditEvent {
	t.Helper()
	var found []models.AuditEvent
	for _, event := range s.Events(t, "") {
		if event.Action == models.AuditTokenRevoked {
			found = append(found, event)
		}
	}
	return found
}

// Promise 2: the very next question is answered no, whoever asks, however warm the cache.
func TestRevoke(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	_, manual := s.manual(t, s.app)
	for what, value := range map[string]string{"issued": s.token(t, ""), "manual": manual, "one scope": s.token(t, "&scope=api")} {
		if s.verify(t, value).status != 200 || active(t, what, s.introspect(t, api, value)) == nil {
			t.Errorf("%s: not good before", what)
		}
		revoked(t, what, s.revoke(t, s.me(), value))
		unauthorized(t, what, s.verify(t, value), badToken)
		for _, by := range []caller{api, s.me()} {
			if active(t, what, s.introspect(t, by, value)) != nil {
				t.Errorf("%s: active after it was revoked", what)
			}
		}
	}
	if n := len(s.revocations(t)); n != 3 {
		t.Errorf("%d audit events, want 3", n)
	}
}

// T7: the sealed value goes with the token; D7: the deed and its audit event, which
// names the application, are one.
func TestRevokeIsAudited(t *testing.T) {
	s := newServer(t)
	id, value := s.manual(t, s.app)
	got := s.call(t, "revoke", s.me().form(ofToken(value)), "X-Forwarded-For", home, "User-Agent", "canary agent")
	revoked(t, "manual", got)
	var at models.Time
	var by string
	var sealed []byte
	err := s.Raw(t).QueryRowContext(t.Context(), "SELECT revoked_at, revoked_by, sealed FROM tokens WHERE id = ?", id).Scan(&at, &by, &sealed)
	if err != nil || at != s.Now() || by != s.app.ID || sealed != nil {
		t.Errorf("stored: at %d by %q, %d sealed bytes, %v", at, by, len(sealed), err)
	}
	events := s.revocations(t)
	want := models.AuditEvent{
		TeamID: s.ana.TeamID, At: s.Now(), ActorID: s.app.ID, ActorName: s.app.Name, Action: models.AuditTokenRevoked,
		TargetType: "token", TargetID: id, Target: s.app.Name + ", token ending in " + value[len(value)-4:],
		Address: home, RequestID: got.header.Get("X-Request-Id"),
	}
	if len(events) != 1 {
		t.Fatalf("%d audit events", len(events))
	}
	want.ID = events[0].ID
	if events[0] != want {
		t.Errorf("audit event %+v\nwant %+v", events[0], want)
	}
	if strings.Contains(s.log.String(), value) { // A2
		t.Error("the token stands in the log")
	}
}

// RFC 7009 section 2.2: what is not the caller's own live token gives the same
// answer, and nothing is revoked.
func TestRevokeOfWhatIsNotOnesOwn(t *testing.T) {
	s := newServer(t)
	sibling, siblingSecret := s.client(t, "Reporter", "api")
	bo := s.Member(t, "southwind", "bo", models.RoleOwner)
	foreign, foreignSecret := s.clientOf(t, bo, "Trading bot", "api")
	others := map[string]string{
		"another application's": s.tokenOf(t, caller{sibling.ClientID, siblingSecret}, ""),
		"another team's":        s.tokenOf(t, caller{foreign.ClientID, foreignSecret}, ""),
	}
	_, others["another application's, manual"] = s.manual(t, sibling)
	own, dead := s.token(t, ""), s.token(t, "")
	want := s.revoke(t, s.me(), dead)
	revoked(t, "own", want)
	for what, value := range map[string]string{
		"already revoked": dead, "unknown": newServer(t).token(t, ""), "malformed": "x", "NUL and quote": "\x00' OR 1=1 --", "10 kB": strings.Repeat("a", 10_000),
		"own, one character changed": own[:20] + "-" + own[21:], "own, cut short": own[:40], "own with a space": own + " ",
	} {
		s.revoke(t, s.me(), value).sameAs(t, what, want)
	}
	for what, value := range others {
		s.revoke(t, s.me(), value).sameAs(t, what, want)
		if got := s.verify(t, value); got.status != 200 { // D3
			t.Errorf("%s was revoked: %d", what, got.status)
		}
	}
	if got := s.verify(t, own); got.status != 200 {
		t.Errorf("own token: %d", got.status)
	}
	if n := len(s.revocations(t)); n != 1 {
		t.Errorf("%d audit events, want 1", n)
	}
	s.Wait(time.Hour)
	s.revoke(t, s.me(), own).sameAs(t, "expired", want)
	if n := len(s.revocations(t)); n != 1 {
		t.Errorf("an expired token gives an audit event")
	}
}

// The hint is no more than that (RFC 7009 section 2.1).
func TestRevokeHint(t *testing.T) {
	s := newServer(t)
	for _, hint := range []string{"", "access_token", "refresh_token", "no+such+thing", "%00", strings.Repeat("x", 5000)} {
		value := s.token(t, "")
		revoked(t, hint, s.call(t, "revoke", s.me().form(ofToken(value)+"&token_type_hint="+hint)))
		unauthorized(t, hint, s.verify(t, value), badToken)
	}
}

// D8: of fifty at once, one revokes; all are told that it is done.
func TestRevokeConcurrently(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	var all sync.WaitGroup
	answers := make(chan answer, 50)
	for range cap(answers) {
		all.Go(func() { answers <- s.direct(t, "revoke", s.me().form(ofToken(value))) })
	}
	all.Wait()
	close(answers)
	for got := range answers {
		revoked(t, "one of fifty", got)
	}
	if n := len(s.revocations(t)); n != 1 {
		t.Errorf("%d audit events, want 1", n)
	}
}
