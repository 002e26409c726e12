package store

import (
	"context"
	"encoding/json"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	addHours = `INSERT INTO usage_hours (team_id, hour, application_id, token_id, route, api, status, requests, points)
		SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8 FROM json_each(?) WHERE true
		ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, points = points + excluded.points`
	addDays = `INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points)
		SELECT value->>0, value->>9, value->>2, value->>4, value->>5, value->>6, value->>7, value->>8 FROM json_each(?) WHERE true
		ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, points = points + excluded.points`

	// spendLeases takes what was spent from what the node holds, and renews that: who
	// spends is alive. A lease that has ended stays ended, others may hold its points by now.
	spendLeases = `UPDATE point_leases SET points = MAX(0, points - (j.value->>1)), expires_at = CASE WHEN expires_at > ? THEN ? ELSE expires_at END
		FROM json_each(?) j WHERE team_id = j.value->>0 AND node_id = ?`
)

var errNegativeCharge = errors.New("a batch of calls with less than no points")

// SaveUsage stores a batch, all of it or nothing: the counts, an entry in the ledger of
// each team that pays, what is left of the node's leases, and the alerts that are due now,
// which it returns. A batch that is stored already changes nothing; its alerts are
// returned again, since whoever sends it again has not heard of them.
func (s *Store) SaveUsage(ctx context.Context, batch models.UsageBatch) ([]models.PointAlert, error) {
	for _, points := range batch.Charged {
		if points < 0 {
			return nil, errNegativeCharge
		}
	}
	counts, err := countRows(batch.Counts)
	if err != nil {
		return nil, err
	}
	charged, err := charges(batch.Charged)
	if err != nil {
		return nil, err
	}
	var due []models.PointAlert
	err = s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		first := tx.Exec("INSERT INTO usage_batches (id, at) VALUES (?, ?) ON CONFLICT DO NOTHING", batch.ID, now)
		if first.Error != nil {
			return first.Error
		}
		if first.RowsAffected == 0 {
			due, err = toldBefore(tx, batch.ID, charged)
			return err
		}
		for _, query := range []string{addHours, addDays} {
			if err := tx.Exec(query, counts).Error; err != nil {
				return err
			}
		}
		if len(batch.Charged) == 0 {
			return nil
		}
		if err := addUses(tx, batch.ID, charged, now); err != nil {
			return err
		}
		if err := tx.Exec(spendLeases, now, now.Add(models.LeaseFor), charged, batch.Node).Error; err != nil {
			return err
		}
		due, err = alertsDue(tx, charged, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return due, nil
}

// countRows writes counts as a JSON list, of which SQLite makes the rows.
func countRows(counts map[models.UsageKey]models.UsageCount) (string, error) {
	rows := make([][10]any, 0, len(counts))
	for key, count := range counts {
		rows = append(rows, [10]any{key.TeamID, key.Hour, key.ApplicationID, key.TokenID, key.Route, key.API, key.Status, count.Requests, count.Points, key.Hour.Day()})
	}
	text, err := json.Marshal(rows)
	return string(text), err
}
