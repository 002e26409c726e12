package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// SignUp makes an account with a team of its own, of which it is the owner; teams of
// strangers may have the same name. An address that has an account gives
// models.FieldErrors (email).
func (s *Store) SignUp(ctx context.Context, actor models.Actor, account Account) (models.User, error) {
	var user models.User
	err := s.write(ctx, actor, models.AuditSignedUp, func(c change) error {
		var err error
		if user, err = c.newUser(account); err != nil {
			return err
		}
		team := models.Team{ID: NewID(), Name: account.Team, NameKey: models.FoldName(account.Team), CreatedAt: c.now}
		if err := c.addTeam(team); err != nil {
			return err
		}
		c.event.TeamID, c.event.ActorID, c.event.ActorName, c.event.ActorRole = team.ID, user.ID, user.Name, models.RoleOwner
		c.about("user", user.ID, user.Name)
		c.event.Detail = models.RoleOwner.Title() + " of " + team.Name
		return c.addMember(team.ID, user.ID, models.RoleOwner)
	})
	return user, err
}
