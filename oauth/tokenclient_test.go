package oauth_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

func newSecret(value string) models.Secret { return models.NewSecret(value) }

// What a team does to an application reaches the token endpoint at once.
func TestTokenOfAnApplicationThatChanged(t *testing.T) {
	for _, test := range []struct {
		what   string
		deed   func(s *server) error
		status int
		code   string
	}{
		{"deleted", func(s *server) error {
			_, err := s.DeleteApplication(context.Background(), s.ana, s.app.ID)
			return err
		}, 401, "invalid_client"},
		{"switched off", func(s *server) error {
			return s.SwitchApplication(context.Background(), s.ana, s.app.ID, false)
		}, 401, "invalid_client"}, // T4
		{"switched off and on", func(s *server) error {
			if err := s.SwitchApplication(context.Background(), s.ana, s.app.ID, false); err != nil {
				return err
			}
			return s.SwitchApplication(context.Background(), s.ana, s.app.ID, true)
		}, 200, ""},
		{"revoked, the application goes on", func(s *server) error {
			_, err := s.RevokeTokens(context.Background(), s.ana, s.app.ID)
			return err
		}, 200, ""},
		{"lost the scope", func(s *server) error {
			values := models.ApplicationValues{Name: s.app.Name, Lifespan: 3600, Scopes: "api"}
			return s.ChangeApplication(context.Background(), s.ana, s.app.ID, values, 0)
		}, 400, "invalid_scope"}, // O6
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newServer(t)
			if err := test.deed(s); err != nil {
				t.Fatal(err)
			}
			refusal(t, test.what, s.post(t, s.credentials("&scope=stream")), test.status, test.code)
		})
	}
}

func TestTokenOfASuspendedTeam(t *testing.T) { // T4
	s := newServer(t)
	if _, err := s.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1"); err != nil {
		t.Fatal(err)
	}
	refusal(t, "suspended", s.post(t, s.credentials("")), 401, "invalid_client")
}

// A changed lifespan counts for tokens issued after it.
func TestTokenLifespanIsTheApplicationsNow(t *testing.T) { // T5
	s := newServer(t)
	values := models.ApplicationValues{Name: s.app.Name, Lifespan: 60, Scopes: s.app.Scopes}
	if err := s.ChangeApplication(t.Context(), s.ana, s.app.ID, values, 0); err != nil {
		t.Fatal(err)
	}
	if got := s.post(t, s.credentials("")); !strings.Contains(got.body, `"expires_in":60,`) {
		t.Errorf("got %s", got.body)
	}
}

// T8: after a rotation the old secret works to the chosen moment and not beyond.
func TestTokenWithAnOldSecret(t *testing.T) {
	s := newServer(t)
	old := s.credentials("")
	rotate := func(overlap time.Duration) {
		value := secrets.NewClientSecret()
		if err := s.RotateSecret(t.Context(), s.ana, s.app.ID, store.Rotation{Secret: clientSecret(value), Overlap: overlap}); err != nil {
			t.Fatal(err)
		}
		s.secret = value.Reveal()
	}
	rotate(time.Hour)
	refusal(t, "old, at once", s.post(t, old), 200, "")
	refusal(t, "new, at once", s.post(t, s.credentials("")), 200, "")
	s.Wait(time.Hour - time.Millisecond)
	refusal(t, "old, a millisecond before the end", s.post(t, old), 200, "")
	s.Wait(time.Millisecond)
	refusal(t, "old, at the end", s.post(t, old), 401, "invalid_client")
	refusal(t, "new, at the end", s.post(t, s.credentials("")), 200, "")

	second := s.credentials("")
	rotate(time.Hour)
	if err := s.RetireSecret(t.Context(), s.ana, s.app.ID); err != nil {
		t.Fatal(err)
	}
	refusal(t, "retired", s.post(t, second), 401, "invalid_client")
	third := s.credentials("")
	rotate(0)
	refusal(t, "replaced without overlap", s.post(t, third), 401, "invalid_client")
	refusal(t, "newest", s.post(t, s.credentials("")), 200, "")
}

// O4: an unknown client, a deleted one and a wrong secret look the same.
func TestTokenFailuresLookTheSame(t *testing.T) {
	s := newServer(t)
	gone, goneSecret := s.client(t, "Gone", "api")
	if _, err := s.DeleteApplication(t.Context(), s.ana, gone.ID); err != nil {
		t.Fatal(err)
	}
	ask := func(id, secret string) answer {
		return s.post(t, "grant_type=client_credentials&client_id="+id+"&client_secret="+secret)
	}
	wrong := ask(s.app.ClientID, "wrong")
	for what, other := range map[string]answer{
		"unknown client": ask(store.NewID(), s.secret), "deleted client": ask(gone.ClientID, goneSecret),
		"no client ID at all": ask("x", "y"), "another client's secret": ask(s.app.ClientID, goneSecret),
	} {
		other.sameAs(t, what, wrong)
	}
}

// O11, A2: what a client sends comes back in no answer and stands in no log.
func TestTokenErrorsLeakNothing(t *testing.T) {
	s := newServer(t)
	const canary = "canaryZk3Q"
	with := func(name string) string {
		values := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.app.ClientID}, "client_secret": {s.secret}, "scope": {"api"}}
		values.Set(name, canary)
		return values.Encode()
	}
	for what, got := range map[string]answer{
		"grant":              s.post(t, with("grant_type")),
		"client":             s.post(t, with("client_id")),
		"secret":             s.post(t, with("client_secret")),
		"scope":              s.post(t, with("scope")),
		"doubled parameter":  s.post(t, canary+"=1&"+canary+"=2"),
		"bad escape":         s.post(t, canary+"=%zz"),
		"content type":       s.ask(t, http.MethodPost, "/oauth2/token", with("x"), "Content-Type", canary+"/x"),
		"query":              s.ask(t, http.MethodPost, "/oauth2/token?client_secret="+canary, with("x"), "Content-Type", form),
		"Basic":              s.post(t, "grant_type=client_credentials", "Authorization", basic(canary+":"+canary)),
		"Basic in bad form":  s.post(t, "grant_type=client_credentials", "Authorization", "Basic "+canary+"!"),
		"other scheme":       s.post(t, "grant_type=client_credentials", "Authorization", canary+" x"),
		"client beside":      s.post(t, "grant_type=client_credentials&client_id="+canary, "Authorization", basic("a:b")),
		"method":             s.ask(t, http.MethodPut, "/oauth2/token", with("x"), "X-Request-Id", canary),
		"path":               s.ask(t, http.MethodGet, "/oauth2/"+canary, ""),
		"body that is large": s.post(t, strings.Repeat(canary, 5000)),
	} {
		if got.status < 400 || strings.Contains(strings.ToLower(got.body), "canary") || got.header.Get("X-Request-Id") == canary {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, ""), canary) {
				t.Errorf("%s: header %s shows it", what, name)
			}
		}
	}
	if strings.Contains(s.log.String(), canary) {
		t.Errorf("the log shows it: %s", s.log.String())
	}
}
