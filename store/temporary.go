package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// temporaryToken finds a member's temporary token that ends at a moment, with the
// application that holds it whether or not there is such a token.
const temporaryToken = `SELECT a.id, a.disabled_at, t.id, t.hash, t.sealed, t.last4, t.scopes, t.epoch, t.created_at, t.expires_at
	FROM applications a LEFT JOIN tokens t ON t.team_id = a.team_id AND t.created_by = (SELECT ?) AND t.expires_at = (SELECT ?)
		AND t.kind = 'temporary' AND t.revoked_at = 0 AND t.epoch = a.epoch
	WHERE a.team_id = (SELECT ?) AND a.type = 'built-in'`

// Temporary tells how things stand with a member's temporary token that ends at ends.
func (s *Store) Temporary(ctx context.Context, team, userID string, ends models.Time) (models.Temporary, error) {
	found, err := s.temporary(ctx, team, userID, ends)
	found.Token.Sealed = nil
	return found, err
}

func (s *Store) temporary(ctx context.Context, team, userID string, ends models.Time) (models.Temporary, error) {
	var found models.Temporary
	err := s.each(ctx, temporaryToken, []any{userID, ends, team}, func(row *sql.Rows) error {
		token := models.Token{TeamID: team, CreatedBy: userID, Kind: models.KindTemporary}
		var disabledAt models.Time
		var id, last4, scopes sql.NullString
		var epoch, created, expires sql.NullInt64
		err := row.Scan(&found.ApplicationID, &disabledAt, &id, &token.Hash, &token.Sealed, &last4, &scopes, &epoch, &created, &expires)
		found.Off = !disabledAt.IsZero()
		if id.Valid {
			token.ID, token.ApplicationID, token.Last4, token.Scopes, token.Epoch = id.String, found.ApplicationID, last4.String, scopes.String, epoch.Int64
			token.CreatedAt, token.ExpiresAt = models.Time(created.Int64), models.Time(expires.Int64)
			found.Token = token
		}
		return err
	})
	return found, err
}

// TemporaryToken returns a member's temporary token that ends at ends, sealed, and
// models.ErrNotFound where none was made or it is refused.
func (s *Store) TemporaryToken(ctx context.Context, team, userID string, ends models.Time) (models.Token, error) {
	found, err := s.temporary(ctx, team, userID, ends)
	if err == nil && (found.Off || found.Token.ID == "") {
		err = models.ErrNotFound
	}
	return found.Token, err
}

// CreateTemporaryToken stores the actor's temporary token and returns it, or the one that
// somebody who asked at the same time has stored. Its scopes become those of the built-in
// application. Who may not see values gives models.ErrForbidden, an application that is
// switched off models.ErrConflict.
func (s *Store) CreateTemporaryToken(ctx context.Context, actor models.Actor, token models.Token) (models.Token, error) {
	defer s.totals.forget(actor.TeamID)
	var stored models.Token
	err := s.write(ctx, actor, models.AuditTemporaryMade, func(c change) error {
		stored = models.Token{}
		if err := c.mayReveal(actor); err != nil {
			return err
		}
		app, err := c.builtIn(actor.TeamID)
		if err != nil {
			return err
		}
		if !app.Enabled() {
			return models.ErrConflict
		}
		err = c.Where("team_id = ? AND created_by = ? AND expires_at = ? AND kind = 'temporary' AND revoked_at = 0", actor.TeamID, actor.UserID, token.ExpiresAt).Take(&stored).Error
		if err == nil {
			return errNothingToDo
		}
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if err := c.Exec("UPDATE applications SET scopes = ? WHERE id = ? AND team_id = ?", token.Scopes, app.ID, actor.TeamID).Error; err != nil {
			return err
		}
		stored = token
		stored.Kind, stored.TeamID, stored.ApplicationID, stored.CreatedBy, stored.Epoch = models.KindTemporary, actor.TeamID, app.ID, actor.UserID, app.Epoch
		c.aboutToken(app, stored)
		if err := c.sealedOpen(stored.Sealed); err != nil {
			return err
		}
		return c.Create(&stored).Error
	})
	return stored, err
}

