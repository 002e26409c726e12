package store

import (
	"context"
	"database/sql"

	"github.com/latchkey/latchkey/models"
)

// Memberships lists the teams that a person is in, by name, suspended ones too.
func (s *Store) Memberships(ctx context.Context, userID string) ([]models.Membership, error) {
	var rows []models.Membership
	err := s.each(ctx, `SELECT t.id, t.name, m.role, t.suspended_at, t.suspended_reason FROM members m JOIN teams t ON t.id = m.team_id
		WHERE m.user_id = (SELECT ?) ORDER BY t.name_key, t.id`, []any{userID}, func(row *sql.Rows) error {
		var m models.Membership
		err := row.Scan(&m.TeamID, &m.TeamName, &m.Role, &m.SuspendedAt, &m.SuspendedReason)
		rows = append(rows, m)
		return err
	})
	return rows, err
}

// SwitchTeam has a session act in another team of its user, and the next sign-in begin
// there. A team that they are not in, or that is suspended, gives models.ErrNotFound.
func (s *Store) SwitchTeam(ctx context.Context, actor models.Actor, session []byte, team string) (models.Membership, error) {
	var membership models.Membership
	err := s.write(ctx, actor, models.AuditTeamSwitched, func(c change) error {
		err := c.Raw(`SELECT t.id AS team_id, t.name AS team_name, m.role FROM members m JOIN teams t ON t.id = m.team_id
			WHERE m.user_id = ? AND m.team_id = ? AND t.suspended_at = 0`, actor.UserID, team).Take(&membership).Error
		if err != nil {
			return err
		}
		if team == actor.TeamID {
			return errNothingToDo
		}
		c.about("team", team, membership.TeamName)
		c.event.TeamID, c.event.ActorRole = team, membership.Role
		return c.actIn(actor.UserID, session, team)
	})
	return membership, err
}

// actIn moves a session into a team.
func (c change) actIn(userID string, session []byte, team string) error {
	if err := affected(c.Exec("UPDATE sessions SET team_id = ? WHERE user_id = ? AND id_hash = ?", team, userID, session), models.ErrNotFound); err != nil {
		return err
	}
	return c.Exec("UPDATE users SET last_team_id = ? WHERE id = ?", team, userID).Error
}
