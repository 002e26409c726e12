package oauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	noToken  = `Bearer realm="Latchkey"`
	badToken = noToken + `, error="invalid_token"`
)

// verify asks about one token, in the usual way.
func (s *server) verify(t *testing.T, value string) answer {
	t.Helper()
	return s.ask(t, http.MethodGet, "/oauth2/verify", "", "Authorization", "Bearer "+value)
}

// unauthorized checks the one answer for all that is not good.
func unauthorized(t *testing.T, what string, got answer, challenge string) {
	t.Helper()
	if got.status != 401 || got.body != "Unauthorized" || got.header.Get("WWW-Authenticate") != challenge {
		t.Errorf("%s: %d %q, challenge %s", what, got.status, got.body, got.header.Get("WWW-Authenticate"))
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
		t.Errorf("%s: headers %v", what, got.header)
	}
	for name := range got.header {
		if strings.HasPrefix(name, "X-Latchkey") {
			t.Errorf("%s: it says %s", what, name)
		}
	}
}

// Any method: a proxy may ask with that of the original request.
func TestVerifyGood(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	var id string
	if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT id FROM tokens").Scan(&id); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"X-Latchkey-Team": s.ana.TeamID, "X-Latchkey-Application": s.app.ID, "X-Latchkey-Client-Id": s.app.ClientID, "X-Latchkey-Scope": "api stream",
		"X-Latchkey-Token-Id": id, "X-Latchkey-Expires": "2026-11-23T17:00:00Z", "Cache-Control": "no-store", "Pragma": "no-cache", "WWW-Authenticate": "",
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "ODD"} {
		got := s.ask(t, method, "/oauth2/verify", "", "Authorization", "Bearer "+value, "X-Latchkey-Team", "forged", "X-Canary", "canary")
		if got.status != 200 || got.body != "" { // O12: TRACE does not echo
			t.Errorf("%s: %d %q", method, got.status, got.body)
		}
		for name, value := range want {
			if strings.Join(got.header.Values(name), "|") != value {
				t.Errorf("%s: %s is %q, want %q", method, name, got.header.Values(name), value)
			}
		}
		unauthorizedOrHead(t, method, s.ask(t, method, "/oauth2/verify", "", "Authorization", "Bearer "+value+"x"))
	}
	if strings.Contains(s.log.String(), value) { // A2
		t.Error("the token stands in the log")
	}
}

func unauthorizedOrHead(t *testing.T, method string, got answer) {
	t.Helper()
	if method == http.MethodHead && got.body == "" {
		got.body = "Unauthorized"
	}
	unauthorized(t, method, got, badToken)
}

