package handlers_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

const oneDay = 24 * time.Hour

// living makes an application whose token lives so long, and returns both.
func (s *site) living(t *testing.T, actor models.Actor, name string, life time.Duration) (models.Application, models.Token) {
	t.Helper()
	app, _ := s.application(t, actor, name)
	app.Lifespan = int64(life.Seconds())
	err := s.db.ChangeApplication(t.Context(), actor, app.ID, models.ApplicationValues{Name: name, Lifespan: app.Lifespan}, 0)
	if err != nil {
		t.Fatal(err)
	}
	issuer := tokens.NewIssuer(t.Context(), s.db, s.keys, "lk_at_", 365*86400, s.db.Now)
	id, err := issuer.Generate(t.Context(), actor, app, models.TokenValues{Name: "Backfill"}, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.db.Store.Token(t.Context(), actor.TeamID, app.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return app, token
}

func count(t *testing.T, s *site, query string, args ...any) int64 {
	t.Helper()
	return s.db.Number(t, query, args...)
}

// S23: what ends soon is marked on the lists, and the filter stays in the address.
func TestEndingSoonOnThePages(t *testing.T) {
	s, b, ana := owner(t)
	app, _ := s.living(t, ana, "Bot", 30*oneDay)
	s.application(t, ana, "Other")
	page := apps + "/" + app.ID
	if got := b.get(apps); strings.Contains(got.text(), "Ending soon") || strings.Contains(got.text(), "ends soon") {
		t.Error("something ends soon at once")
	}
	if got := b.get(page); strings.Contains(got.text(), "Ending soon") {
		t.Error("a token ends soon at once")
	}
	s.db.Wait(24*oneDay - time.Hour)
	b = s.signedIn(t, ana)
	b.get(apps).expect(t, http.StatusOK, "Ending soon 1", "1 ends soon", "Other")
	b.get(page).expect(t, http.StatusOK, "Ends in 6 days", "Ending soon: 1", "Show ended tokens")
	filtered := b.get(page + "?ending=1")
	filtered.expect(t, http.StatusOK, "Ends in 6 days", "Show all active tokens")
	if !strings.Contains(filtered.body, `name="ending" value="1"`) {
		t.Error("the form that shows a value forgets the filter")
	}
	b.get("/user/api_v2/access_tokens?ending=1&application="+app.ID).expect(t, http.StatusOK, "Ends in 6 days", "Show all active tokens")
	list := b.get(apps + "?ending=1&sort=lifespan&dir=desc")
	list.expect(t, http.StatusOK, "Bot", "Ending soon 1")
	if strings.Contains(list.text(), "Other") || strings.Count(list.body, "ending=1") < 5 || !strings.Contains(list.body, `aria-current="true"`) {
		t.Error("the filter does not stay, or does not filter")
	}
	b.get(apps+"?ending=1&q=nothing").expect(t, http.StatusOK, "Nothing ends soon", "Show all applications")
	vera := s.signedIn(t, s.member(t, "northwind", "vera", models.RoleViewer))
	vera.get(apps+"?ending=1").expect(t, http.StatusOK, "1 ends soon")
}

func TestRegenerate(t *testing.T) {
	s, _, ana := owner(t)
	app, old := s.living(t, ana, "Bot", 30*oneDay)
	page := apps + "/" + app.ID
	path := page + "/tokens/" + old.ID + "/regenerate"
	s.db.Wait(2 * oneDay)
	b := s.signedIn(t, ana)
	b.get(page).expect(t, http.StatusOK, "Regenerate token ending in "+old.Last4)
	asked := b.get(path)
	asked.expect(t, http.StatusOK, "Regenerate this token?", "Bot gets a new token Backfill that lives for 30 days.", "goes on until 23 Dec 2026, 16:00 UTC unless you revoke it.")
	once, _ := asked.field("once")
	// Pressed twice, it makes one (D8).
	var presses sync.WaitGroup
	for range 10 {
		presses.Go(func() {
			if got := b.post(path, "once", once); got.to() != page {
				t.Errorf("%s to %q", got.Status, got.to())
			}
		})
	}
	presses.Wait()
	list, err := s.db.ManualTokens(t.Context(), ana.TeamID, app.ID, models.TokenQuery{})
	if err != nil || list.Total != 2 || list.Rows[0].Name != "Backfill" || list.Rows[0].Lifespan() != 30*86400 || list.Rows[0].CreatedAt != s.db.Now() || list.Rows[1].ID != old.ID {
		t.Fatalf("%+v %v", list, err)
	}
	b.get(page).expect(t, http.StatusOK, "Token created", "It expires on 25 Dec 2026, 16:00 UTC")

	// From the Tokens page it goes back there.
	from := b.get("/user/api_v2/access_tokens?application=" + app.ID)
	if !strings.Contains(from.body, path+"?from=tokens") {
		t.Error("the Tokens page does not say where it is")
	}
	hidden, _ := b.get(path + "?from=tokens").field("from")
	if got := b.post(path, "from", hidden); got.to() != "/user/api_v2/access_tokens?application="+app.ID {
		t.Errorf("%s to %q", got.Status, got.to())
	}

	// The application's present lifespan is the longest.
	if err := s.db.ChangeApplication(t.Context(), ana, app.ID, models.ApplicationValues{Name: "Bot", Lifespan: 3600}, 0); err != nil {
		t.Fatal(err)
	}
	b.get(path).expect(t, http.StatusOK, "that lives for 1 hour.")
	s.db.Wait(29 * oneDay) // now it has expired
	b = s.signedIn(t, ana)
	b.get(page+"?ended=1").expect(t, http.StatusOK, "Regenerate token ending in "+old.Last4)
	b.get(path).expect(t, http.StatusOK, "The old one, ending in "+old.Last4, "has expired.")
	b.post(path).expect(t, http.StatusSeeOther)
	list, err = s.db.ManualTokens(t.Context(), ana.TeamID, app.ID, models.TokenQuery{})
	if err != nil || list.Total != 3 || list.Rows[0].Lifespan() != 3600 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRegenerateBadInput(t *testing.T) {
	s, b, ana := owner(t)
	app, old := s.living(t, ana, "Bot", 30*oneDay)
	page := apps + "/" + app.ID
	path := page + "/tokens/" + old.ID + "/regenerate"
	issued := s.db.Tokens(t, app, 1, models.Token{})[0]
	b.get(page+"/tokens/"+issued.ID+"/regenerate").expect(t, http.StatusNotFound) // a program's own
	b.post(page+"/tokens/"+issued.ID+"/regenerate").expect(t, http.StatusNotFound)
	before := count(t, s, "SELECT COUNT(*) FROM tokens")
	b.post(page+"/disable").expect(t, http.StatusSeeOther)
	for _, try := range []func() answer{func() answer { return b.get(path) }, func() answer { return b.post(path) }} {
		if got := try(); got.to() != page {
			t.Errorf("%s to %q", got.Status, got.to())
		}
		b.get(page).expect(t, http.StatusOK, "Bot is switched off. Switch it on to generate tokens.")
	}
	if strings.Contains(b.get(page).body, "/regenerate") {
		t.Error("a button while switched off")
	}
	b.post(page+"/enable").expect(t, http.StatusSeeOther)
	b.post(page+"/tokens/"+old.ID+"/revoke").expect(t, http.StatusSeeOther)
	for _, try := range []func() answer{func() answer { return b.get(path) }, func() answer { return b.post(path) }} {
		if got := try(); got.to() != page {
			t.Errorf("%s to %q", got.Status, got.to())
		}
		b.get(page).expect(t, http.StatusOK, "was revoked, so it is not made anew. Generate a new token instead.")
	}
	if strings.Contains(b.get(page+"?ended=1").body, old.ID+"/regenerate") {
		t.Error("a button on a revoked token")
	}
	if after := count(t, s, "SELECT COUNT(*) FROM tokens"); after != before {
		t.Errorf("%d tokens, had %d", after, before)
	}
}

func TestHygienePage(t *testing.T) {
	s, b, ana := owner(t)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	unused, _ := s.application(t, ana, "Unused")
	orphan, _ := s.application(t, jonas, "Orphan")
	const page = apps + "/hygiene"
	b.get(page).expect(t, http.StatusOK, "Nothing to look at")
	s.db.Wait(8 * oneDay)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "DELETE FROM members WHERE user_id = ?", jonas.UserID); err != nil {
		t.Fatal(err)
	}
	b = s.signedIn(t, ana)
	b.get(apps).expect(t, http.StatusOK, "Hygiene 3")
	b.get(page).expect(t, http.StatusOK, "Never used", "Maker gone", "jonas is no longer in the team", "Take over Orphan", "Rotate secret of Orphan", "Switch off Unused", "Delete Unused", "Keep Unused")
	b.get(page+"?page=9").expect(t, http.StatusOK, "Nothing on this page")

	vera := s.signedIn(t, s.member(t, "northwind", "vera", models.RoleViewer)).get(page)
	vera.expect(t, http.StatusOK, "Never used", "Maker gone")
	for _, not := range []string{"/keep", "/takeover", "/disable", "/delete", "/secret", "Take over Orphan"} {
		if strings.Contains(vera.body, not) {
			t.Errorf("a viewer gets %q", not)
		}
	}

	if got := b.post(apps + "/" + orphan.ID + "/takeover"); got.to() != page {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	taken := b.get(page)
	taken.expect(t, http.StatusOK, "You answer for Orphan now and get its warnings.")
	if strings.Contains(taken.text(), "Maker gone ") && strings.Contains(taken.body, "/takeover") {
		t.Error("it is still an orphan")
	}
	b.get(apps+"/"+orphan.ID).expect(t, http.StatusOK, "by jonas", "Taken over by ana")
	b.post(apps+"/"+orphan.ID+"/takeover").expect(t, http.StatusSeeOther)
	b.get(page).expect(t, http.StatusOK, "Somebody of the team answers for Orphan already.")

	for _, reason := range []string{"", "maker", "never_used' OR 1"} {
		b.post(apps+"/"+unused.ID+"/keep", "reason", reason).expect(t, http.StatusBadRequest)
	}
	b.post(apps+"/"+unused.ID+"/keep", "reason", "never_used").expect(t, http.StatusSeeOther)
	b.post(apps+"/"+orphan.ID+"/keep", "reason", "never_used").expect(t, http.StatusSeeOther)
	b.get(page).expect(t, http.StatusOK, "Orphan stays as it is.", "Nothing to look at")
	s.db.Wait(91 * oneDay)
	b = s.signedIn(t, ana)
	b.get(page).expect(t, http.StatusOK, "Never used")

	// A deed from the list leads back to it.
	got := b.do(http.MethodPost, apps+"/"+unused.ID+"/disable", values(), http.Header{"Referer": {s.URL + page}})
	if got.to() != page {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	got = b.do(http.MethodPost, apps+"/"+orphan.ID+"/delete", values("confirm", "Orphan"), http.Header{"Referer": {s.URL + page}})
	if got.to() != page {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	b.get(page).expect(t, http.StatusOK, "Orphan was deleted.", "Nothing to look at")
}
