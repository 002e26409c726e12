package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// ago is a moment before the clock of the test.
func ago(d time.Duration) models.Time { return storetest.Start.Add(-d) }

type counted struct {
	app, token, route, api string
	status                 int
	at                     models.Time
	models.UsageCount
}

func (c counted) of(team string) models.UsageKey {
	return models.UsageKey{TeamID: team, Hour: c.at, ApplicationID: c.app, TokenID: c.token, Route: c.route, API: c.api, Status: c.status}
}

func TestUsageIsAddedUp(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	bot, wallet := db.Application(t, ana, "Bot"), db.Application(t, ana, "Wallet")
	foreign := db.Application(t, eve, "Foreign")
	token := db.Token(t, ana, bot, models.KindManual, "h1")
	for _, c := range []counted{
		{bot.ID, token.ID, "/v1", "v1", 200, ago(0), models.UsageCount{Requests: 10, Points: 10}},
		{bot.ID, token.ID, "/v1", "v1", 429, ago(0), models.UsageCount{Requests: 2}},
		{bot.ID, "gone", "/v2", "v2", 200, ago(3 * time.Hour), models.UsageCount{Requests: 1, Points: 5}},
		{wallet.ID, "", "/v2", "v2", 500, ago(30 * time.Hour), models.UsageCount{Requests: 4, Points: 20}},
		{"erased", "t9", "/v1", "v1", 200, ago(100 * 24 * time.Hour), models.UsageCount{Requests: 7, Points: 7}},
	} {
		db.Count(t, c.of(ana.TeamID), c.UsageCount)
	}
	// D3: what another team uses is nobody else's, also under IDs that are another's.
	for _, app := range []string{foreign.ID, bot.ID} {
		db.Count(t, counted{app, token.ID, "/v1", "v1", 200, ago(0), models.UsageCount{}}.of(eve.TeamID), models.UsageCount{Requests: 1000, Points: 1000})
	}
	if _, err := db.DeleteApplication(t.Context(), ana, wallet.ID); err != nil {
		t.Fatal(err)
	}

	series, err := db.UsageSeries(t.Context(), ana.TeamID, models.LastDays(7, db.Now()), models.UsageByDay)
	want := []models.UsagePoint{
		{At: models.DayOf(ago(30 * time.Hour)), API: "v2", UsageSum: models.UsageSum{Requests: 4, Points: 20, Errors: 4}},
		{At: models.DayOf(ago(0)), API: "v1", UsageSum: models.UsageSum{Requests: 12, Points: 10, Errors: 2}},
		{At: models.DayOf(ago(0)), API: "v2", UsageSum: models.UsageSum{Requests: 1, Points: 5}},
	}
	if err != nil || len(series) != len(want) {
		t.Fatalf("%+v %v", series, err)
	}
	for i := range want {
		if series[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, series[i], want[i])
		}
	}
	series, err = db.UsageSeries(t.Context(), ana.TeamID, models.LastHours(24, db.Now()), models.UsageByHour)
	if err != nil || len(series) != 2 || series[0].At != models.HourOf(ago(3*time.Hour)) || series[1].Requests != 12 {
		t.Errorf("by hour: %+v %v", series, err)
	}

	for _, c := range []struct {
		by   models.UsageBy
		span models.UsageSpan
		want string
	}{
		{models.UsageByApplication, models.LastDays(7, db.Now()), "Wallet deleted 4/20/4; Bot 13/15/2"},
		{models.UsageByApplication, models.LastHours(24, db.Now()), "Bot 13/15/2"},
		{models.UsageByApplication, models.LastDays(800, db.Now()), "Wallet deleted 4/20/4; Bot 13/15/2; unknown deleted 7/7/0"},
		{models.UsageByRoute, models.LastDays(7, db.Now()), "/v2 5/25/4; /v1 12/10/2"},
		{models.UsageByAPI, models.LastDays(1, db.Now()), "v1 12/10/2; v2 1/5/0"},
		{models.UsageByStatus, models.LastDays(7, db.Now()), "500 4/20/4; 200 11/15/0; 429 2/0/2"},
		{models.UsageByToken, models.LastDays(7, db.Now()), "unknown of Wallet deleted 4/20/4; Zk3Q of Bot 12/10/2; unknown of Bot 1/5/0"},
		{models.UsageByRoute, models.NewUsageSpan(ago(4*time.Hour), ago(2*time.Hour), db.Now()), "/v2 1/5/0"},
		{models.UsageByRoute, models.UsageSpan{From: ago(0), To: ago(0)}, ""},
	} {
		table, err := db.Usage(t.Context(), ana.TeamID, c.span, c.by, 10)
		if got := tableText(c.by, table); err != nil || got != c.want {
			t.Errorf("by %s: %q, want %q %v", c.by, got, c.want, err)
		}
	}
	if sum, err := db.UsageTotal(t.Context(), ana.TeamID, bot.ID, models.LastDays(1, db.Now())); err != nil || sum != (models.UsageSum{Requests: 13, Points: 15, Errors: 2}) {
		t.Errorf("of one application: %+v %v", sum, err)
	}
	if sum, err := db.UsageTotal(t.Context(), eve.TeamID, wallet.ID, models.LastDays(7, db.Now())); err != nil || sum != (models.UsageSum{}) {
		t.Errorf("of another team's application: %+v %v", sum, err)
	}
	if table, err := db.Usage(t.Context(), eve.TeamID, models.LastDays(7, db.Now()), models.UsageByToken, 10); err != nil || len(table.Rows) != 2 || table.Rows[0].Known || table.Rows[0].Last4 != "" {
		t.Errorf("another team's token is named: %+v %v", table, err)
	}
	for team, want := range map[string]bool{ana.TeamID: true, "nobody": false} {
		if found, err := db.AnyUsage(t.Context(), team); err != nil || found != want {
			t.Errorf("%s: %v %v", team, found, err)
		}
	}
}

