package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const auditPath = "/user/audit"

// entries is the text of the rows alone.
func entries(t *testing.T, page answer) string {
	t.Helper()
	_, rest, found := strings.Cut(page.body, `<section class="card" aria-label="Entries">`)
	if !found {
		t.Fatalf("%s: no entries in\n%s", page.Status, page.text())
	}
	part, _, _ := strings.Cut(rest, "</section>")
	page.body = part
	return page.text()
}

// D3: every role sees the log of its team, and nobody that of another.
func TestAuditLogOfTheTeam(t *testing.T) {
	s := newSite(t, func(deps *handlers.Deps) { deps.KeepAudit = 90 * 24 * time.Hour })
	ana, vic := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "vic", models.RoleViewer)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	app, token := s.application(t, ana, "Trading bot")
	s.application(t, eve, "Spy")
	owner := s.signedIn(t, ana)
	owner.post(apps+"/"+app.ID, "name", "Börse", "lifespan", "86400").expect(t, http.StatusSeeOther)
	owner.post(apps+"/"+app.ID+"/tokens/"+token+"/reveal").expect(t, http.StatusOK)
	for _, actor := range []models.Actor{ana, vic} {
		page := s.signedIn(t, actor).get(auditPath)
		page.expect(t, http.StatusOK, "Audit log", "Everything done in this team, newest first. Entries are kept for 90 days and cannot be changed.", "Export CSV", "Export JSON Lines",
			"Application changed", "Börse Name: Trading bot to Börse. Token lifespan: 5 hours to 1 day", "Token lifespan Before: 5 hours After: 1 day", "Token shown", "Entries 1 to ",
			"Proof against tampering", "Request ID", "Go-http-client/1.1")
		if text := page.text(); strings.Contains(text, "Spy") || strings.Contains(text, "eve") || strings.Contains(page.body, "lk_at_") {
			t.Errorf("%s sees\n%s", actor.UserName, text)
		}
	}
	chain, err := s.db.AuditChain(t.Context(), ana.TeamID)
	if err != nil {
		t.Fatal(err)
	}
	owner.get(auditPath).expect(t, http.StatusOK, chain.Head().String())
}

func TestAuditLogFilters(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	bot, _ := s.application(t, ana, "Bot")
	gone, _ := s.application(t, jon, "Gone")
	theirs, _ := s.application(t, eve, "Theirs")
	if _, err := s.db.DeleteApplication(t.Context(), ana, gone.ID); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, ana)
	for query, want := range map[string][]string{
		"action=Application+deleted":  {"Application deleted"},
		"action=applications":         {"Application deleted", "Application created"},
		"person=" + jon.UserID:        {"Token created", "Gone"},
		"person=none&action=members":  {"User added", "Command line"},
		"application=" + gone.ID:      {"Application deleted", "Gone, token ending"},
		"from=2026-11-23&q=BOT":       {"Bot, token ending"},
		"to=2026-11-22":               {"No entries match Change the filter or the dates. Clear filter"},
		"from=2026-11-24":             {"No entries match"},
		"action=%27+OR+1%3D1":         {"No entries match"},
		"q=%25":                       {"No entries match"},
		"person=" + eve.UserID:        {"No entries match"},
		"before=1-1":                  {"Nothing on this page", "Go to the first page"},
		"before=x&after=%00&page=9":   {"Signed in"},
		"action=secrets&application=": {"No entries match"},
		"q=%ff%fe":                    {"Signed in"}, // what is no text is left out
	} {
		page := b.get(auditPath + "?" + query)
		page.expect(t, http.StatusOK)
		got := entries(t, page)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %q in\n%s", query, part, got)
			}
		}
	}
	if got := entries(t, b.get(auditPath+"?application="+bot.ID)); strings.Contains(got, "Gone") || !strings.Contains(got, "Application created") {
		t.Errorf("of one application:\n%s", got)
	}
	b.get(auditPath+"?application="+gone.ID).expect(t, http.StatusOK, "Gone (deleted)")
	for _, export := range []string{"", "/export.csv", "/export.jsonl"} { // D3
		foreign, random := b.get(auditPath+export+"?application="+theirs.ID), b.get(auditPath+export+"?application="+store.NewID())
		foreign.expect(t, http.StatusNotFound, "Page not found")
		if foreign.StatusCode != random.StatusCode || withoutIDs(blank(foreign)) != withoutIDs(blank(random)) {
			t.Errorf("%s: another team's application answers otherwise than a random one", export)
		}
	}
}

