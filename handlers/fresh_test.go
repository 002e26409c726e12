package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

// asks posts what wants a fresh proof and returns the fields of the page that asks for it.
func (b *browser) asks(t *testing.T, path string, pairs ...string) (page answer, fields []string) {
	t.Helper()
	got := b.post(path, pairs...)
	if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/confirm?next=") {
		t.Fatalf("%s: %s to %q", path, got.Status, got.to())
	}
	page = b.get(got.to())
	next, _ := page.field("next")
	deed, _ := page.field("deed")
	return page, []string{"password", password, "next", next, "deed", deed}
}

// S7: each deed that wants a fresh proof is done after it as it would have been at once.
func TestEveryFreshDeedGoesOn(t *testing.T) {
	var table []handlers.Route
	for _, route := range newSite(t).pages.Table() {
		if route.Fresh && route.Method == http.MethodPost {
			table = append(table, route)
		}
	}
	if len(table) < 8 {
		t.Fatalf("only %d deeds", len(table))
	}
	for _, route := range table {
		t.Run(route.Path, func(t *testing.T) {
			var answers [2]string
			var statuses [2]int
			for i := range answers {
				s := newSite(t)
				ana := s.member(t, "northwind", "ana", models.RoleOwner)
				if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET operator = TRUE"); err != nil {
					t.Fatal(err)
				}
				app, token := keyed(t, s, ana, "Bot")
				b := s.signedIn(t, ana)
				path, fields := pathOf(route, app.ID, token), []string{"confirm", "Bot", "overlap", "3600"}
				var got answer
				if i == 0 {
					got = b.post(path, fields...)
				} else {
					s.db.Wait(16 * time.Minute)
					_, proof := b.asks(t, path, fields...)
					got = b.post("/confirm", proof...)
				}
				answers[i] = strings.NewReplacer(app.ID, "APP", token, "TOKEN").Replace(got.to())
				statuses[i] = got.StatusCode
			}
			if answers[0] != answers[1] || statuses[0] != statuses[1] {
				t.Errorf("at once %d to %q, after the proof %d to %q", statuses[0], answers[0], statuses[1], answers[1])
			}
		})
	}
}

func stale(t *testing.T) (s *site, ana models.Actor, b *browser, app models.Application) {
	t.Helper()
	s, ana, b = profiled(t)
	app, _ = keyed(t, s, ana, "Bot")
	s.db.Wait(16 * time.Minute)
	return s, ana, b, app
}

// The page says what waits, and Cancel leads to a page that opens.
func TestConfirmPageSaysWhatWaits(t *testing.T) {
	s, ana, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	other := s.signedIn(t, ana)
	s.db.Wait(16 * time.Minute)
	session := other.get(profilePage)
	for path, want := range map[string][2]string{
		page + "/delete":                {"You asked to delete Bot . Confirm that it is you, and it is done.", page},
		page + "/secret/reveal":         {"You asked to show the client secret of Bot .", page},
		profilePage + "/sessions/end":   {"You asked to end all your other sessions.", profilePage},
		b.get(profilePage).endings()[0]: {"You asked to end one of your sessions.", profilePage},
		page + "x/delete":               {"what you asked for is done", page + "x"},
	} {
		asked, _ := b.asks(t, path, "confirm", "Bot")
		asked.expect(t, http.StatusOK, want[0])
		if !strings.Contains(asked.body, `href="`+want[1]+`">Cancel`) {
			t.Errorf("%s: Cancel does not lead to %s", path, want[1])
		}
	}
	session.expect(t, http.StatusOK)
	for next, cancel := range map[string]string{
		page + "/delete": page, page + "/secret": page, page: page, profilePage: profilePage,
		"/user/api_v2/access_tokens?application=" + app.ID: "/user/api_v2/access_tokens?application=" + app.ID,
		"/nowhere/at/all": "/user/api_v2/applications", "//evil.example": "/user/api_v2/applications", "": "/user/api_v2/applications",
	} {
		got := b.get("/confirm?next=" + url.QueryEscape(next))
		got.expect(t, http.StatusOK, "It has been a while since you signed in. Confirm that it is you to go on.")
		if !strings.Contains(got.body, `href="`+cancel+`">Cancel`) {
			t.Errorf("before %s, Cancel does not lead to %s", next, cancel)
		}
	}
	// Another person's deed is not told, whatever ID is asked for.
	eve := s.signedIn(t, s.member(t, "contoso", "eve", models.RoleOwner))
	_, proof := b.asks(t, page+"/delete", "confirm", "Bot")
	if got := eve.get("/confirm?next=/&deed=" + proof[5]); strings.Contains(got.text(), "Bot") {
		t.Error("a deed of another session is told")
	}
}

