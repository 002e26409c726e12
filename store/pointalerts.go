package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// pointsData says how much of a period's points is used.
type pointsData struct {
	TeamID          string `json:"team_id"`
	Team            string `json:"team"`
	Plan            string `json:"plan"`
	Percent         int64  `json:"percent"`
	PointsUsed      int64  `json:"points_used"`
	PointsTotal     int64  `json:"points_total"`
	PeriodStartedAt string `json:"period_started_at"`
	PeriodEndsAt    string `json:"period_ends_at"`
}

// queuePointAlert queues what a team's webhook is told of an alert, in the transaction that
// notes it in point_alerts, at whose time it is told.
func queuePointAlert(tx *gorm.DB, alert models.PointAlert) error {
	var now models.Time
	err := tx.Raw("SELECT at FROM point_alerts WHERE team_id = ? AND period_started_at = ? AND mark = ?", alert.TeamID, alert.PeriodStartedAt, alert.Mark).Row().Scan(&now)
	if err != nil {
		return err
	}
	waiting, err := openQueue(tx, alert.TeamID, now)
	if err != nil || waiting.room <= 0 {
		return err
	}
	event := models.EventPointsLow
	if alert.Mark >= 100 {
		event = models.EventPointsUsedUp
	}
	stamp := func(t models.Time) string { return t.Std().Format(time.RFC3339) }
	text, err := models.EventBody(event, now, pointsData{
		TeamID: alert.TeamID, Team: alert.TeamName, Plan: alert.PlanName, Percent: alert.Mark, PointsUsed: alert.Used, PointsTotal: alert.Total,
		PeriodStartedAt: stamp(alert.PeriodStartedAt), PeriodEndsAt: stamp(alert.PeriodEndsAt),
	})
	if err != nil {
		return err
	}
	return waiting.add(event, text)
}

// Owners lists the owners of a team who are told of things: not those whose account is disabled.
func (s *Store) Owners(ctx context.Context, team string) ([]models.Recipient, error) {
	members, err := membersOf(s.read(ctx), team)
	if err != nil {
		return nil, translate(err)
	}
	var owners []models.Recipient
	for _, m := range members {
		if m.Role == models.RoleOwner {
			owners = append(owners, m.Recipient)
		}
	}
	return owners, nil
}
