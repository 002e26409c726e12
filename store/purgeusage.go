package store

import (
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// keepFine is how long counts by hour and token are kept, keepCoarse those by day.
	keepFine   = 92 * 24 * time.Hour
	keepCoarse = 800 * 24 * time.Hour
	// keepBatches is how long a batch that is sent again is known.
	keepBatches = 24 * time.Hour

	deleteLeases = `DELETE FROM point_leases WHERE (team_id, node_id) IN (SELECT team_id, node_id FROM point_leases WHERE expires_at <= ? LIMIT ?)`
)

func deleteHours(d dialect) string {
	return `DELETE FROM usage_hours WHERE (team_id, hour, application_id, token_id, route, api, status) IN
		(SELECT team_id, hour, application_id, token_id, route, api, status FROM usage_hours` + d.index("usage_hours_by_time") + ` WHERE hour < ? LIMIT ?)`
}

func deleteDays(d dialect) string {
	return `DELETE FROM usage_days WHERE (team_id, day, application_id, route, api, status) IN
		(SELECT team_id, day, application_id, route, api, status FROM usage_days` + d.index("usage_days_by_time") + ` WHERE day < ? LIMIT ?)`
}

func deleteBatches(d dialect) string {
	return "DELETE FROM usage_batches WHERE id IN (SELECT id FROM usage_batches" + d.index("usage_batches_by_time") + " WHERE at < ? LIMIT ?)"
}

// addUsage has a purge delete counts that are old, and leases that have ended.
func (p *Purge) addUsage(now models.Time) {
	p.add(deleteHours(p.store.sql), now.Add(-keepFine).Hour())
	p.add(deleteDays(p.store.sql), now.Add(-keepCoarse).Day())
	p.add(deleteBatches(p.store.sql), now.Add(-keepBatches))
	p.add(deleteLeases, now)
}
