package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	alertColumns = `SELECT b.team_id, t.name AS team_name, p.name AS plan_name, p.overage, tp.period_started_at, tp.period_ends_at, b.period_used AS used, tp.granted + b.period_bought AS total`
	noteAlert    = `INSERT INTO point_alerts (team_id, period_started_at, mark, at)
		SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM point_alerts WHERE team_id = ? AND period_started_at = ? AND mark >= ?)`
)

func alertTables(d dialect) string {
	return ` FROM ` + d.elements() + d.crossJoin() + `team_points b ON b.team_id = j.value->>0 JOIN team_plans tp ON tp.team_id = b.team_id
		JOIN plans p ON p.id = tp.plan_id JOIN teams t ON t.id = b.team_id`
}

// crossed are teams that have come to the lowest mark and were not told of the highest
// one. Sums that overflow become floating point, which is close enough here.
func crossed(d dialect) string {
	return alertColumns + alertTables(d) + ` WHERE tp.granted + b.period_bought > 0 AND b.period_used * 100.0 >= (tp.granted + b.period_bought) * ?
		AND NOT EXISTS (SELECT 1 FROM point_alerts a WHERE a.team_id = b.team_id AND a.period_started_at = tp.period_started_at AND a.mark >= ?)`
}

func told(d dialect) string {
	return alertColumns + `, a.mark` + alertTables(d) + ` JOIN point_alerts a ON a.team_id = b.team_id AND a.period_started_at = tp.period_started_at
		WHERE a.at = (SELECT at FROM usage_batches WHERE id = ?)`
}

// alertsDue notes and returns which of the teams that were charged have come to a mark of
// models.PointAlertMarks: each once in a period, and whoever is at the highest is not told
// of the lower ones any more.
func alertsDue(tx *gorm.DB, charged string, now models.Time) ([]models.PointAlert, error) {
	marks := models.PointAlertMarks
	var near, due []models.PointAlert
	if err := tx.Raw(crossed(dialectOf(tx)), charged, slices.Min(marks), slices.Max(marks)).Scan(&near).Error; err != nil {
		return nil, err
	}
	for _, alert := range near {
		alert.Mark = alert.Reached()
		result := tx.Exec(noteAlert, alert.TeamID, alert.PeriodStartedAt, alert.Mark, now, alert.TeamID, alert.PeriodStartedAt, alert.Mark)
		if result.Error != nil {
			return nil, result.Error
		}
		if result.RowsAffected == 0 {
			continue
		}
		if err := queuePointAlert(tx, alert, now); err != nil {
			return nil, err
		}
		due = append(due, alert)
	}
	return due, nil
}

// toldBefore returns the alerts that came with a batch which is stored.
func toldBefore(tx *gorm.DB, batch, charged string) ([]models.PointAlert, error) {
	var due []models.PointAlert
	err := tx.Raw(told(dialectOf(tx)), charged, batch).Scan(&due).Error
	return due, err
}

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
// notes it in point_alerts.
func queuePointAlert(tx *gorm.DB, alert models.PointAlert, now models.Time) error {
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
