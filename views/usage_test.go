package views

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func standing(left, used int64) models.Standing {
	return models.Standing{
		HasPlan: true, Plan: models.Plan{Name: "Basic", Points: 100_000, RateLimit: 600, Streams: 10, Members: 5},
		TeamPlan: models.TeamPlan{PeriodStartedAt: models.At(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), PeriodEndsAt: models.At(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)), Granted: 100_000},
		Balance:  left, Used: used,
	}
}

// usedFor is use of each day or hour of a span, by so many API versions.
func usedFor(choice UsageChoice, versions int) []models.UsagePoint {
	step := 24 * time.Hour
	if choice.By == models.UsageByHour {
		step = time.Hour
	}
	var points []models.UsagePoint
	i := int64(0)
	for at := choice.Span.From; at < choice.Span.To; at = at.Add(step) {
		for v := range int64(versions) {
			n := (i*37+v*11)%50 + 3
			points = append(points, models.UsagePoint{At: at, API: fmt.Sprint("v", v+1), UsageSum: models.UsageSum{Requests: n * 10, Points: n * 40, Errors: n % 4}})
		}
		i++
	}
	return points
}

func usageState(st models.Standing, days, by string, versions int) UsageState {
	choice := NewUsageChoice(days, by, st, now)
	table := func(rows ...models.UsageRow) models.UsageTable { return models.UsageTable{Rows: rows} }
	sum := func(points, requests, errors int64) models.UsageSum {
		return models.UsageSum{Points: points, Requests: requests, Errors: errors}
	}
	return UsageState{
		Standing: st, Streams: 3, Choice: choice, Series: usedFor(choice, versions), Week: usedFor(NewUsageChoice("7", "", st, now), 1),
		Applications: table(
			models.UsageRow{Key: appID, Name: "Mobile wallet", Known: true, UsageSum: sum(21_460, 41_208, 12)},
			models.UsageRow{Key: appID, Name: hostileNames[0], Known: true, UsageSum: sum(12_190, 26_441, 0)},
			models.UsageRow{Key: "a3", Name: "Nightly exports", Known: true, Deleted: true, UsageSum: sum(3_280, 960, 1)},
			models.UsageRow{Key: "a4", Deleted: true, UsageSum: sum(1_000, 1_000, 0)},
			models.UsageRow{Key: "a5", Name: "Temporary (IDE)", Known: true, BuiltIn: true, UsageSum: sum(20, 702, 0)},
		),
		Routes: table(models.UsageRow{Key: "/graphql", UsageSum: sum(37_000, 60_000, 13)}, models.UsageRow{Key: "/v1", UsageSum: sum(950, 10_311, 0)}),
		Tokens: table(
			models.UsageRow{Key: "t1", Name: "laptop", Last4: "Zk3Q", Known: true, ApplicationID: appID, ApplicationName: "Mobile wallet", UsageSum: sum(21_000, 41_000, 12)},
			models.UsageRow{Key: "t2", Last4: "8tHw", Known: true, ApplicationID: appID, ApplicationName: "Trading bot", UsageSum: sum(12_000, 26_000, 0)},
			models.UsageRow{Key: "t3", ApplicationName: "Trading bot", UsageSum: sum(4_000, 3_000, 0)},
			models.UsageRow{Key: "", UsageSum: sum(950, 311, 1)},
		),
		Statuses: table(models.UsageRow{Key: "200", UsageSum: sum(37_950, 70_298, 0)}, models.UsageRow{Key: "429", UsageSum: sum(0, 11, 11)}, models.UsageRow{Key: "502", UsageSum: sum(0, 2, 2)}, models.UsageRow{Key: "418", UsageSum: sum(0, 1, 1)}),
	}
}