// mayReveal asks again in the transaction: a token that is made after its member lost the
// role would outlive it.
func (c change) mayReveal(actor models.Actor) error {
	var role models.Role
	err := c.Raw("SELECT m.role FROM members m JOIN users u ON u.id = m.user_id AND u.disabled_at = 0 WHERE m.team_id = ? AND m.user_id = ?",
		actor.TeamID, actor.UserID).Scan(&role).Error
	if err == nil && !role.May(models.MayReveal) {
		return models.ErrForbidden
	}
	return err
}

// RevealTemporaryToken records that the actor is shown their own temporary token. One that
// has ended, or is another member's, gives models.ErrNotFound.
func (s *Store) RevealTemporaryToken(ctx context.Context, actor models.Actor, id string) error {
	return s.write(ctx, actor, models.AuditTokenShown, func(c change) error {
		app, err := c.builtIn(actor.TeamID)
		if err != nil {
			return err
		}
		var token models.Token
		err = c.Where("id = ? AND application_id = ? AND team_id = ? AND created_by = ? AND epoch = ? AND revoked_at = 0 AND expires_at > ?",
			id, app.ID, actor.TeamID, actor.UserID, app.Epoch, c.now).Take(&token).Error
		if err != nil {
			return err
		}
		c.aboutToken(app, token)
		return c.saw(actor, models.SightedToken, token.ID, app.ID)
	})
}

// ReplaceTemporaryToken ends the actor's temporary tokens now, the one before too, so that
// the next time they ask there is a new one. It reports whether there was any.
func (s *Store) ReplaceTemporaryToken(ctx context.Context, actor models.Actor) (bool, error) {
	replaced := false
	err := s.write(ctx, actor, models.AuditTemporaryReplaced, func(c change) error {
		replaced = false
		app, err := c.builtIn(actor.TeamID)
		if err != nil {
			return err
		}
		ended, err := c.endTemporary(actor.UserID, actor.UserID, actor.TeamID)
		if err != nil {
			return err
		}
		if ended == 0 {
			return errNothingToDo
		}
		replaced = true
		c.about("application", app.ID, app.Name)
		c.event.Detail = models.Count(ended, "token") + " revoked"
		return nil
	})
	return replaced && err == nil, err
}

// endTemporary ends a person's temporary tokens in some teams and returns how many still worked.
func (c change) endTemporary(userID, by string, teams ...string) (int64, error) {
	var ended []struct {
		ID   string
		Hash []byte
	}
	err := c.Raw(`UPDATE tokens`+c.dialect().index("tokens_temporary")+` SET revoked_at = ?, revoked_by = ?, sealed = NULL
		WHERE team_id IN ? AND created_by = ? AND kind = 'temporary' AND revoked_at = 0 AND expires_at > ? RETURNING id, hash`,
		c.now, by, teams, userID, c.now).Scan(&ended).Error
	for _, token := range ended {
		c.tell(models.Notice{TokenHash: token.Hash, TokenID: token.ID})
	}
	return int64(len(ended)), err
}

// loseTemporary is endTemporary for what a person may not have any more; the event says so.
func (c change) loseTemporary(userID, by string, teams ...string) error {
	ended, err := c.endTemporary(userID, by, teams...)
	if ended > 0 {
		c.noted("temporary token ended")
	}
	return err
}

// TemporaryTokens lists the temporary tokens of a team's members that work now, by member.
func (s *Store) TemporaryTokens(ctx context.Context, team string) ([]models.TokenRow, error) {
	var rows []models.TokenRow
	err := s.read(ctx).Raw(`SELECT t.id, t.application_id, t.team_id, t.kind, t.last4, t.created_at, t.created_by, t.expires_at, t.last_used_at, t.last_used_from,
		COALESCE(u.name, '') AS created_by_name FROM tokens t`+s.sql.index("tokens_temporary")+` JOIN applications a ON a.id = t.application_id LEFT JOIN users u ON u.id = t.created_by
		WHERE t.team_id = ? AND t.kind = 'temporary' AND t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?
		ORDER BY `+s.sql.folded("u.name")+`, t.created_by, t.expires_at DESC LIMIT ?`, team, s.now(), 2*models.MaxMembers).Scan(&rows).Error
	return rows, translate(err)
}