func tableText(by models.UsageBy, table models.UsageTable) string {
	var rows []string
	for _, row := range table.Rows {
		name := row.Key
		switch by {
		case models.UsageByApplication:
			name = row.Name
		case models.UsageByToken:
			name = row.Last4
		}
		if (by == models.UsageByApplication || by == models.UsageByToken) && !row.Known {
			name = "unknown"
		}
		if by == models.UsageByToken {
			name += " of " + row.ApplicationName
		}
		if row.Deleted {
			name += " deleted"
		}
		rows = append(rows, name+" "+strings.Join([]string{models.FormatNumber(row.Requests), models.FormatNumber(row.Points), models.FormatNumber(row.Errors)}, "/"))
	}
	return strings.Join(rows, "; ")
}

// A span that begins and ends within days counts the hours there and the days between,
// each call once.
func TestUsageOfPartsOfDays(t *testing.T) {
	db := storetest.New(t)
	midnight := models.DayOf(db.Now())
	for h := range 96 {
		db.Count(t, counted{"a", "t", "/v1", "v1", 200, midnight.Add(time.Duration(h-72) * time.Hour), models.UsageCount{}}.of("team"), models.UsageCount{Requests: 1, Points: 1})
	}
	for _, c := range []struct{ from, to int }{{-72, 24}, {-71, 24}, {-72, 23}, {-50, -1}, {-47, 5}, {3, 9}, {-3, 3}, {-24, 0}, {5, 5}, {-1, 1}} {
		span := models.NewUsageSpan(midnight.Add(time.Duration(c.from)*time.Hour), midnight.Add(time.Duration(c.to)*time.Hour), db.Now())
		for _, by := range []models.UsageBy{models.UsageByDay, models.UsageByHour} {
			points, err := db.UsageSeries(t.Context(), "team", span, by)
			total := int64(0)
			for _, p := range points {
				total += p.Requests
			}
			if want := int64(c.to - c.from); err != nil || total != want {
				t.Errorf("%d to %d by %s: %d, want %d %v", c.from, c.to, by, total, want, err)
			}
		}
		if sum, err := db.UsageTotal(t.Context(), "team", "", span); err != nil || sum.Requests != int64(c.to-c.from) {
			t.Errorf("%d to %d in all: %+v %v", c.from, c.to, sum, err)
		}
	}
}

