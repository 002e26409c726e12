package store

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// Restored counts what FinishRestore ended.
type Restored struct{ Sessions, Links, Tokens int64 }

// FinishRestore makes a database that comes from a backup fit to be served. What was good once
// must not be good once more: sessions, invitations, links and other steps that had begun
// end. What the replaced database knew to be revoked stays so, and with all every token is revoked.
func (s *Store) FinishRestore(ctx context.Context, actor models.Actor, known RevokedBefore, all bool) (Restored, error) {
	var done Restored
	err := s.operate(ctx, actor, models.AuditRestored, func(c change) error {
		c.tell(models.Notice{Everything: true}) // nodes that serve remember what was before
		active, err := c.activeTokens()
		if err != nil {
			return err
		}
		var ended Restored
		if ended.Sessions, ended.Links, err = c.endBegun(); err != nil {
			return err
		}
		err = c.revokeKnown(known)
		if all {
			err = errors.Join(err, c.revokeEverything())
		}
		if err != nil {
			return err
		}
		left, err := c.activeTokens()
		ended.Tokens = active - left
		c.noted(models.Count(ended.Sessions, "session") + " ended")
		c.noted(models.Count(ended.Links, "link") + " ended")
		c.noted(models.Count(ended.Tokens, "token") + " revoked")
		done = ended
		return err
	})
	return done, err
}

func (c change) activeTokens() (count int64, err error) {
	err = c.Raw(`SELECT COUNT(*) FROM tokens t JOIN applications a ON a.id = t.application_id
		WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?`, c.now).Scan(&count).Error
	return count, err
}

func (c change) endBegun() (sessions, links int64, err error) {
	for _, one := range []struct {
		table string
		count *int64
	}{{"sessions", &sessions}, {"invitations", &links}, {"ceremonies", &links}, {"tickets", new(int64)}} {
		gone := c.Exec("DELETE FROM " + one.table)
		if gone.Error != nil {
			return 0, 0, gone.Error
		}
		*one.count += gone.RowsAffected
	}
	return sessions, links, nil
}

func (c change) revokeKnown(known RevokedBefore) error {
	for _, r := range known.tokens {
		err := c.Exec("UPDATE tokens SET revoked_at = ?, revoked_by = ?, sealed = NULL WHERE id = ? AND revoked_at = 0", r.at, r.by, r.id).Error
		if err != nil {
			return err
		}
	}
	for _, id := range known.purged {
		err := c.Exec("UPDATE tokens SET revoked_at = ?, sealed = NULL WHERE id = ?", c.now, id).Error
		if err != nil {
			return err
		}
	}
	for _, r := range known.epochs {
		err := c.Exec("UPDATE applications SET epoch = ?, tokens_revoked_at = ?, tokens_revoked_by = ? WHERE id = ? AND epoch < ?", r.epoch, r.at, r.by, r.id, r.epoch).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// revokeEverything marks what pages show, as RevokeTokens does, and begins a new epoch of each application.
func (c change) revokeEverything() error {
	err := c.Exec("UPDATE tokens SET revoked_at = ?, revoked_by = '', sealed = NULL WHERE kind <> 'client_credentials' AND revoked_at = 0 AND expires_at > ?", c.now, c.now).Error
	if err != nil {
		return err
	}
	return c.Exec("UPDATE applications SET epoch = epoch + 1, tokens_revoked_at = ?, tokens_revoked_by = ''", c.now).Error
}
