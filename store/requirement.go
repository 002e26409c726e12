package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// RequireSecondFactor sets whether the actor's team requires a second factor of its members.
// Who has none cannot ask it of others: models.FieldErrors (factor).
func (s *Store) RequireSecondFactor(ctx context.Context, actor models.Actor, required bool) error {
	return s.write(ctx, actor, models.AuditSecondFactorRequired, func(c change) error {
		var team models.Team
		if err := c.Where("id = ?", actor.TeamID).Take(&team).Error; err != nil {
			return err
		}
		if team.RequiresSecondFactor == required {
			return errNothingToDo
		}
		var user models.User
		if err := c.Where("id = ?", actor.UserID).Take(&user).Error; err != nil {
			return err
		}
		if required && !user.SecondFactor {
			return models.FieldErrors{"factor": "Set up a second factor of your own first."}
		}
		c.about("team", team.ID, team.Name)
		if err := c.changed("second factor", requirement(team.RequiresSecondFactor), requirement(required)); err != nil {
			return err
		}
		return c.Exec("UPDATE teams SET requires_second_factor = ? WHERE id = ?", required, team.ID).Error
	})
}

func requirement(required bool) string {
	if required {
		return "required"
	}
	return "not required"
}

// SecondFactorPolicy tells whether a team requires a second factor and how many of its members have none.
func (s *Store) SecondFactorPolicy(ctx context.Context, team string) (models.SecondFactorPolicy, error) {
	var policy models.SecondFactorPolicy
	err := s.one(ctx, `SELECT t.requires_second_factor, COUNT(u.id) FROM teams t LEFT JOIN members m ON m.team_id = t.id
		LEFT JOIN users u ON u.id = m.user_id AND NOT u.second_factor WHERE t.id = (SELECT ?) GROUP BY t.id`,
		[]any{team}, &policy.Required, &policy.Without)
	return policy, err
}
