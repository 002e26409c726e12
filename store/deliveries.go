package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// claimFor is how long a delivery that is being tried belongs to who tries it. After
// that it is tried again: the process may have ended.
const claimFor = 2 * time.Minute

// queue takes the deliveries of one team in a transaction.
type queue struct {
	tx   *gorm.DB
	team string
	now  models.Time
	// room is how many more may wait; none where the team has no webhook.
	room int64
}

func openQueue(tx *gorm.DB, team string, now models.Time) (*queue, error) {
	q := &queue{tx: tx, team: team, now: now}
	err := tx.Raw("SELECT ? - (SELECT COUNT(*) FROM webhook_deliveries WHERE team_id = ? AND next_at <> 0) FROM webhooks WHERE team_id = ?",
		models.MaxWaiting, team, team).Scan(&q.room).Error
	return q, err
}

func (q *queue) addEnding(e models.Ending, body func(models.Ending, models.Time) (string, error)) error {
	if q.room <= 0 {
		return nil
	}
	text, err := body(e, q.now)
	if err != nil {
		return err
	}
	event := models.EventTokenEnding
	if e.Kind == models.EndingSecret {
		event = models.EventSecretEnding
	}
	return q.add(event, text)
}

func (q *queue) add(event models.WebhookEvent, body string) error {
	q.room--
	return q.tx.Create(&models.Delivery{ID: NewID(), TeamID: q.team, Event: event, Body: body, CreatedAt: q.now, NextAt: q.now}).Error
}

// Deliveries lists the last deliveries of a team's webhook, the newest first, without
// what was sent.
func (s *Store) Deliveries(ctx context.Context, team string) ([]models.Delivery, error) {
	var rows []models.Delivery
	err := s.read(ctx).Omit("body").Where("team_id = ?", team).Order("created_at DESC, id DESC").Limit(models.ShownDeliveries).Find(&rows).Error
	return rows, translate(err)
}

// DueDeliveries lists deliveries of all teams that are to be tried now, one of each team,
// so that a receiver that hangs holds up its own team alone.
func (s *Store) DueDeliveries(ctx context.Context, limit int) ([]models.DueDelivery, error) {
	var rows []models.DueDelivery
	err := s.read(ctx).Raw(`SELECT d.*, w.url, w.sealed FROM webhook_deliveries d JOIN webhooks w ON w.team_id = d.team_id JOIN teams t ON t.id = d.team_id
		WHERE t.suspended_at = 0 AND d.id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY next_at, id) AS place
			FROM webhook_deliveries`+s.sql.index("webhook_deliveries_due")+` WHERE next_at <> 0 AND next_at <= ?) AS due WHERE place = 1)
		ORDER BY d.next_at, d.id LIMIT ?`, s.now(), limit).Scan(&rows).Error
	return rows, translate(err)
}

// ClaimDelivery begins a try, and reports whether it belongs to the caller: of two at
// once, one gets it. The delivery comes back with the attempt counted.
func (s *Store) ClaimDelivery(ctx context.Context, due models.DueDelivery) (models.DueDelivery, bool, error) {
	var now, until models.Time
	claimed := false
	err := s.touch(ctx, func(tx *gorm.DB) error {
		now = s.now()
		until = now.Add(claimFor)
		result := tx.Exec("UPDATE webhook_deliveries SET next_at = ?, attempts = attempts + 1, last_at = ? WHERE id = ? AND team_id = ? AND next_at = ? AND attempts = ?",
			until, now, due.ID, due.TeamID, due.NextAt, due.Attempts)
		claimed = result.RowsAffected == 1
		return result.Error
	})
	due.NextAt, due.LastAt, due.Attempts = until, now, due.Attempts+1
	return due, claimed && err == nil, err
}

// FinishDelivery stores what came of a try that ClaimDelivery began, and when the next
// one is where it failed. It reports whether the delivery was given up. A try that took so long that another has begun changes
// nothing.
func (s *Store) FinishDelivery(ctx context.Context, claimed models.DueDelivery, answer models.DeliveryAnswer) (givenUp bool, err error) {
	err = s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		next, delivered := models.NextTry(claimed.Attempts, now), models.Time(0)
		if answer.Problem == "" {
			next, delivered = 0, now
		}
		result := tx.Exec(`UPDATE webhook_deliveries SET next_at = ?, delivered_at = ?, took_ms = ?, status = ?, problem = ?
			WHERE id = ? AND team_id = ? AND next_at = ? AND attempts = ?`,
			next, delivered, answer.Took.Milliseconds(), answer.Status, answer.Problem, claimed.ID, claimed.TeamID, claimed.NextAt, claimed.Attempts)
		givenUp = result.RowsAffected == 1 && next == 0 && delivered == 0
		return result.Error
	})
	return givenUp && err == nil, err
}
