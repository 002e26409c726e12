package e2e

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

const (
	usagePage    = "/user/usage"
	blockedEmail = "bo@eastwind.example"
	graceEmail   = "gil@westwind.example"
)

// use fills the counters of the last 90 days of a team: so many API versions, a few
// refused calls among them, by an application (all columns after the team are of SQL).
func use(t testing.TB, dir, team, application string, versions int) {
	t.Helper()
	now := time.Now().UnixMilli()
	const key = `(SELECT id FROM teams WHERE name = ?1), hour, application, token, '/v' || version, 'v' || version, status`
	fill := `WITH RECURSIVE h(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM h WHERE i < 2159), v(version) AS (SELECT 1 UNION ALL SELECT version + 1 FROM v WHERE version < ?3),
		s(status) AS (VALUES (200), (429), (502)),
		c AS (SELECT ?4 - ?4 % 3600000 - i * 3600000 AS hour, ?2 AS application, 'token-' || (i % 4) AS token, version, status,
			1 + (i * 7 + version * 5) % 13 AS requests, CASE status WHEN 200 THEN (1 + (i * 7 + version * 5) % 13) * 4 ELSE 0 END AS points FROM h, v, s WHERE status = 200 OR i % status = 0) `
	change(t, dir, `INSERT INTO usage_hours (team_id, hour, application_id, token_id, route, api, status, requests, points) `+fill+`SELECT `+key+`, requests, points FROM c`, team, application, versions, now)
	change(t, dir, `INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points)
		SELECT team_id, hour - hour % 86400000, application_id, route, api, status, SUM(requests), SUM(points) FROM usage_hours
		WHERE team_id = (SELECT id FROM teams WHERE name = ?1) AND application_id = ?2 GROUP BY 1, 2, 3, 4, 5, 6`, team, application)
}

// onPlan gives a team a plan of its own, a period that began 20 days ago, and what is left of it.
func onPlan(t testing.TB, dir, team string, left, used int64, overage bool) {
	t.Helper()
	start := time.Now().Add(-20 * oneDay).UnixMilli()
	change(t, dir, `INSERT INTO plans (id, name, name_key, points, period_days, rate_limit, streams, members, overage, created_at)
		VALUES ('plan-' || ?1, 'Basic of ' || ?1, 'basic of ' || ?1, ?2, 30, 600, 10, 5, ?3, ?4)`, team, left+used, overage, start)
	change(t, dir, `INSERT INTO team_plans (team_id, plan_id, since, period_started_at, period_ends_at, granted)
		SELECT id, 'plan-' || ?1, ?2, ?2, ?2 + 2592000000, ?3 FROM teams WHERE name = ?1`, team, start, left+used)
	change(t, dir, `INSERT INTO team_points (team_id, balance, period_used) SELECT id, ?2, ?3 FROM teams WHERE name = ?1`, team, left, used)
}

// spend charges a team that has a plan, for calls since its period began, 20 days ago.
func spend(t testing.TB, dir, team string, points int64) {
	t.Helper()
	change(t, dir, `UPDATE team_plans SET period_started_at = ?2, period_ends_at = ?2 + 2592000000 WHERE team_id = (SELECT id FROM teams WHERE name = ?1)`,
		team, time.Now().Add(-20*oneDay).UnixMilli())
	change(t, dir, `UPDATE team_points SET balance = balance - ?2, period_used = period_used + ?2 WHERE team_id = (SELECT id FROM teams WHERE name = ?1)`, team, points)
	change(t, dir, `INSERT INTO ledger_entries (id, team_id, at, kind, points, balance_after, reference)
		SELECT 'spent', team_id, ?2, 'use', -?3, balance, 'spent' FROM team_points WHERE team_id = (SELECT id FROM teams WHERE name = ?1)`, team, time.Now().UnixMilli(), points)
}

