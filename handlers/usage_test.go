package handlers_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

const usagePage = "/user/usage"

// used counts calls of an application an hour ago.
func (s *site) used(t *testing.T, app models.Application, token string, status int, requests, points int64) {
	t.Helper()
	key := models.UsageKey{TeamID: app.TeamID, Hour: s.db.Now().Add(-time.Hour), ApplicationID: app.ID, TokenID: token, Route: "/v1", API: "v1", Status: status}
	s.db.Count(t, key, models.UsageCount{Requests: requests, Points: points})
}

func (s *site) onPlan(t *testing.T, team string, left, used int64) {
	t.Helper()
	s.db.OnPlan(t, models.Standing{
		Plan:     models.Plan{Name: "Plan of " + team, Points: left + used, RateLimit: 600, Streams: 10},
		TeamPlan: models.TeamPlan{TeamID: team, PeriodStartedAt: s.db.Now().Add(-20 * 24 * time.Hour), PeriodEndsAt: s.db.Now().Add(10 * 24 * time.Hour), Granted: left + used},
		Balance:  left, Used: used,
	})
	s.pages.Meter.Forget(models.Notice{TeamID: team}) // as it does of a change by the program
}

func TestUsagePage(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	bot, token := s.application(t, ana, "Bot")
	foreign, _ := s.application(t, eve, "Foreign")
	viewer, stranger := s.signedIn(t, vic), s.signedIn(t, eve)
	viewer.get(usagePage).expect(t, http.StatusOK, "Usage", "No usage yet", "Open Applications")

	s.used(t, bot, token, 200, 100, 400)
	s.used(t, bot, token, 429, 3, 0)
	viewer.get(usagePage).expect(t, http.StatusOK, "No plan: calls are counted and not limited.", "0 open now", "Points per day", "By application", "Bot", "400", "Errors by status", "429 Too many requests")
	s.onPlan(t, ana.TeamID, 600, 400)
	viewer.get(usagePage+"?days=1").expect(t, http.StatusOK, "of 1,000 points left", "400 used (40%)", "600 requests a minute", "0 of 10 open now", "10 days left in this period", "At this pace, 1 day left.", "Points per hour", "Active")
	viewer.get(usagePage+"?days=7&by=hour").expect(t, http.StatusOK, "Points per hour")
	viewer.get(usagePage+"?days=nonsense&by=%00&days=2").expect(t, http.StatusOK, "Last 30 days")

	// D3: what a team uses is seen by nobody else, whatever the address says.
	for _, path := range []string{usagePage, usagePage + "?days=period", usagePage + "/export?by=application", usagePage + "/export?by=token"} {
		got := stranger.get(path)
		if got.StatusCode != http.StatusOK || strings.Contains(got.body, "Bot") || strings.Contains(got.body, bot.ID) || strings.Contains(got.body, "Plan of") {
			t.Errorf("%s shows another team's use: %s", path, got.Status)
		}
	}
	s.used(t, foreign, "", 200, 1, 7_777)
	if got := viewer.get(usagePage); strings.Contains(got.body, "7,777") || strings.Contains(got.body, "Foreign") {
		t.Error("the page counts another team's calls")
	}
	stranger.get(usagePage).expect(t, http.StatusOK, "7,777")
}

// A5, R1: an export is RFC 4180, names stay text in a spreadsheet, and one person has so many.
func TestUsageExport(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	owner := s.signedIn(t, ana)
	names := []string{"=cmd|' /C calc'!A0", "@SUM(1)", `quo"ted, with comma`, "-1+1", "אב"}
	for i, name := range names {
		app, token := s.application(t, ana, name)
		s.used(t, app, token, 200, int64(10-i), int64(100-i))
		s.used(t, app, token, 502, 1, 0)
	}
	for by, head := range map[string]string{
		"day": "day_utc,api,requests,points,errors", "hour": "hour_utc,api,requests,points,errors", "route": "route,requests,points,errors", "status": "status,requests,points,errors",
		"application": "application_id,application,deleted,requests,points,errors", "token": "token_id,token,last4,application_id,application,deleted,requests,points,errors", "'": "day_utc,api,requests,points,errors",
	} {
		got := owner.get(usagePage + "/export?days=7&by=" + by)
		rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
		if err != nil || len(rows) < 2 || strings.Join(rows[0], ",") != head || !strings.Contains(got.body, "\r\n") {
			t.Fatalf("by %s: %v %v", by, rows, err)
		}
		if got.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || !strings.HasPrefix(got.Header.Get("Content-Disposition"), `attachment; filename="latchkey-usage-by-`) || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("by %s: %v", by, got.Header)
		}
		for _, row := range rows[1:] {
			for _, field := range row {
				if field != "" && strings.ContainsRune("=+-@\t", rune(field[0])) {
					t.Errorf("by %s: a formula: %q", by, field)
				}
			}
		}
		if by != "application" {
			continue
		}
		for i, name := range names {
			if got := strings.TrimPrefix(rows[i+1][1], "'"); got != name || rows[i+1][3] != fmt.Sprint(11-i) || rows[i+1][5] != "1" {
				t.Errorf("%d: %v", i, rows[i+1])
			}
		}
	}
	for range 30 {
		if got := owner.get(usagePage + "/export"); got.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("exports are not bounded")
}

