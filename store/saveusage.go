package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// cells are columns of a row that is a JSON list: numbers but for those that are texts.
func cells(columns ...int) string {
	texts := []int{0, 2, 3, 4, 5}
	parts := make([]string, len(columns))
	for i, column := range columns {
		parts[i] = "value->>" + strconv.Itoa(column)
		if !slices.Contains(texts, column) {
			parts[i] = "CAST(" + parts[i] + " AS BIGINT)"
		}
	}
	return strings.Join(parts, ", ")
}

func addHours(d dialect) string {
	return `INSERT INTO usage_hours (team_id, hour, application_id, token_id, route, api, status, requests, points)
		SELECT ` + cells(0, 1, 2, 3, 4, 5, 6, 7, 8) + ` FROM ` + d.elements() + ` WHERE TRUE ORDER BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (team_id, hour, application_id, token_id, route, api, status)
		DO UPDATE SET requests = usage_hours.requests + excluded.requests, points = usage_hours.points + excluded.points`
}

// addDays sums before it adds: PostgreSQL changes a row once in a statement.
func addDays(d dialect) string {
	return `INSERT INTO usage_days (team_id, day, application_id, route, api, status, requests, points)
		SELECT team_id, day, application_id, route, api, status, CAST(SUM(requests) AS BIGINT), CAST(SUM(points) AS BIGINT)
		FROM (SELECT value->>0 AS team_id, CAST(value->>9 AS BIGINT) AS day, value->>2 AS application_id, value->>4 AS route, value->>5 AS api,
			CAST(value->>6 AS BIGINT) AS status, CAST(value->>7 AS BIGINT) AS requests, CAST(value->>8 AS BIGINT) AS points FROM ` + d.elements() + `) AS counted
		WHERE TRUE GROUP BY team_id, day, application_id, route, api, status ORDER BY 1, 2, 3, 4, 5, 6
		ON CONFLICT (team_id, day, application_id, route, api, status)
		DO UPDATE SET requests = usage_days.requests + excluded.requests, points = usage_days.points + excluded.points`
}

// spendLeases takes what was spent from what the node holds, and renews that: who
// spends is alive. A lease that has ended stays ended, others may hold its points by now.
func spendLeases(d dialect) string {
	return `UPDATE point_leases SET points = CASE WHEN points > CAST(j.value->>1 AS BIGINT) THEN points - CAST(j.value->>1 AS BIGINT) ELSE 0 END,
			expires_at = CASE WHEN expires_at > ? THEN ? ELSE expires_at END
		FROM ` + d.elements() + ` WHERE team_id = j.value->>0 AND node_id = ?`
}

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
		for _, query := range []string{addHours(s.sql), addDays(s.sql)} {
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
		if err := tx.Exec(spendLeases(s.sql), now, now.Add(models.LeaseFor), charged, batch.Node).Error; err != nil {
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

// countRows writes counts as a JSON list, of which the database makes the rows.
func countRows(counts map[models.UsageKey]models.UsageCount) (string, error) {
	rows := make([][10]any, 0, len(counts))
	for key, count := range counts {
		rows = append(rows, [10]any{key.TeamID, key.Hour, key.ApplicationID, key.TokenID, key.Route, key.API, key.Status, count.Requests, count.Points, key.Hour.Day()})
	}
	text, err := json.Marshal(rows)
	return string(text), err
}