func usageGoldens() map[string]templ.Component {
	page := func(state UsageState) templ.Component {
		return Usage(pageOf(models.RoleViewer), NewUsageView(state, clock))
	}
	plan := standing(62_450, 37_550)
	changed := func(st models.Standing, change func(*models.Standing)) models.Standing {
		change(&st)
		return st
	}
	over := changed(standing(-3_000, 103_000), func(st *models.Standing) { st.Plan.Overage = true })
	expired := changed(plan, func(st *models.Standing) { st.EndsAt = before(time.Hour) })
	unlimited := changed(standing(15_000, 85_000), func(st *models.Standing) {
		st.Plan.RateLimit, st.Plan.Streams, st.Plan.Members = 0, 0, 0
		st.EndsAt = now.Add(3 * time.Hour)
	})
	many := usageState(plan, "90", "", 6)
	many.Applications.Rows = nil
	for i := range UsageRows {
		many.Applications.Rows = append(many.Applications.Rows, models.UsageRow{Key: fmt.Sprint("a", i), Name: fmt.Sprint("Worker ", i), Known: true, UsageSum: models.UsageSum{Points: 1000 - int64(i), Requests: 10}})
	}
	many.Applications.Others, many.Applications.Rest = 1175, models.UsageSum{Points: 9, Requests: 12_000}
	nothing := usageState(plan, "7", "", 1)
	nothing.Series, nothing.Week = nil, nil
	nothing.Applications, nothing.Routes, nothing.Tokens, nothing.Statuses = models.UsageTable{}, models.UsageTable{}, models.UsageTable{}, models.UsageTable{}
	return map[string]templ.Component{
		"usage":                   page(usageState(plan, "30", "", 2)),
		"usage-empty":             page(UsageState{Never: true, Choice: NewUsageChoice("", "", models.Standing{}, now)}),
		"usage-empty-plan":        page(UsageState{Never: true, Standing: standing(100_000, 0), Choice: NewUsageChoice("", "", plan, now)}),
		"usage-nothing":           page(nothing),
		"usage-no-plan":           page(usageState(models.Standing{Balance: 5_000}, "period", "", 1)),
		"usage-low":               page(usageState(unlimited, "7", "hour", 4)),
		"usage-grace":             page(usageState(over, "7", "", 1)),
		"usage-blocked":           page(usageState(standing(0, 100_000), "1", "", 2)),
		"usage-expired":           page(usageState(expired, "period", "", 3)),
		"usage-many":              page(many),
		"applications-points-low": Applications(pageOf(models.RoleOwner), listWith(standing(15_000, 85_000))),
		"applications-points-out": Applications(pageOf(models.RoleOwner), listWith(standing(0, 100_000))),
		"application-capped":      Application(pageOf(models.RoleOwner), capped(models.RoleOwner, 1_000)),
		"application-capped-out":  Application(pageOf(models.RoleViewer), capped(models.RoleViewer, 212)),
		"edit-application-capped": EditApplication(pageOf(models.RoleOwner), NewEditApplication(cappedDetail(1_000), nil, limits, nil, true, clock)),
		"edit-application-capped-error": EditApplication(pageOf(models.RoleOwner), NewEditApplication(cappedDetail(0), &ApplicationTyped{
			Name: "Trading bot", Lifespan: LifespanOf(18000, limits.MaxLifespan), PointsPerDay: &hostileNames[0],
		}, limits, models.FieldErrors{"points_per_day": "Enter a whole number, or leave it empty for no limit."}, false, clock)),
	}
}

func listWith(st models.Standing) ApplicationsList {
	return NewApplicationsList(applicationList(), models.ApplicationQuery{Page: 1}, models.Attention{Points: &st}, models.RoleOwner, clock)
}

func cappedDetail(limit int64) models.ApplicationDetail {
	app := detail()
	app.PointsPerDay = limit
	return app
}

func capped(role models.Role, limit int64) ApplicationView {
	app := cappedDetail(limit)
	view := NewApplicationView(app, models.TokenList{}, TokensState{Role: role}, baseURL, limits.Scopes, clock)
	view.Use = NewUseCard(app.Application, models.UsageSum{Points: 212, Requests: 1_204}, 1, role)
	return view
}

func TestChartScale(t *testing.T) {
	for _, c := range []struct {
		highest int64
		top     float64
		labels  string
	}{
		{0, 4, "4 3 2 1 0"}, {1, 4, "4 3 2 1 0"}, {4, 4, "4 3 2 1 0"}, {5, 8, "8 6 4 2 0"}, {9, 12, "12 9 6 3 0"}, {3_120, 4_000, "4,000 3,000 2,000 1,000 0"},
		{400_001, 600_000, "600,000 450,000 300,000 150,000 0"}, {4_040, 6_000, "6,000 4,500 3,000 1,500 0"}, {900_000, 1_000_000, "1M 750,000 500,000 250,000 0"}, {1_900_000, 2_000_000, "2M 1.5M 1M 500,000 0"}, {7_000_000_000, 8e9, "8B 6B 4B 2B 0"}, {math.MaxInt64, 1e19, "10000000T 7500000T 5000000T 2500000T 0"},
	} {
		var chart UsageChart
		top := chart.scale(c.highest)
		if got := strings.Join(chart.YLabels, " "); top != c.top || got != c.labels {
			t.Errorf("%d: %v %q, want %v %q", c.highest, top, got, c.top, c.labels)
		}
	}
}