// D5, D6: the cap is set on the form of an application, audited, and left alone by programs
// that do not know it.
func TestPointsPerDay(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	owner := s.signedIn(t, ana)
	app, token := s.application(t, ana, "Bot")
	page := apps + "/" + app.ID
	limit := func() int64 {
		return s.db.Number(t, "SELECT points_per_day FROM applications WHERE id = ?", app.ID)
	}
	var told []models.Notice
	s.db.Subscribe(func(n models.Notice) { told = append(told, n) })
	if got := owner.get(page); strings.Contains(got.text(), "Use today") {
		t.Error("the page of an application that nothing calls speaks of use")
	}
	if got := owner.post(page, "name", "Bot", "lifespan", "18000", "points_per_day", " 1,000 "); got.StatusCode != http.StatusSeeOther || limit() != 1000 {
		t.Fatalf("%s, limit %d", got.Status, limit())
	}
	if len(told) != 1 || told[0].ApplicationID != app.ID {
		t.Errorf("caches hear %+v", told)
	}
	if changes := s.changes(t, ana.TeamID); !strings.Contains(changes, `{"field":"Points per day","before":"No limit","after":"1,000"}`) {
		t.Errorf("audited as %s", changes)
	}
	s.used(t, app, token, 200, 50, 212)
	owner.get(page).expect(t, http.StatusOK, "Use today", "212 of 1,000", "50", "0 open now")
	if value, _ := owner.get(page + "/edit").field("points_per_day"); value != "1000" {
		t.Errorf("the form shows %q", value)
	}
	if got := owner.post(page, "name", "Bot 2", "lifespan", "18000"); got.StatusCode != http.StatusSeeOther || limit() != 1000 {
		t.Errorf("a form without the field: %s, limit %d", got.Status, limit())
	}
	for _, wrong := range []string{"0", "-1", "1.5", "ten", "+5", "1e3", "1000000000001", "99999999999999999999"} {
		got := owner.post(page, "name", "Bot 2", "lifespan", "18000", "points_per_day", wrong)
		value, problem := got.field("points_per_day")
		if got.StatusCode != http.StatusUnprocessableEntity || value != wrong || problem == "" || limit() != 1000 {
			t.Errorf("%s: %s, field %q %q, limit %d", wrong, got.Status, value, problem, limit())
		}
	}
	s.used(t, app, token, 200, 50, 788)
	owner.get(page).expect(t, http.StatusOK, "1,000 of 1,000", "Limit reached")
	if got := owner.post(page, "name", "Bot 2", "lifespan", "18000", "points_per_day", ""); got.StatusCode != http.StatusSeeOther || limit() != 0 {
		t.Errorf("%s, limit %d", got.Status, limit())
	}
	if changes := s.changes(t, ana.TeamID); !strings.Contains(changes, `{"field":"Points per day","before":"1,000","after":"No limit"}`) {
		t.Errorf("audited as %s", changes)
	}
}

// changes are those of the last event.
func (s *site) changes(t *testing.T, team string) string {
	t.Helper()
	var text string
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT changes FROM audit_events WHERE team_id = ? ORDER BY seq DESC LIMIT 1", team).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// The banner stands on Applications and Usage while points run out, a minute late at most.
func TestPointsBanner(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	owner, stranger := s.signedIn(t, ana), s.signedIn(t, eve)
	banner := "of this period’s points are used"
	for _, page := range []string{apps, usagePage} {
		if got := owner.get(page); strings.Contains(got.text(), banner) {
			t.Errorf("%s without a plan: %s", page, got.text())
		}
	}
	s.onPlan(t, ana.TeamID, 17, 83)
	s.db.Wait(time.Minute)
	owner.get(apps).expect(t, http.StatusOK, "83% "+banner, "17 points left.", "Next refill: 3 Dec 2026", "Open Usage")
	owner.get(usagePage).expect(t, http.StatusOK, "83% "+banner)
	if got := stranger.get(apps); strings.Contains(got.text(), banner) {
		t.Error("another team's banner")
	}
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE team_points SET balance = 0, period_used = 100 WHERE team_id = ?", ana.TeamID); err != nil {
		t.Fatal(err)
	}
	s.pages.Meter.Forget(models.Notice{TeamID: ana.TeamID})
	s.db.Wait(time.Minute)
	owner.get(apps).expect(t, http.StatusOK, "No points left", "Calls are refused with 402.")
	owner.get(usagePage).expect(t, http.StatusOK, "No points left", "Blocked")
}
