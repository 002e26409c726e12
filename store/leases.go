package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	// heldByOthers needs the team as b.team_id. Its parameters are the node and the time.
	heldByOthers = `(SELECT COALESCE(SUM(l.points), 0) FROM point_leases l WHERE l.team_id = b.team_id AND l.node_id <> ? AND l.expires_at > ?)`
	// takeLease gives a node what it wants or what no other holds, whichever is less.
	// Nothing is written where there is nothing to give and nothing was held.
	takeLease = `INSERT INTO point_leases (team_id, node_id, points, expires_at)
		SELECT team_id, ?, CASE WHEN free <= 0 THEN 0 WHEN free < ? THEN free ELSE CAST(? AS BIGINT) END, ?
			FROM (SELECT b.team_id, b.balance - ` + heldByOthers + ` AS free FROM team_points b WHERE b.team_id = ?) AS b
			WHERE (free > 0 OR EXISTS (SELECT 1 FROM point_leases own WHERE own.team_id = b.team_id AND own.node_id = ?))
		ON CONFLICT (team_id, node_id) DO UPDATE SET points = excluded.points, expires_at = excluded.expires_at
		RETURNING points, expires_at`
	notHeld = `SELECT b.balance - ` + heldByOthers + ` FROM team_points b WHERE b.team_id = ?`
)

// LeasePoints gives a node up to want points of a team in all, for models.LeaseFor. What
// it has spent and not stored is among them, and a smaller want than what is held gives
// the rest back. However many nodes ask at once, together they hold no more than the
// balance: one statement looks and takes.
func (s *Store) LeasePoints(ctx context.Context, node, team string, want int64) (models.Lease, error) {
	var given models.Lease
	err := s.touch(ctx, func(tx *gorm.DB) error {
		given = models.Lease{}
		now := s.now()
		err := tx.Raw(takeLease, node, want, want, now.Add(models.LeaseFor), node, now, team, node).Scan(&given).Error
		if err != nil {
			return err
		}
		var free int64
		err = tx.Raw(notHeld, node, now, team).Scan(&free).Error
		given.Available = max(0, free-given.Points)
		return err
	})
	return given, err
}
