package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

const socketPage = graphQLPage + "/socket"

// G5: the editor gets a ticket of the chosen token for that route alone, never the token.
func TestExplorerSocket(t *testing.T) {
	routes, err := models.ParseUpstreams("/graphql=http://127.0.0.1:1;ws;scope=api /plain=http://127.0.0.1:1;graphql")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, withRoutes(t, routes...))
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	bot, token := s.application(t, ana, "Bot")
	b := s.signedIn(t, ana)
	asScript := http.Header{"Accept": {"application/json"}}
	ask := func(b *browser, pairs ...string) answer {
		return b.do(http.MethodPost, socketPage, values(pairs...), asScript)
	}

	got := ask(b, "route", "/graphql", "token", token)
	var script struct{ URL string }
	if err := json.Unmarshal([]byte(got.body), &script); err != nil || !strings.HasPrefix(script.URL, "ws://127.0.0.1:8080/graphql?ticket=lk_tk_") {
		t.Fatalf("%s %s %v", got.Status, got.body, err)
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM tickets WHERE team_id = ? AND route = '/graphql'", ana.TeamID); n != 1 {
		t.Errorf("%d tickets", n)
	}
	ask(b, "route", "/graphql", "token", "temporary").expect(t, http.StatusOK, "lk_tk_")
	if got := ask(b, "route", "/plain", "token", token); got.StatusCode != http.StatusNotFound {
		t.Errorf("a route without ws: %s", got.Status)
	}
	if got := ask(s.signedIn(t, s.member(t, "northwind", "vic", models.RoleViewer)), "route", "/graphql", "token", token); got.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer: %s", got.Status)
	}
	if got := ask(s.signedIn(t, s.member(t, "contoso", "eve", models.RoleOwner)), "route", "/graphql", "token", token); got.StatusCode != http.StatusNotFound {
		t.Errorf("another team's token: %s", got.Status)
	}
	if _, _, err := s.db.RevokeToken(t.Context(), ana, bot.ID, token); err != nil {
		t.Fatal(err)
	}
	if got := ask(b, "route", "/graphql", "token", token); got.StatusCode != http.StatusNotFound {
		t.Errorf("a revoked token: %s", got.Status)
	}
	s.db.Wait(16 * time.Minute)
	_, other := s.application(t, ana, "Other")
	if got := ask(b, "route", "/graphql", "token", other); got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, `"confirm"`) { // S7
		t.Errorf("a stale proof: %s %s", got.Status, got.body)
	}
}