func TestChart(t *testing.T) {
	point := func(daysAgo int, api string, points, requests int64) models.UsagePoint {
		return models.UsagePoint{At: models.DayOf(now).Add(-time.Duration(daysAgo) * 24 * time.Hour), API: api, UsageSum: models.UsageSum{Points: points, Requests: requests}}
	}
	week := NewUsageChoice("7", "", models.Standing{}, now)
	for name, c := range map[string]struct {
		points  []models.UsagePoint
		title   string
		empty   bool
		today   string
		legend  string
		summary string
	}{
		"nothing":      {nil, "Requests per day", true, "23 Nov: 0 requests so far", "", "Lowest 0 on 17 Nov, highest 0 on 17 Nov."},
		"one value":    {[]models.UsagePoint{point(0, "v1", 1, 1)}, "Points per day", false, "23 Nov: 1 point so far", "", "Lowest 0 on 17 Nov, highest 1 on 23 Nov."},
		"free calls":   {[]models.UsagePoint{point(0, "v1", 0, 1200)}, "Requests per day", false, "23 Nov: 1,200 requests so far", "", "highest 1,200 on 23 Nov."},
		"huge":         {[]models.UsagePoint{point(1, "v1", math.MaxInt64/2, 1), point(0, "v1", 1, 1)}, "Points per day", false, "23 Nov: 1 point so far", "", "highest 4,611,686,018,427,387,903 on 22 Nov."},
		"two versions": {[]models.UsagePoint{point(0, "v2", 30, 1), point(0, "v1", 10, 1)}, "Points per day", false, "23 Nov: 40 points so far", "API v1 10, API v2 30", "v1: 10. v2: 30."},
		"six versions": {[]models.UsagePoint{point(0, "a", 1, 1), point(0, "b", 2, 1), point(0, "c", 30, 1), point(0, "d", 40, 1), point(0, "e", 50, 1), point(1, "f", 5, 1)}, "Points per day", false, "23 Nov: 123 points so far", "API c 30, API d 40, API e 50, Others 8", "Others: 8."},
		"before it":    {[]models.UsagePoint{point(30, "v1", 9, 9)}, "Points per day", true, "23 Nov: 0 points so far", "", "highest 0 on 17 Nov."},
	} {
		chart := newUsageChart(c.points, week, now)
		var legend []string
		for _, l := range chart.Legend {
			legend = append(legend, l.Text+" "+l.Total)
		}
		last := chart.Bars[len(chart.Bars)-1]
		if chart.Title != c.title || chart.Empty != c.empty || last.Title != c.today || last.Now == nil || strings.Join(legend, ", ") != c.legend || !strings.Contains(chart.Summary, c.summary) || len(chart.Bars) != 7 || len(chart.Rows) != 7 {
			t.Errorf("%s: %+v", name, chart)
		}
		for _, bar := range chart.Bars {
			for _, s := range bar.Segments {
				for _, n := range []string{s.X, s.Y, s.Width, s.Height} {
					if strings.HasPrefix(n, "-") || strings.ContainsAny(n, "eNI") {
						t.Errorf("%s: a segment at %+v", name, s)
					}
				}
			}
		}
	}
	hours := newUsageChart(nil, NewUsageChoice("1", "", models.Standing{}, now), now)
	if len(hours.Bars) != 24 || hours.Bars[23].Title != "23 Nov, 16:00: 0 requests so far" || !slices.Equal(hours.XLabels, []string{"17:00", "22:00", "04:00", "10:00", "16:00"}) {
		t.Errorf("hours: %v %v", hours.XLabels, hours.Bars[23])
	}
}

func TestUsageChoice(t *testing.T) {
	plan := standing(1, 1)
	for _, c := range []struct {
		days, by string
		st       models.Standing
		want     string
	}{
		{"", "", plan, "30 day 2026-10-25 00 2026-11-24 00 Last 30 days"}, {"x", "x", plan, "30 day 2026-10-25 00 2026-11-24 00 Last 30 days"},
		{"1", "day", plan, "1 hour 2026-11-22 17 2026-11-23 17 Last 24 hours"}, {"7", "hour", plan, "7 hour 2026-11-17 00 2026-11-24 00 Last 7 days"},
		{"90", "hour", plan, "90 day 2026-08-26 00 2026-11-24 00 Last 90 days"}, {"period", "", plan, "period day 2026-11-01 00 2026-11-23 17 This period"},
		{"period", "", models.Standing{}, "period day 2026-11-01 00 2026-11-23 17 This period"}, {"-7", "", plan, "30 day 2026-10-25 00 2026-11-24 00 Last 30 days"},
	} {
		got := NewUsageChoice(c.days, c.by, c.st, now)
		text := fmt.Sprint(got.Days, " ", got.By, " ", got.Span.From.Std().Format("2006-01-02 15"), " ", got.Span.To.Std().Format("2006-01-02 15"), " ", got.Text)
		if text != c.want {
			t.Errorf("%s %s: %q, want %q", c.days, c.by, text, c.want)
		}
	}
}