// A proxy that hands on the original request does not become a limit on uploads.
func TestVerifyOfAnUpload(t *testing.T) {
	s := newServer(t)
	got := s.ask(t, http.MethodPost, "/oauth2/verify", strings.Repeat("x", 20<<10), "Authorization", "Bearer "+s.token(t, ""))
	if got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestVerifyAuthorizationHeader(t *testing.T) { // O9
	s := newServer(t)
	value := s.token(t, "")
	for _, test := range []struct {
		what      string
		headers   []string
		challenge string // empty for a good answer
	}{
		{"good", []string{"Authorization", "Bearer " + value}, ""},
		{"small letters", []string{"Authorization", "bearer " + value}, ""},
		{"capitals", []string{"Authorization", "BEARER " + value}, ""},
		{"spaces around", []string{"Authorization", "Bearer   " + value + "  "}, ""},
		{"no header", nil, noToken},
		{"empty header", []string{"Authorization", ""}, noToken},
		{"scheme alone", []string{"Authorization", "Bearer"}, noToken},
		{"scheme and space", []string{"Authorization", "Bearer "}, noToken},
		{"other scheme", []string{"Authorization", "Basic " + value}, noToken},
		{"no scheme", []string{"Authorization", value}, noToken},
		{"no space", []string{"Authorization", "Bearer" + value}, noToken},
		{"in another header", []string{"X-Authorization", "Bearer " + value, "Cookie", "token=" + value, "Proxy-Authorization", "Bearer " + value}, noToken},
		{"two headers", []string{"Authorization", "Bearer " + value, "Authorization", "Bearer " + value}, badToken},
		{"two headers, one empty", []string{"Authorization", "Bearer " + value, "Authorization", ""}, badToken},
		{"two headers, one other", []string{"Authorization", "Basic x", "Authorization", "Bearer " + value}, badToken},
		{"two tokens", []string{"Authorization", "Bearer " + value + " " + value}, badToken},
		{"a list", []string{"Authorization", "Bearer " + value + ",Bearer " + value}, badToken},
		{"a list with a space", []string{"Authorization", "Bearer " + value + ", Basic x"}, badToken},
		{"space inside", []string{"Authorization", "Bearer " + value[:20] + " " + value[20:]}, badToken},
		{"tab inside", []string{"Authorization", "Bearer " + value[:20] + "\t" + value[20:]}, badToken},
		{"quoted", []string{"Authorization", `Bearer "` + value + `"`}, badToken},
		{"cut short", []string{"Authorization", "Bearer " + value[:30]}, badToken},
		{"one character changed", []string{"Authorization", "Bearer " + value[:30] + "-" + value[31:]}, badToken},
		{"other case", []string{"Authorization", "Bearer " + strings.ToUpper(value)}, badToken},
		{"good at another installation", []string{"Authorization", "Bearer " + newServer(t).token(t, "")}, badToken},
		{"not ASCII", []string{"Authorization", "Bearer lk_at_\xff\xc3\xa9"}, badToken},
		{"quote of SQL", []string{"Authorization", "Bearer '--"}, badToken},
		{"10 kB", []string{"Authorization", "Bearer " + strings.Repeat("a", 10_000)}, badToken}, // R2
	} {
		got := s.ask(t, http.MethodGet, "/oauth2/verify", "", test.headers...)
		if test.challenge != "" {
			unauthorized(t, test.what, got, test.challenge)
		} else if got.status != 200 {
			t.Errorf("%s: %d %s", test.what, got.status, got.body)
		}
	}
	// No token in an address or a body (RFC 6750 sections 2.2 and 2.3 are not offered).
	unauthorized(t, "in the query", s.ask(t, http.MethodGet, "/oauth2/verify?access_token="+value+"&token="+value, ""), noToken)
	unauthorized(t, "in the body", s.ask(t, http.MethodPost, "/oauth2/verify", "access_token="+value, "Content-Type", form), noToken)
}

// Promise 2: the very next request is refused.
func TestVerifyRefuses(t *testing.T) {
	for what, deed := range map[string]func(t *testing.T, s *server, value string) error{
		"expired at the exact moment": func(_ *testing.T, s *server, _ string) error { s.Wait(time.Hour); return nil }, // T5
		"revoked, all of them": func(_ *testing.T, s *server, _ string) error {
			_, err := s.RevokeTokens(context.Background(), s.ana, s.app.ID)
			return err
		},
		"revoked, this one": func(t *testing.T, s *server, _ string) error {
			var id string
			if err := s.Raw(t).QueryRowContext(context.Background(), "SELECT id FROM tokens").Scan(&id); err != nil {
				return err
			}
			_, _, err := s.RevokeToken(context.Background(), s.ana, s.app.ID, id)
			return err
		},
		"application switched off": func(_ *testing.T, s *server, _ string) error {
			return s.SwitchApplication(context.Background(), s.ana, s.app.ID, false)
		}, // T4
		"application deleted": func(_ *testing.T, s *server, _ string) error {
			_, err := s.DeleteApplication(context.Background(), s.ana, s.app.ID)
			return err
		}, // T4
		"team suspended by another process": func(t *testing.T, s *server, value string) error { // T4
			_, err := s.Raw(t).ExecContext(context.Background(), "UPDATE teams SET suspended_at = 1")
			s.Announce(t)
			heard(func() bool { return err != nil || s.verify(t, value).status != 200 })
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newServer(t)
			value := s.token(t, "")
			s.Wait(time.Hour - time.Millisecond)
			if got := s.verify(t, value); got.status != 200 {
				t.Fatalf("before: %d %s", got.status, got.body)
			}
			s.Wait(time.Millisecond - time.Hour)
			if err := deed(t, s, value); err != nil {
				t.Fatal(err)
			}
			unauthorized(t, what, s.verify(t, value), badToken)
		})
	}
}

// A token outlives its application's pause.
func TestVerifyAfterSwitchingOnAgain(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	for _, on := range []bool{false, true} {
		if err := s.SwitchApplication(t.Context(), s.ana, s.app.ID, on); err != nil {
			t.Fatal(err)
		}
		if got := s.verify(t, value); (got.status == 200) != on {
			t.Errorf("on %v: %d", on, got.status)
		}
	}
}

func change(t *testing.T, s *server, scopes string) {
	t.Helper()
	values := models.ApplicationValues{Name: s.app.Name, Lifespan: s.app.Lifespan, Scopes: scopes}
	if err := s.ChangeApplication(t.Context(), s.ana, s.app.ID, values, 0); err != nil {
		t.Fatal(err)
	}
}
