package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// streaming is an API whose answers are events and do not end.
func streaming(t *testing.T) models.Upstream {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(api.Close)
	target, err := url.Parse(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	return models.Upstream{Path: "/v1", Target: target, API: "v1"}
}

// stream opens streams with a token through the gateway of the pages.
func (s *site) stream(t *testing.T, at string, actor models.Actor, app models.Application, token string, n int) {
	t.Helper()
	sealed, err := s.db.RevealToken(t.Context(), actor, app.ID, token)
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.pages.Issuer.Open(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+value.Reveal())
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		if response.StatusCode != http.StatusOK {
			t.Fatal(response.Status)
		}
	}
}

// Pages that ask before tokens end say how many live streams close with them: those of this
// token, this application, this team and nobody else's (D3).
func TestConfirmPagesCountStreams(t *testing.T) {
	s := newSite(t)
	ada := s.operator(t, "operators", "ada")
	ana, zoe := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "zoe", models.RoleOwner)
	bot, token := s.application(t, ana, "Trading bot")
	quiet, unused := s.application(t, ana, "Quiet")
	foreign, other := s.application(t, zoe, "Other")
	b := s.signedIn(t, ana)
	if page := b.get(views.ApplicationPath(bot.ID)); strings.Contains(page.text(), "Live streams") {
		t.Error("live streams are counted where there is no gateway")
	}
	s.pages.Gateway = s.gateway(t, s.pages.Deps, streaming(t))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.pages.Gateway.Serve(w, r, gateway.Caller{Note: func(string, string) {}})
	}))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	s.stream(t, front.URL, ana, bot, token, 2)
	s.stream(t, front.URL, ana, quiet, unused, 1)
	s.stream(t, front.URL, zoe, foreign, other, 4)

	b.get(views.ApplicationPath(bot.ID)).expect(t, http.StatusOK, "Live streams", "2 open now")
	b.get(views.RevokeTokenPath(bot.ID, token)).expect(t, http.StatusOK, "You cannot turn it back on. 2 live streams close too.")
	b.get(views.RevokeTokenPath(quiet.ID, unused)).expect(t, http.StatusOK, "1 live stream closes too.")
	b.get(views.RevokeTokensPath(bot.ID)).expect(t, http.StatusOK, "2 live streams close too.")
	b.get(views.DeleteApplicationPath(bot.ID)).expect(t, http.StatusOK, "2 live streams close too.")
	b.post(views.DeleteApplicationPath(bot.ID), "confirm", "wrong").expect(t, http.StatusUnprocessableEntity, "2 live streams close too.")
	b.get(views.SwitchOffPath(bot.ID)).expect(t, http.StatusOK, "2 live streams close too.")
	operator := s.signedIn(t, ada)
	operator.get(views.SuspendTeamPath(ana.TeamID)).expect(t, http.StatusOK, "3 live streams close too.")
	if page := operator.get(views.SuspendTeamPath(ada.TeamID)); strings.Contains(page.text(), "live stream") {
		t.Error("a team without streams is told of some")
	}
}