func TestForecast(t *testing.T) {
	day := func(ago int, points int64) models.UsagePoint {
		return models.UsagePoint{At: models.DayOf(now).Add(-time.Duration(ago) * 24 * time.Hour), UsageSum: models.UsageSum{Points: points}}
	}
	week := func(points int64) []models.UsagePoint {
		var all []models.UsagePoint
		for ago := range 7 {
			all = append(all, day(6-ago, points))
		}
		return all
	}
	for name, c := range map[string]struct {
		left    int64
		week    []models.UsagePoint
		refills bool
		want    string
	}{
		"no use":          {100, nil, true, "No points were used in the last 7 days, so there is no forecast."},
		"only free calls": {100, []models.UsagePoint{day(0, 0)}, true, "No points were used in the last 7 days, so there is no forecast."},
		"nothing left":    {0, week(10), true, ""},
		"below zero":      {-5, week(10), true, ""},
		"until refill":    {100_000, week(10), true, "At this pace, they last until the refill."},
		"not refilled":    {9_500, week(1_000), false, "At this pace, 9 days left."},
		"days":            {5_000, week(1_000), true, "At this pace, 4 days left."},
		"one day":         {1_900, week(1_000), true, "At this pace, 1 day left."},
		"hours":           {100, week(1_000), true, "At this pace, less than a day left."},
		"began today":     {5_000, []models.UsagePoint{day(0, 1_000)}, true, "At this pace, 5 days left."},
		"began yesterday": {5_000, []models.UsagePoint{day(1, 1_000), day(0, 1_000)}, true, "At this pace, 4 days left."},
		"years":           {math.MaxInt64, week(1), false, "At this pace, more than a year left."},
	} {
		if got := forecast(standing(c.left, 10), c.week, c.refills, now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The banner and the card say the same share, and all only where nothing is left.
func TestUsedShare(t *testing.T) {
	for want, st := range map[string]models.Standing{
		"97%": {Balance: 1, Used: 32}, "99%": {Balance: 1, Used: 999}, "100%": {Used: 5}, "103%": {Balance: -3, Used: 103}, "<1%": {Balance: 999, Used: 1},
	} {
		if got := usedShare(st); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestPointsNotice(t *testing.T) {
	over := standing(0, 100)
	over.Plan.Overage = true
	ended := standing(50, 50)
	ended.EndsAt = before(time.Hour)
	last := standing(10, 90)
	last.EndsAt = last.PeriodEndsAt
	rolled := standing(0, 100)
	rolled.PeriodEndsAt = before(time.Minute)
	for name, c := range map[string]struct {
		st     models.Standing
		title  string
		refill bool
	}{
		"no plan": {models.Standing{}, "", false}, "plenty": {standing(100, 0), "", false}, "79%": {standing(21, 79), "", false}, "80%": {standing(20, 80), "80% of this period’s points are used", true},
		"99%": {standing(1, 199), "99% of this period’s points are used", true}, "blocked": {standing(0, 100), "No points left", true}, "never any": {standing(0, 0), "No points left", true},
		"grace": {over, "All points of this period are used", true}, "expired": {ended, "The plan has ended", false}, "last period": {last, "90% of this period’s points are used", false},
	} {
		notice := NewPointsNotice(c.st, clock)
		title, refill := "", false
		if notice != nil {
			title, refill = notice.Title, notice.RefillAt.Machine != ""
		}
		if title != c.title || refill != c.refill {
			t.Errorf("%s: %+v", name, notice)
		}
	}
	if mark := rolled.PointsMark(now); mark != 0 {
		t.Errorf("of a period that is over: %d", mark)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0%"}, {1, 0, "0%"}, {0, 5, "0%"}, {1, 1000, "<1%"}, {57, 100, "57%"}, {5, 5, "100%"}, {2, 3, "67%"}} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: %s", c.part, c.whole, got)
		}
	}
}
