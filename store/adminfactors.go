package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// RemoveFactors takes the second factor of a user who has lost it, after an operator has
// checked the person, and ends their sessions. A user without one gives models.ErrConflict.
func (s *Store) RemoveFactors(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditFactorsRemoved, func(c change) error {
		if _, err := c.otherUser(actor, id); err != nil {
			return err
		}
		if err := affected(c.Exec("UPDATE users SET second_factor = 0 WHERE id = ? AND second_factor = 1", id), models.ErrConflict); err != nil {
			return err
		}
		return c.signOut(id)
	})
}