func blank(a answer) string {
	return strings.ReplaceAll(a.body, a.Header.Get("X-Request-Id"), "REQUEST")
}

// Bad input: the page comes again with what was typed, and an error beside the field.
func TestAuditLogBadFilters(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	day := "Enter a day such as 2026-11-23."
	for query, want := range map[string][2]string{
		"from=yesterday":               {"from", day},
		"from=2026-02-30":              {"from", day},
		"to=2026-11-23T10:00":          {"to", day},
		"to=0000-00-00":                {"to", day},
		"from=1970-01-01":              {"from", day},
		"to=9999-12-31":                {"to", day},
		"from=2026-11-23%27--":         {"from", day},
		"from=2026-11-23&to=2026-11-1": {"to", day},
		"from=2026-11-23&to=2026-11-22": {
			"to", "Choose a day that is not before the first one.",
		},
		"q=" + strings.Repeat("x", 201): {"q", "Use at most 200 characters of plain text."},
	} {
		page := b.get(auditPath + "?" + query)
		page.expect(t, http.StatusUnprocessableEntity)
		fields, _ := url.ParseQuery(query)
		if value, problem := page.field(want[0]); value != fields.Get(want[0]) || problem != want[1] {
			t.Errorf("%s: %q, %q", query, value, problem)
		}
		for _, export := range []string{"/export.csv", "/export.jsonl"} {
			b.get(auditPath+export+"?"+query).expect(t, http.StatusBadRequest)
		}
	}
}

