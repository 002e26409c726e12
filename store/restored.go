package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Restored counts what FinishRestore ended.
type Restored struct{ Sessions, Links, Tokens int64 }

// FinishRestore makes a database that comes from a backup fit to be served. What was good once
// must not be good once more: sessions, invitations, links and other steps that had begun
// end. What the replaced database knew to be revoked stays so, and with all every token is revoked.
func (s *Store) FinishRestore(ctx context.Context, actor models.Actor, known RevokedBefore, all bool) (Restored, error) {
	// Beside the writer: of many millions it takes longer than a change may.
	active, err := countActive(s.read(ctx), s.now())
	if err != nil {
		return Restored{}, translate(err)
	}
	var done Restored
	err = s.operate(ctx, actor, models.AuditRestored, func(c change) error {
		c.tell(models.Notice{Everything: true}) // nodes that serve remember what was before
		ended, err := c.endBegun()
		if err != nil {
			return err
		}
		if ended.Tokens, err = c.revokeRestored(known, all, active); err != nil {
			return err
		}
		c.noted(models.Count(ended.Sessions, "session") + " ended")
		c.noted(models.Count(ended.Links, "link") + " ended")
		c.noted(models.Count(ended.Tokens, "token") + " revoked")
		done = ended
		return nil
	})
	return done, err
}

func countActive(db *gorm.DB, now models.Time) (count int64, err error) {
	err = db.Raw(`SELECT COUNT(*) FROM tokens t JOIN applications a ON a.id = t.application_id
		WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?`, now).Scan(&count).Error
	return count, err
}

func (c change) endBegun() (ended Restored, err error) {
	for _, one := range []struct {
		table string
		count *int64
	}{{"sessions", &ended.Sessions}, {"invitations", &ended.Links}, {"ceremonies", &ended.Links}, {"tickets", new(int64)}} {
		gone := c.Exec("DELETE FROM " + one.table)
		if gone.Error != nil {
			return Restored{}, gone.Error
		}
		*one.count += gone.RowsAffected
	}
	return ended, nil
}

// revokeRestored returns how many of the active tokens it revoked. They are counted once
// more only where it has to look which: beside a database that was replaced, a file.
func (c change) revokeRestored(known RevokedBefore, all bool, active int64) (int64, error) {
	if err := c.revokeKnown(known); err != nil {
		return 0, err
	}
	if all {
		return active, c.revokeEverything()
	}
	if len(known.tokens)+len(known.epochs)+len(known.purged) == 0 {
		return 0, nil
	}
	left, err := countActive(c.DB, c.now)
	return active - left, err
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
	for _, kind := range []models.TokenKind{models.KindManual, models.KindTemporary} { // each has an index of its own, which wants it as text
		err := c.Exec("UPDATE tokens SET revoked_at = ?, revoked_by = '', sealed = NULL WHERE kind = '"+string(kind)+"' AND revoked_at = 0 AND expires_at > ?", c.now, c.now).Error
		if err != nil {
			return err
		}
	}
	return c.Exec("UPDATE applications SET epoch = epoch + 1, tokens_revoked_at = ?, tokens_revoked_by = ''", c.now).Error
}
