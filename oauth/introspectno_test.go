package oauth_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// ending ends a token of its own application. Those that end more come last.
type ending struct {
	what string
	deed func(t *testing.T, s *server, app models.Application, by caller, value string) error
}

var endings = []ending{
	{"revoked", func(t *testing.T, s *server, _ models.Application, by caller, value string) error {
		revoked(t, "revoke", s.revoke(t, by, value))
		return nil
	}},
	{"revoked, all of them", func(_ *testing.T, s *server, app models.Application, _ caller, _ string) error {
		_, err := s.RevokeTokens(context.Background(), s.ana, app.ID)
		return err
	}},
	{"application switched off", func(_ *testing.T, s *server, app models.Application, _ caller, _ string) error {
		return s.SwitchApplication(context.Background(), s.ana, app.ID, false)
	}},
	{"application deleted", func(_ *testing.T, s *server, app models.Application, _ caller, _ string) error {
		_, err := s.DeleteApplication(context.Background(), s.ana, app.ID)
		return err
	}},
	{"row deleted", func(t *testing.T, s *server, app models.Application, _ caller, _ string) error {
		// By another process: the feed tells of it.
		_, err := s.Raw(t).ExecContext(context.Background(), "DELETE FROM tokens WHERE application_id = ?", app.ID)
		s.Announce(t)
		return err
	}},
	{"expired at the exact moment", func(_ *testing.T, s *server, _ models.Application, _ caller, _ string) error { // T5
		s.Wait(time.Hour)
		return nil
	}},
}

// O3: whatever is not good, and whoever asks, gets the same bytes and headers.
func TestIntrospectNotGood(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	want := s.introspect(t, api, "lk_at_unknown")
	if active(t, "unknown", want) != nil || want.body != notActive || want.header.Get("Content-Type") != "application/json" {
		t.Fatalf("unknown: %d %q %v", want.status, want.body, want.header)
	}
	for _, end := range endings {
		app, secret := s.client(t, end.what, "api")
		own := caller{app.ClientID, secret}
		value := s.tokenOf(t, own, "")
		s.Wait(time.Hour - time.Millisecond)
		for what, by := range map[string]caller{"resource server": api, "sibling": s.me(), "application": own} {
			if active(t, end.what, s.introspect(t, by, value)) == nil {
				t.Errorf("before %s: the %s is told no", end.what, what)
			}
		}
		s.Wait(time.Millisecond - time.Hour)
		if err := end.deed(t, s, app, own, value); err != nil {
			t.Fatal(err)
		}
		heard(func() bool { return s.introspect(t, api, value).body == notActive })
		s.introspect(t, api, value).sameAs(t, end.what+", asked by a resource server", want)
		s.introspect(t, s.me(), value).sameAs(t, end.what+", asked by a sibling", want)
		if end.what == "revoked" || end.what == "expired at the exact moment" {
			s.introspect(t, own, value).sameAs(t, end.what+", asked by its application", want)
		}
		unauthorized(t, end.what, s.verify(t, value), badToken)
	}
}

// heard gives the feed of changes time. Whoever calls it looks at the result again.
func heard(done func() bool) {
	for deadline := time.Now().Add(time.Minute); !done() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
}

// O3: neither the form of a token nor a hint makes a difference.
func TestIntrospectUnknown(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	bo := s.Member(t, "southwind", "bo", models.RoleOwner)
	foreign, foreignSecret := s.clientOf(t, bo, "Trading bot", "api")
	theirs := s.tokenOf(t, caller{foreign.ClientID, foreignSecret}, "")
	if active(t, "their own", s.introspect(t, caller{foreign.ClientID, foreignSecret}, theirs)) == nil {
		t.Error("the other team's token is not active for itself")
	}
	good := s.token(t, "")
	want := s.introspect(t, api, "x")
	values := map[string]string{
		"well formed": newServer(t).token(t, ""), "with a space behind": good + " ", "with a space before": " " + good, "with a line break": good + "\n",
		"with a NUL": good + "\x00", "with the scheme": "Bearer " + good, "other case": strings.ToUpper(good), "cut short": good[:len(good)-1],
		"one character changed": good[:10] + "-" + good[11:], "twice": good + good, "quote of SQL": "' OR 1=1 --", "not ASCII": "é\u202e🦉", "BOM": "\ufeff" + good,
		"512 bytes": strings.Repeat("a", 512), "513 bytes": strings.Repeat("a", 513), "10 kB": strings.Repeat("a", 10_000), // R2
		"decoded once": url.QueryEscape(good[:6] + "%5F" + good[7:]), // O5
	}
	for what, value := range values {
		s.introspect(t, api, value).sameAs(t, what, want)
		s.introspect(t, s.me(), value).sameAs(t, what+", asked by an application", want)
	}
	for range 2 { // from the cache too
		s.introspect(t, s.me(), theirs).sameAs(t, "another team's", want)
		s.introspect(t, api, theirs)
	}
	for _, hint := range []string{"", "access_token", "refresh_token", "odd", "%27"} {
		s.call(t, "introspect", api.form("&token=x&token_type_hint="+hint)).sameAs(t, "hint "+hint, want)
	}
}
