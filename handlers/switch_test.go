package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// inTwo is somebody who is in northwind and contoso, signed in.
func inTwo(t *testing.T) (s *site, b *browser, own, other models.Actor) {
	t.Helper()
	s = newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	own = s.member(t, "contoso", "jonas", models.RoleOwner)
	link, _ := s.invited(t, s.signedIn(t, ana), ana.TeamID, own.Email, "developer")
	b = s.signedIn(t, own)
	b.post("/invitations", "code", codeOf(t, link)).expect(t, http.StatusSeeOther)
	b.get(apps).expect(t, http.StatusOK, "You are in northwind now.")
	return s, b, own, ana
}

func TestSwitchTeam(t *testing.T) {
	s, b, own, ana := inTwo(t)
	there, _ := s.application(t, own, "Own bot")
	here, _ := s.application(t, ana, "Their bot")
	b.get(apps).expect(t, http.StatusOK, "Their bot")
	// D3: every address stays inside the team of the session.
	b.get(apps+"/"+there.ID).expect(t, http.StatusNotFound)
	page := b.get(apps + "/" + here.ID)
	page.expect(t, http.StatusOK, "Teams", "contoso Owner", "northwind Developer")
	if strings.Count(page.body, `aria-current="true"`) < 1 || !strings.Contains(page.body, `value="`+ana.TeamID+`" aria-current="true"`) {
		t.Error("the current team is not marked")
	}
	if got := b.post("/user/switch", "team", own.TeamID, "return", apps+"/"+here.ID); got.to() != apps {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	b.get(apps).expect(t, http.StatusOK, "You are in contoso now.", "Own bot")
	b.get(apps+"/"+here.ID).expect(t, http.StatusNotFound)
	b.post(apps+"/"+here.ID+"/revoke").expect(t, http.StatusNotFound)
	b.get(apps+"/"+there.ID).expect(t, http.StatusOK)
	for to, want := range map[string]string{teamPage: teamPage, teamPage + "?x=1": teamPage, "/user/api_v2/access_tokens?application=" + there.ID: "/user/api_v2/access_tokens", "": apps} {
		if got := b.post("/user/switch", "team", ana.TeamID, "return", to); got.to() != want {
			t.Errorf("from %q to %q, want %q", to, got.to(), want)
		}
	}
	if _, actor, err := s.db.Session(t.Context(), nil); err == nil {
		t.Errorf("an empty ID finds %+v", actor)
	}
}

// P8: the way back is a path of this site.
func TestOpenRedirectsOfTheSwitcher(t *testing.T) {
	s, b, own, ana := inTwo(t)
	for _, evil := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/%2fevil.example", "javascript:alert(1)", "/\tx", "http:evil.example", apps + "\r\nX: y"} {
		for _, team := range []string{own.TeamID, ana.TeamID} {
			if got := b.post("/user/switch", "team", team, "return", evil); got.to() != apps {
				t.Errorf("switching with %q leads to %q", evil, got.to())
			}
		}
		if got := s.browser(t).post("/logout", "next", evil); got.to() != apps {
			t.Errorf("signing out with %q leads to %q", evil, got.to())
		}
	}
}

func TestSwitchingWhereOneMayNot(t *testing.T) {
	s, b, _, ana := inTwo(t)
	eve := s.member(t, "fabrikam", "eve", models.RoleOwner)
	before := len(s.db.Events(t, ""))
	for _, team := range []string{eve.TeamID, "", "nothing"} {
		b.post("/user/switch", "team", team).expect(t, http.StatusNotFound)
	}
	if len(s.db.Events(t, "")) != before {
		t.Error("a refused switch is recorded as one")
	}
	b.get(apps).expect(t, http.StatusOK, "northwind")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1 WHERE id = ?", ana.TeamID); err != nil {
		t.Fatal(err)
	}
	b.get(apps).expect(t, http.StatusForbidden, "Choose a team", "Go to contoso")
	b.post("/user/switch", "team", ana.TeamID).expect(t, http.StatusNotFound)
	alone := s.signedIn(t, eve)
	if strings.Contains(alone.get(apps).body, "/user/switch") {
		t.Error("the switcher shows with one team")
	}
}

func TestNoTeam(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1"); err != nil {
		t.Fatal(err)
	}
	b.get(apps).expect(t, http.StatusForbidden, "northwind is suspended", "until whoever runs Latchkey resumes it.")
	again := s.signedIn(t, ana)
	again.get(apps).expect(t, http.StatusForbidden, "northwind is suspended")
	again.get("/docs/authorization").expect(t, http.StatusOK)
	again.get("/confirm").expect(t, http.StatusOK)
	for _, route := range s.pages.Table() {
		if route.May != "" {
			again.do(route.Method, route.Path, fieldsOf(route), nil).expect(t, http.StatusForbidden, "northwind is suspended")
		}
	}
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 0"); err != nil {
		t.Fatal(err)
	}
	again.get(apps).expect(t, http.StatusForbidden, "Choose a team", "Go to northwind")
	b.get(apps).expect(t, http.StatusOK)
}
