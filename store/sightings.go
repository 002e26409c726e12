package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// saw notes, in the transaction that shows a value, who sees it.
func (c change) saw(actor models.Actor, kind models.SightedType, objectID, appID string) error {
	return c.Exec(`INSERT INTO sightings (object_id, user_id, team_id, object_type, application_id, user_name, first_at, last_at, times)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (object_id, user_id) DO UPDATE SET last_at = excluded.last_at, user_name = excluded.user_name, times = times + 1`,
		objectID, actor.UserID, actor.TeamID, kind, appID, actor.UserName, c.now, c.now).Error
}

// Sightings lists who has seen which values of one application of the team, the last first.
func (s *Store) Sightings(ctx context.Context, team, appID string) ([]models.Sighting, error) {
	var rows []models.Sighting
	err := s.read(ctx).Where("application_id = ? AND team_id = ?", appID, team).Order("last_at DESC, object_id, user_id").Find(&rows).Error
	return rows, translate(err)
}