// usagePast gives Northwind two API versions, Eastwind nothing left, Westwind more than it has.
func (w *world) usagePast(t testing.TB) {
	t.Helper()
	addUser(t, w.s.dir, blockedEmail, "Bo Lind", "Eastwind", "owner")
	addUser(t, w.s.dir, graceEmail, "Gil Mar", "Westwind", "owner")
	use(t, w.s.dir, "Northwind", idOf(w.bot), 2)
	use(t, w.s.dir, "Northwind", idOf(w.long), 1)
	use(t, w.s.dir, "Westwind", "gone", 6)
	spend(t, w.s.dir, "Northwind", 37_550)
	onPlan(t, w.s.dir, "Eastwind", 0, 100_000, false)
	onPlan(t, w.s.dir, "Westwind", -3_000, 103_000, true)
	change(t, w.s.dir, "UPDATE applications SET points_per_day = 1000 WHERE id = ?", idOf(w.bot))
}

func (w *world) ofUsage() []view {
	tables := func(p *tab) {
		p.open(usagePage + "?days=7&by=hour")
		p.whole().click(disclosure, "Show as a table")
		p.whole().find("region", "Points per hour, table")
	}
	return []view{
		{name: "usage", email: ownerEmail, show: opened(usagePage)},
		{name: "usage 90", email: ownerEmail, show: opened(usagePage + "?days=90")},
		{name: "usage hours", email: ownerEmail, show: opened(usagePage + "?days=1")},
		{name: "usage table", email: ownerEmail, show: tables},
		{name: "application capped", email: ownerEmail, show: opened(w.bot)},
		{name: "usage viewer", email: viewerEmail, show: opened(usagePage + "?days=period")},
		{name: "usage empty", email: loneEmail, show: opened(usagePage)},
		{name: "usage blocked", email: blockedEmail, show: opened(usagePage)},
		{name: "list no points", email: blockedEmail, show: opened(applications)},
		{name: "usage grace", email: graceEmail, show: opened(usagePage + "?days=7")},
	}
}

// TestUsageWalk switches the period, reads the table and exports, in a browser that runs no script.
func TestUsageWalk(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	app := ana.create("=cmd|' /C calc'!A0")
	use(t, s.dir, "Northwind", idOf(app), 2)
	onPlan(t, s.dir, "Northwind", 62_450, 37_550, false)
	p := openTab(t, s.base)
	p.become(ana)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open(applications)
	p.whole().follow("link", "Usage")
	p.at(usagePage, "Usage")
	p.sees("of 100,000 points left")
	p.sees("37,550 used (38%)")
	p.sees("Last 30 days, UTC")

	p.whole().choose("Period", "Last 7 days")
	p.whole().follow("button", "Apply")
	p.sees("Last 7 days, UTC")
	p.whole().follow("link", "By hour")
	p.sees("Points per hour")
	p.whole().follow("link", "By day")
	p.whole().click(disclosure, "Show as a table")
	table := p.whole().find("table", "Points per day").text()
	today := time.Now().UTC().Format("2 Jan")
	if rows := strings.Count(strings.TrimSpace(table), "\n"); rows < 7 || !strings.Contains(table, today) || !strings.Contains(table, "API v2") {
		t.Errorf("the table shows %d rows:\n%s", rows, table)
	}

	// A5: the name of the application is text in a spreadsheet.
	got := ana.get(usagePage + "/export?days=7&by=application")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "'=cmd|' /C calc'!A0" || rows[1][0] != idOf(app) {
		t.Errorf("%v %v", rows, err)
	}
	byDay, err := csv.NewReader(strings.NewReader(ana.get(usagePage + "/export?days=7&by=day").body)).ReadAll()
	if err != nil || len(byDay) != 15 || !slices.Equal(byDay[0], []string{"day_utc", "api", "requests", "points", "errors"}) {
		t.Errorf("%v %v", byDay, err)
	}
	total := number(t, s.dir, "SELECT SUM(points) FROM usage_days WHERE day >= ?", time.Now().UTC().Truncate(oneDay).Add(-6*oneDay).UnixMilli())
	if rows[1][4] != fmt.Sprint(total) {
		t.Errorf("%s points exported, want %d", rows[1][4], total)
	}
}
