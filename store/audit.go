package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// AuditEvents returns the newest events of a team, or of all teams for an empty
// one, newest first.
func (s *Store) AuditEvents(ctx context.Context, team string, limit int) ([]models.AuditEvent, error) {
	var events []models.AuditEvent
	err := s.read(ctx).Where("? = '' OR team_id = ?", team, team).Order("at DESC, id DESC").Limit(limit).Find(&events).Error
	return events, translate(err)
}
