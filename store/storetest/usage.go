package storetest

import (
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// Count stores what was counted, by hour and by day, behind the store's back.
func (db *DB) Count(t testing.TB, key models.UsageKey, count models.UsageCount) {
	t.Helper()
	raw, done := db.open(t)
	defer done()
	for _, insert := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO usage_hours (team_id, hour, application_id, token_id, route, api, status, requests, points) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (team_id, hour, application_id, token_id, route, api, status)
			DO UPDATE SET requests = usage_hours.requests + excluded.requests, points = usage_hours.points + excluded.points`,
			[]any{key.TeamID, models.HourOf(key.Hour), key.ApplicationID, key.TokenID, key.Route, key.API, key.Status, count.Requests, count.Points}},
		{`INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (team_id, day, application_id, route, api, status)
			DO UPDATE SET requests = usage_days.requests + excluded.requests, points = usage_days.points + excluded.points`,
			[]any{key.TeamID, models.DayOf(key.Hour), key.ApplicationID, key.Route, key.API, key.Status, count.Requests, count.Points}},
	} {
		if _, err := raw.ExecContext(t.Context(), insert.text, insert.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// OnPlan gives a team a plan and what it has left and used, behind the store's back.
func (db *DB) OnPlan(t testing.TB, standing models.Standing) models.Standing {
	t.Helper()
	raw, done := db.open(t)
	defer done()
	p, tp := &standing.Plan, &standing.TeamPlan
	if p.ID == "" {
		p.ID = store.NewID()
	}
	tp.PlanID, p.NameKey = p.ID, models.FoldName(p.Name)
	for _, insert := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO plans (id, name, name_key, points, period_days, rate_limit, streams, members, overage, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			[]any{p.ID, p.Name, p.NameKey, p.Points, p.PeriodDays, p.RateLimit, p.Streams, p.Members, p.Overage, tp.PeriodStartedAt}},
		{`INSERT INTO team_plans (team_id, plan_id, since, period_started_at, period_ends_at, granted, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[]any{tp.TeamID, p.ID, tp.PeriodStartedAt, tp.PeriodStartedAt, tp.PeriodEndsAt, tp.Granted, tp.EndsAt}},
		{`INSERT INTO team_points (team_id, balance, period_used, period_bought) VALUES (?, ?, ?, ?)`,
			[]any{tp.TeamID, standing.Balance, standing.Used, standing.Bought}},
	} {
		if _, err := raw.ExecContext(t.Context(), insert.text, insert.args...); err != nil {
			t.Fatal(err)
		}
	}
	standing.HasPlan = true
	return standing
}