// Days are those of the reader.
func TestAuditLogInTheReadersZone(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	s.db.Until(models.At(time.Date(2026, 11, 24, 3, 30, 0, 0, time.UTC)))
	s.application(t, ana, "Late")
	s.db.Wait(24 * time.Hour)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET time_zone = 'America/Lima' WHERE id = ?", ana.UserID); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, ana)
	page := b.get(auditPath + "?from=2026-11-23&to=2026-11-23&action=Application+created")
	page.expect(t, http.StatusOK, "Time (America/Lima)", "23 Nov 2026, 22:30:00", "Late")
	for _, query := range []string{"from=2026-11-24", "to=2026-11-22"} {
		if got := entries(t, b.get(auditPath+"?action=Application+created&"+query)); !strings.Contains(got, "No entries match") {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestAuditLogPages(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	s.db.FillLog(t, ana, 117) // 120 with those of adding and signing in
	link := func(page answer, word string) string {
		at := strings.Index(page.body, ">"+word+"</a>")
		before := page.body[:max(at, 0)]
		_, href, _ := strings.Cut(before[strings.LastIndex(before, "<a "):], `href="`)
		href, _, _ = strings.Cut(href, `"`)
		return strings.ReplaceAll(href, "&amp;", "&")
	}
	first := b.get(auditPath + "?q=n")
	first.expect(t, http.StatusOK, "Entries 1 to 50 of 120")
	second := b.get(link(first, "Older"))
	second.expect(t, http.StatusOK, "Entries 51 to 100 of 120")
	third := b.get(link(second, "Older"))
	third.expect(t, http.StatusOK, "Entries 101 to 120 of 120", "User added")
	if link(third, "Older") != "" || link(first, "Newer") != "" {
		t.Error("the ends lead on")
	}
	back := b.get(link(third, "Newer"))
	back.expect(t, http.StatusOK, "Entries 51 to 100 of 120")
	b.get(link(back, "Newer")).expect(t, http.StatusOK, "Entries 1 to 50 of 120")
	if !strings.Contains(link(third, "Newer"), "q=n") {
		t.Error("the filter is lost")
	}
}

// A3: what a role may not do, and what another site tries, is in the team's log, within bounds.
func TestRefusalsAreNoted(t *testing.T) {
	s := newSite(t)
	ana, vic := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "vic", models.RoleViewer)
	app, token := s.application(t, ana, "Bot")
	viewer, owner := s.signedIn(t, vic), s.signedIn(t, ana)
	viewer.post(apps+"/"+app.ID+"/tokens/"+token+"/reveal").expect(t, http.StatusForbidden)
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditRefused || event.ActorID != vic.UserID || event.Target != "POST /user/api_v2/applications/:id/tokens/:tid/reveal" ||
		event.Detail != "The role does not allow it" || event.RequestID == "" {
		t.Errorf("%+v", event)
	}
	s.db.Wait(time.Second)
	owner.do(http.MethodPost, apps, values("name", "x"), http.Header{"Sec-Fetch-Site": {"cross-site"}}).expect(t, http.StatusForbidden)
	if event := s.db.Events(t, ana.TeamID)[0]; event.Detail != "Sent by a page of another site" || event.ActorID != ana.UserID {
		t.Errorf("%+v", event)
	}
	for range 100 {
		viewer.post(apps).expect(t, http.StatusForbidden)
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ? AND actor_id = ?", models.AuditRefused, vic.UserID); n != 20 {
		t.Errorf("%d noted of one person within a minute", n)
	}
	s.db.Wait(time.Second)
	for range 61 {
		owner.post(apps + "/" + app.ID + "/secret/reveal")
	}
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditRefused || event.Detail != "Too many within a minute" {
		t.Errorf("%+v", event)
	}
	before := s.db.Number(t, "SELECT COUNT(*) FROM audit_events")
	s.browser(t).post(apps).expect(t, http.StatusSeeOther)
	viewer.get("/nowhere").expect(t, http.StatusNotFound)
	if now := s.db.Number(t, "SELECT COUNT(*) FROM audit_events"); now != before {
		t.Errorf("%d more for a stranger and an address that is none", now-before)
	}
}

// Every role sees what was done with an application and who has seen its values.
func TestActivityAndWhoHasSeenWhat(t *testing.T) {
	s := newSite(t)
	ana, jon := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jon", models.RoleDeveloper)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	app, token := s.application(t, ana, "Bot")
	other, _ := s.application(t, ana, "Other")
	viewer, owner, developer := s.signedIn(t, vic), s.signedIn(t, ana), s.signedIn(t, jon)
	page := apps + "/" + app.ID
	viewer.get(page).expect(t, http.StatusOK, "Activity", "Token created", "Application created", "Shown to nobody yet", "by ana")
	for range 2 {
		developer.post(page+"/tokens/"+token+"/reveal").expect(t, http.StatusOK)
	}
	owner.do(http.MethodPost, page+"/tokens/"+token+"/reveal", values(), http.Header{"Accept": {"application/json"}}).expect(t, http.StatusOK)
	developer.post(page+"/secret/reveal").expect(t, http.StatusOK)
	s.db.Wait(3 * time.Hour)
	got := viewer.get(page)
	got.expect(t, http.StatusOK, "Seen by 2 people token ending in", "jon , 2 times, last 3 hours ago", "ana , once, 3 hours ago", "Seen by 1 person client secret ending in", "Token shown", "Secret shown")
	if !strings.Contains(got.body, `href="/user/audit?application=`+app.ID+`"`) || strings.Contains(got.body, "lk_") {
		t.Error("no link to the log, or a value")
	}
	viewer.get("/user/api_v2/access_tokens?application="+app.ID).expect(t, http.StatusOK, "Seen by 2 people")
	if text := viewer.get(apps + "/" + other.ID).text(); strings.Contains(text, "Seen by") || strings.Contains(text, "Token shown") {
		t.Errorf("of another application:\n%s", text)
	}
	for i := range 12 {
		owner.post(page+"/tokens", "name", strings.Repeat("x", i+1)).expect(t, http.StatusSeeOther)
	}
	if n := strings.Count(viewer.get(page).body, `<span class="person">`); n != 10 {
		t.Errorf("%d of its events are shown", n)
	}
}

// The installation's own log is for operators alone, and holds nothing of a team.
func TestInstallationLog(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	app, _ := s.application(t, ana, "Bot")
	if err := s.db.AddResourceServer(t.Context(), models.CommandLine, models.ResourceServer{ID: "s", Name: "Orders API", ClientID: "c", Hash: []byte("h")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET operator = TRUE WHERE id = ?", eve.UserID); err != nil {
		t.Fatal(err)
	}
	owner, operator := s.signedIn(t, ana), s.signedIn(t, eve)
	for _, path := range []string{"/admin/audit", "/admin/audit/export.csv", "/admin/audit/export.jsonl"} {
		owner.get(path).expect(t, http.StatusForbidden)
		page := operator.get(path)
		page.expect(t, http.StatusOK, "Resource server added", "Orders API")
		if strings.Contains(page.body, "Bot") || strings.Contains(page.body, ana.UserID) {
			t.Errorf("%s holds a team's entries", path)
		}
		operator.get(path+"?application="+app.ID).expect(t, http.StatusNotFound)
	}
	operator.get("/admin/audit").expect(t, http.StatusOK, "Everything done on this installation outside of a team")
}
