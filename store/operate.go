package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// operate is write for what operators do to the installation. Whoever has stopped being
// one a moment ago does nothing: models.ErrForbidden. The event stands in the
// installation's own log unless fn puts it into a team's.
func (s *Store) operate(ctx context.Context, actor models.Actor, action models.AuditAction, fn func(c change) error) error {
	return s.write(ctx, actor, action, func(c change) error {
		c.event.TeamID = ""
		if actor.UserID != "" {
			c.event.ActorRole = models.RoleOperator
			var operates bool
			err := c.Raw("SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND operator AND disabled_at = 0)", actor.UserID).Scan(&operates).Error
			if err != nil {
				return err
			}
			if !operates {
				return models.ErrForbidden
			}
		}
		return fn(c)
	})
}

// user finds who an operator means.
func (c change) user(id string) (models.User, error) {
	var user models.User
	err := c.Where("id = ?", id).Take(&user).Error
	c.about("user", user.ID, user.Name)
	return user, err
}

// otherUser is user for what nobody may do to themselves.
func (c change) otherUser(actor models.Actor, id string) (models.User, error) {
	if id == actor.UserID {
		return models.User{}, models.FieldErrors{"user": "This is your own account. Ask another operator."}
	}
	return c.user(id)
}

// operatorStays refuses to take the last operator who may sign in.
func (c change) operatorStays(user models.User) error {
	if !user.Operator || !user.DisabledAt.IsZero() {
		return nil
	}
	var others bool
	err := c.Raw("SELECT EXISTS (SELECT 1 FROM users WHERE operator AND disabled_at = 0 AND id <> ?)", user.ID).Scan(&others).Error
	if err == nil && !others {
		err = models.FieldErrors{"user": "Latchkey needs at least one operator. Make someone else an operator first."}
	}
	return err
}
