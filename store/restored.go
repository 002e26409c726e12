package store

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// Revocations are what a database knows of tokens that were revoked, each with its time and by whom.
type Revocations struct {
	tokens []revocation
	// epochs are of applications whose tokens were all revoked.
	epochs []revocation
}

type revocation struct {
	id, by string
	at     models.Time
	epoch  int64
}

// ErrNothingKnown means that there was no database to ask.
var ErrNothingKnown = errors.New("there was no database before")

// Revocations asks the database that is to be replaced about the tokens of the one restored.
// It fails where there is none, and where it is damaged or not one of Latchkey.
func (t *Takeover) Revocations(ctx context.Context, restored *Store) (known Revocations, err error) {
	if t.conn == nil {
		return known, errors.Join(ErrNothingKnown, t.damaged)
	}
	if known.tokens, err = t.revoked(ctx, "SELECT id, revoked_by, revoked_at, 0 FROM tokens WHERE revoked_at <> 0"); err != nil {
		return Revocations{}, err
	}
	known.epochs, err = t.revoked(ctx, "SELECT id, tokens_revoked_by, tokens_revoked_at, epoch FROM applications WHERE epoch > 0")
	if err != nil {
		return Revocations{}, err
	}
	follows, err := t.follows(ctx, restored)
	if err != nil || !follows {
		return known, err
	}
	purged, err := t.purged(ctx, restored)
	known.tokens = append(known.tokens, purged...)
	return known, err
}

func (t *Takeover) revoked(ctx context.Context, query string) (found []revocation, err error) {
	rows, err := t.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r revocation
		if err := rows.Scan(&r.id, &r.by, &r.at, &r.epoch); err != nil {
			return nil, translate(err)
		}
		found = append(found, r)
	}
	return found, translate(rows.Err())
}

// follows tells whether the database there is what the restored one later became: it holds the last
// event of the installation, and nothing was restored after it.
func (t *Takeover) follows(ctx context.Context, restored *Store) (follows bool, err error) {
	chain, err := restored.AuditChain(ctx, "")
	if err != nil {
		return false, err
	}
	err = t.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_events WHERE team_id = '' AND seq = ? AND hash = ?)
		AND NOT EXISTS (SELECT 1 FROM audit_events WHERE team_id = '' AND seq > ? AND action = ?)`,
		chain.LastSeq, chain.LastHash, chain.LastSeq, models.AuditRestored).Scan(&follows)
	return follows, translate(err)
}

// purged finds the tokens that a database which follows had once and has no more: only what ended
// is deleted, so those which have not expired were revoked.
func (t *Takeover) purged(ctx context.Context, restored *Store) (found []revocation, err error) {
	has, err := t.conn.PrepareContext(ctx, "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?)")
	if err != nil {
		return nil, translate(err)
	}
	defer has.Close()
	now := restored.now()
	rows, err := restored.read(ctx).Raw("SELECT id FROM tokens WHERE revoked_at = 0 AND expires_at > ?", now).Rows()
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var there bool
		if err := rows.Scan(&id); err != nil {
			return nil, translate(err)
		}
		if err := has.QueryRowContext(ctx, id).Scan(&there); err != nil {
			return nil, translate(err)
		}
		if !there {
			found = append(found, revocation{id: id, at: now})
		}
	}
	return found, translate(rows.Err())
}

// Restored counts what FinishRestore ended.
type Restored struct{ Sessions, Links, Tokens int64 }

// FinishRestore makes a database that comes from a backup fit to be served. What was good once
// must not be good once more: sessions, invitations, links and other steps that had begun
// end. What the replaced database knew to be revoked stays so, and with all every token is revoked.
func (s *Store) FinishRestore(ctx context.Context, actor models.Actor, known Revocations, all bool) (Restored, error) {
	var done Restored
	err := s.operate(ctx, actor, models.AuditRestored, func(c change) error {
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

func (c change) revokeKnown(known Revocations) error {
	for _, r := range known.tokens {
		err := c.Exec("UPDATE tokens SET revoked_at = ?, revoked_by = ?, sealed = NULL WHERE id = ? AND revoked_at = 0", r.at, r.by, r.id).Error
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
