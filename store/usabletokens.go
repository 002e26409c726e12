package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// usable is true of manual tokens t that a call would be let through with.
const usable = ` WHERE t.team_id = ? AND a.team_id = ? AND a.deleted_at = 0 AND a.disabled_at = 0
	AND t.kind = 'manual' AND t.revoked_at = 0 AND t.expires_at > ? AND t.sealed IS NOT NULL AND t.epoch >= a.epoch`

// usableTokens goes through the applications in the order of the list, so that it need not
// read what comes after the last row.
func usableTokens(d dialect) string {
	return `SELECT t.id, t.application_id, t.team_id, t.kind, t.name, t.last4, t.expires_at, a.name AS application_name
		FROM applications a` + d.crossJoin() + "tokens t" + d.index("tokens_manual") + " ON t.application_id = a.id" + usable +
		" ORDER BY a.name_key, a.id, t.created_at DESC, t.id DESC LIMIT ?"
}

// UsableTokens lists the team's manual tokens that are good now, by application, newest
// first, at most limit of them.
func (s *Store) UsableTokens(ctx context.Context, team string, limit int) ([]models.UsableToken, error) {
	var rows []models.UsableToken
	err := s.read(ctx).Raw(usableTokens(s.sql), team, team, s.now(), limit).Scan(&rows).Error
	return rows, translate(err)
}

// UsableToken finds one of them, sealed. It shows the value to nobody: it is for a call
// that the program makes itself.
func (s *Store) UsableToken(ctx context.Context, team, id string) (models.UsableToken, error) {
	var row models.UsableToken
	err := s.read(ctx).Raw(`SELECT t.*, a.name AS application_name FROM tokens t JOIN applications a ON a.id = t.application_id`+usable+" AND t.id = ?", team, team, s.now(), id).Take(&row).Error
	return row, translate(err)
}

// UseToken records that a member makes calls with a manual token.
func (s *Store) UseToken(ctx context.Context, actor models.Actor, appID, id string) error {
	return s.write(ctx, actor, models.AuditTokenUsed, func(c change) error {
		app, err := c.application(actor.TeamID, appID)
		if err != nil {
			return err
		}
		var token models.Token
		err = c.Omit("sealed", "hash").Where("id = ? AND application_id = ? AND team_id = ? AND revoked_at = 0 AND expires_at > ?",
			id, appID, actor.TeamID, c.now).Take(&token).Error
		if err != nil {
			return err
		}
		c.aboutToken(app, token)
		return nil
	})
}