// A deed waits for the team in which it was asked for.
func TestADeedIsNotDoneInAnotherTeam(t *testing.T) {
	s, ana, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	contoso := s.member(t, "contoso", "eve", models.RoleOwner).TeamID
	raw := s.db.Raw(t)
	if _, err := raw.ExecContext(t.Context(), "INSERT INTO members (team_id, user_id, role, created_at) VALUES (?, ?, 'owner', 1)", contoso, ana.UserID); err != nil {
		t.Fatal(err)
	}
	_, proof := b.asks(t, page+"/delete", "confirm", "Bot")
	if _, err := raw.ExecContext(t.Context(), "UPDATE sessions SET team_id = ?", contoso); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/confirm", proof...); got.to() != "/user/api_v2/applications" {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get("/user/api_v2/applications").expect(t, http.StatusOK, "Nothing was done: you asked for it in another team.")
	if detail, err := s.db.Store.Application(t.Context(), ana.TeamID, app.ID); err != nil || detail.Name != "Bot" {
		t.Errorf("the application is gone: %v", err)
	}
	// What belongs to a person waits for no team.
	s.db.Wait(16 * time.Minute)
	if _, err := raw.ExecContext(t.Context(), "UPDATE sessions SET team_id = ?", ana.TeamID); err != nil {
		t.Fatal(err)
	}
	_, toEnd := b.asks(t, profilePage+"/sessions/end")
	if _, err := raw.ExecContext(t.Context(), "UPDATE sessions SET team_id = ''"); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/confirm", toEnd...); got.to() != profilePage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

// Of two deeds that were asked for in two tabs, the later waits; the other is not done
// unseen.
func TestTheLaterDeedWaits(t *testing.T) {
	s, _, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	_, first := b.asks(t, page+"/delete", "confirm", "Bot")
	_, second := b.asks(t, page+"/secret", "overlap", "3600")
	if got := b.post("/confirm", first...); got.to() != page {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(page).expect(t, http.StatusOK, "Confirmed, but nothing was done: what you asked for does not wait any more. Ask for it again.")
	if got := b.post("/confirm", second...); got.to() != page {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(page).expect(t, http.StatusOK, "The client secret was rotated. The old one works for 1 hour more.")
	if detail, err := s.db.Store.Application(t.Context(), app.TeamID, app.ID); err != nil || len(detail.Secrets) != 2 {
		t.Errorf("%d secrets (%v)", len(detail.Secrets), err)
	}
}

// D8: a confirm form that is sent many times at once does its deed once.
func TestADeedIsDoneOnce(t *testing.T) {
	s, _, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	_, proof := b.asks(t, page+"/secret", "overlap", "3600")
	cookie := http.Header{"Cookie": {"latchkey_session=" + b.cookie("latchkey_session").Value}}
	var done, again atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		other := s.browser(t)
		wg.Go(func() {
			got := other.do(http.MethodPost, "/confirm", values(proof...), cookie)
			switch {
			case got.to() == page:
				done.Add(1)
			case strings.HasPrefix(got.to(), "/login?next="):
				again.Add(1)
			}
		})
	}
	wg.Wait()
	if n := s.db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", models.AuditSecretRotated); done.Load() != 1 || again.Load() != 3 || n != 1 {
		t.Errorf("done %d times, recorded %d times, led to sign in %d times", done.Load(), n, again.Load())
	}
}

// R2: a form that is too long to wait says so, and what to do.
func TestALongDeedDoesNotWait(t *testing.T) {
	s, _, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	long := strings.Repeat("x", 17<<10)
	got := b.post(page+"/keys", "name", "laptop", "key", long)
	if !strings.HasPrefix(got.to(), "/confirm?next=") || strings.Contains(got.to(), "deed=") {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(got.to()).expect(t, http.StatusOK, "what you sent is too long to be kept meanwhile. Confirm first, then send it again.")
	if n := s.db.Number(t, "SELECT COUNT(*) FROM sessions WHERE pending <> ''"); n != 0 {
		t.Error("it was kept")
	}
	json := b.do(http.MethodPost, page+"/keys", values("key", long), http.Header{"Accept": {"application/json"}})
	json.expect(t, http.StatusForbidden, `kept=no`)
	b.post(page+"/keys", "name", strings.Repeat("y", 15<<10)).expect(t, http.StatusSeeOther)
	if n := s.db.Number(t, "SELECT COUNT(*) FROM sessions WHERE pending <> ''"); n != 1 {
		t.Error("a shorter one was not kept")
	}
}

// The script asks for JSON, is led to the page, and the value comes after the proof.
func TestAScriptsDeedGoesOn(t *testing.T) {
	_, _, b, app := stale(t)
	page := "/user/api_v2/applications/" + app.ID
	asked := b.do(http.MethodPost, page+"/secret/reveal", url.Values{}, http.Header{"Accept": {"application/json"}, "Referer": {b.site.URL + page}})
	asked.expect(t, http.StatusForbidden, `{"confirm":"/confirm?next=`)
	_, target, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(asked.body), `"}`), `"confirm":"`)
	form := b.get(strings.ReplaceAll(target, `\u0026`, "&"))
	next, _ := form.field("next")
	deed, _ := form.field("deed")
	b.post("/confirm", "password", password, "next", next, "deed", deed).expect(t, http.StatusOK, "Bot", "lk_cs_")
}

// Whatever is sent to the confirm page, it answers with a page.
func TestConfirmTakesAnything(t *testing.T) {
	_, _, b, _ := stale(t)
	for _, got := range []answer{
		b.post("/confirm"), b.post("/confirm", "password", "", "next", "\x00", "deed", strings.Repeat("d", 5000)),
		b.do(http.MethodPost, "/confirm", nil, http.Header{"Content-Type": {"application/json"}}),
	} {
		got.expect(t, http.StatusUnprocessableEntity, "That is not your password.")
	}
	b.do(http.MethodPut, "/confirm", nil, nil).expect(t, http.StatusMethodNotAllowed)
	b.do(http.MethodDelete, "/confirm", nil, nil).expect(t, http.StatusMethodNotAllowed)
}

// S7, S14: a link that was opened is no proof of who somebody is.
func TestALinkIsNoFreshProof(t *testing.T) {
	s, ana, _ := profiled(t)
	if err := s.db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("by link"), UserID: ana.UserID}, models.Proof{UserID: ana.UserID, Method: models.ByLink}, nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if n := s.db.Number(t, "SELECT proven_at FROM sessions WHERE method = 'link'"); n != 0 {
		t.Errorf("proven at %d", n)
	}
}