// R1: a table is bounded, and what it leaves out is summed.
func TestUsageTablesAreBounded(t *testing.T) {
	db := storetest.New(t)
	raw := db.Raw(t)
	_, err := raw.ExecContext(t.Context(), `INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'team', ?, 'app-' || (10000 + i), '/v1', 'v1', 200, 1, i FROM n`, models.DayOf(db.Now()))
	if err != nil {
		t.Fatal(err)
	}
	table, err := db.Usage(t.Context(), "team", models.LastDays(1, db.Now()), models.UsageByApplication, 200)
	if err != nil || len(table.Rows) != 200 || table.Rows[0].Key != "app-11000" || table.Others != 800 {
		t.Fatalf("%d rows, %d others %v", len(table.Rows), table.Others, err)
	}
	if table.Rest != (models.UsageSum{Requests: 800, Points: 800 * 801 / 2}) || table.Total().Points != 1000*1001/2 {
		t.Errorf("rest %+v, total %+v", table.Rest, table.Total())
	}
}

// A million counters of one team among those of others: each query of the page reads the
// team's rows of the span alone, by the primary keys, and stays quick.
func TestUsageOfAMillionCounters(t *testing.T) {
	db := storetest.New(t)
	raw := db.Raw(t)
	first := models.DayOf(db.Now()).Add(-89 * 24 * time.Hour)
	for _, fill := range []string{
		`INSERT INTO usage_hours (team_id, hour, application_id, token_id, route, api, status, requests, points)
			WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
			SELECT CASE i % 10 WHEN 0 THEN 'other' ELSE 'team' END, ?1 + (i / 463) * 3600000, 'app-' || (i % 23), 'token-' || (i % 463), '/v' || (i % 2), 'v' || (i % 2), CASE i % 7 WHEN 0 THEN 429 ELSE 200 END, 3, 5 FROM n WHERE true ON CONFLICT DO NOTHING`,
		`INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points)
			SELECT team_id, hour - hour % 86400000, application_id, route, api, status, SUM(requests), SUM(points) FROM usage_hours WHERE ?1 > 0 GROUP BY 1, 2, 3, 4, 5, 6`,
	} {
		if _, err := raw.ExecContext(t.Context(), fill, first); err != nil {
			t.Fatal(err)
		}
	}
	span := models.LastDays(90, db.Now())
	for _, by := range []models.UsageBy{models.UsageByApplication, models.UsageByRoute, models.UsageByStatus, models.UsageByToken} {
		began := time.Now()
		table, err := db.Usage(t.Context(), "team", span, by, 25)
		took := time.Since(began)
		if err != nil || len(table.Rows) == 0 || table.Total().Requests < 2_000_000 {
			t.Fatalf("by %s: %d rows, %+v %v", by, len(table.Rows), table.Total(), err)
		}
		t.Logf("by %s: %s", by, took)
		// Generous: a plan without an index takes as long for a span of an hour.
		if took > 10*time.Second {
			t.Errorf("by %s took %s", by, took)
		}
	}
	for _, statement := range []string{
		"SELECT COUNT(*) FROM usage_hours WHERE team_id = ? AND hour >= ? AND hour < ?",
		"SELECT COUNT(*) FROM usage_days WHERE team_id = ? AND day >= ? AND day < ?",
	} {
		key := "USING PRIMARY KEY (team_id=?"
		if db.OnPostgres() {
			key = "_pkey on usage_"
		}
		if plan := db.Explain(t, statement, "team", span.From, span.To); !strings.Contains(plan, key) {
			t.Errorf("%s: %s", statement, plan)
		}
	}
}
