package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// saw notes, in the transaction that shows a value, who sees it.
func (c change) saw(actor models.Actor, kind models.SightedType, objectID, appID string) error {
	return c.Exec(`INSERT INTO sightings (object_id, user_id, team_id, object_type, application_id, user_name, first_at, last_at, times)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (object_id, user_id) DO UPDATE SET last_at = excluded.last_at, user_name = excluded.user_name, times = sightings.times + 1`,
		objectID, actor.UserID, actor.TeamID, kind, appID, actor.UserName, c.now, c.now).Error
}

// Witnesses tells who has seen some values of one application of the team, the last first, and
// who made its secrets.
func (s *Store) Witnesses(ctx context.Context, team, appID string, objects []string) (models.Witnesses, error) {
	seen := models.Witnesses{Sightings: map[string][]models.Sighting{}, Makers: map[string]string{}}
	var rows []models.Sighting
	err := s.read(ctx).Where("object_id IN ? AND application_id = ? AND team_id = ?", objects, appID, team).Order("last_at DESC, user_id").Find(&rows).Error
	if err != nil {
		return seen, translate(err)
	}
	for _, row := range rows {
		seen.Sightings[row.ObjectID] = append(seen.Sightings[row.ObjectID], row)
	}
	var makers []struct{ ID, Name string }
	err = s.read(ctx).Raw(`SELECT s.id, u.name FROM client_secrets s JOIN users u ON u.id = s.created_by
		WHERE s.application_id = ? AND s.team_id = ?`, appID, team).Scan(&makers).Error
	for _, maker := range makers {
		seen.Makers[maker.ID] = maker.Name
	}
	return seen, translate(err)
}
