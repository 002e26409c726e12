package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const standingOfTeam = `SELECT t.suspended_at, COALESCE(b.balance, 0), COALESCE(b.period_used, 0), COALESCE(b.period_bought, 0), tp.team_id IS NOT NULL,
	COALESCE(tp.plan_id, ''), COALESCE(tp.since, 0), COALESCE(tp.period_started_at, 0), COALESCE(tp.period_ends_at, 0), COALESCE(tp.granted, 0), COALESCE(tp.ends_at, 0),
	COALESCE(p.name, ''), COALESCE(p.name_key, ''), COALESCE(p.points, 0), COALESCE(p.period_days, 0), COALESCE(p.rate_limit, 0), COALESCE(p.streams, 0), COALESCE(p.members, 0),
	COALESCE(p.overage, FALSE), COALESCE(p.is_default, FALSE), COALESCE(p.version, 0), COALESCE(p.created_at, 0), COALESCE(p.changed_at, 0), COALESCE(p.retired_at, 0)
	FROM teams t LEFT JOIN team_points b ON b.team_id = t.id LEFT JOIN team_plans tp ON tp.team_id = t.id LEFT JOIN plans p ON p.id = tp.plan_id
	WHERE t.id = (SELECT ?)`

// Standing says how a team stands: its plan, its period and its points. Where the period
// has ended, it begins the next one first.
func (s *Store) Standing(ctx context.Context, team string) (models.Standing, error) {
	st, err := s.standing(ctx, team)
	if err != nil || !st.HasPlan || !st.Due(s.now()) {
		return st, err
	}
	if err := s.touch(ctx, func(tx *gorm.DB) error { return rollPeriod(tx, team, s.now()) }); err != nil {
		return st, err
	}
	return s.standing(ctx, team)
}

func (s *Store) standing(ctx context.Context, team string) (models.Standing, error) {
	st := models.Standing{TeamPlan: models.TeamPlan{TeamID: team}}
	p := &st.Plan
	err := s.one(ctx, standingOfTeam, []any{team}, &st.SuspendedAt, &st.Balance, &st.Used, &st.Bought, &st.HasPlan,
		&st.PlanID, &st.Since, &st.PeriodStartedAt, &st.PeriodEndsAt, &st.Granted, &st.EndsAt,
		&p.Name, &p.NameKey, &p.Points, &p.PeriodDays, &p.RateLimit, &p.Streams, &p.Members,
		&p.Overage, &p.IsDefault, &p.Version, &p.CreatedAt, &p.ChangedAt, &p.RetiredAt)
	p.ID = st.PlanID
	return st, err
}

const usedToday = `SELECT a.points_per_day, CASE WHEN a.points_per_day = 0 THEN 0 ELSE
	COALESCE((SELECT SUM(d.points) FROM usage_days d WHERE d.team_id = a.team_id AND d.day = (SELECT ?) AND d.application_id = a.id), 0) END
	FROM applications a WHERE a.id = (SELECT ?) AND a.team_id = (SELECT ?)`

// UsedToday returns the cap of an application, zero for none, and what it has spent since
// midnight (UTC) where it has one.
func (s *Store) UsedToday(ctx context.Context, team, application string) (used, limit int64, err error) {
	err = s.one(ctx, usedToday, []any{s.now().Day(), application, team}, &limit, &used)
	return used, limit, err
}
