package store

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// RevokedBefore is what a database knows of tokens that were revoked, each with its time and by whom.
type RevokedBefore struct {
	tokens []revocation
	// epochs are of applications whose tokens were all revoked.
	epochs []revocation
	// purged are IDs of tokens that are there no more.
	purged []string
}

type revocation struct {
	id, by string
	at     models.Time
	epoch  int64
}

// ErrNothingKnown means that there was no database to ask.
var ErrNothingKnown = errors.New("there was no database before")

// RevokedBefore asks the database that is to be replaced about the tokens of the one restored.
// It fails where there is none, and where it is damaged or not one of Latchkey.
func (t *Takeover) RevokedBefore(ctx context.Context, restored *Store) (known RevokedBefore, err error) {
	if t.conn == nil {
		return known, errors.Join(ErrNothingKnown, t.damaged)
	}
	if known.tokens, err = t.revoked(ctx, "SELECT id, revoked_by, revoked_at, 0 FROM tokens WHERE revoked_at <> 0"); err != nil {
		return RevokedBefore{}, err
	}
	known.epochs, err = t.revoked(ctx, "SELECT id, tokens_revoked_by, tokens_revoked_at, epoch FROM applications WHERE epoch > 0")
	if err != nil {
		return RevokedBefore{}, err
	}
	known.purged, err = t.purged(ctx, restored)
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

// follows finds the teams whose part there is what that of the restored database later became: it
// holds the team's last event, and nothing was restored since.
func (t *Takeover) follows(ctx context.Context, restored *Store) (map[string]bool, error) {
	chains, err := restored.AuditChains(ctx)
	if err != nil {
		return nil, err
	}
	teams := map[string]bool{}
	var last int64 // of the installation
	for _, chain := range chains {
		var holds bool
		err := t.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM audit_events WHERE team_id = ? AND seq = ? AND hash = ?)",
			chain.TeamID, chain.LastSeq, chain.LastHash).Scan(&holds)
		if err != nil {
			return nil, translate(err)
		}
		teams[chain.TeamID] = holds
		if chain.TeamID == "" {
			last = chain.LastSeq
		}
	}
	var other bool
	err = t.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM audit_events WHERE team_id = '' AND seq > ? AND action = ?)", last, models.AuditRestored).Scan(&other)
	if err != nil || other {
		return nil, translate(err)
	}
	return teams, nil
}

// purged finds the tokens that a database which follows had once and has no more: only what ended
// is deleted, so those which have not expired were revoked.
func (t *Takeover) purged(ctx context.Context, restored *Store) (found []string, err error) {
	teams, err := t.follows(ctx, restored)
	if err != nil || len(teams) == 0 {
		return nil, err
	}
	has, err := t.conn.PrepareContext(ctx, "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?)")
	if err != nil {
		return nil, translate(err)
	}
	defer has.Close()
	rows, err := restored.read(ctx).Raw("SELECT id, team_id FROM tokens WHERE revoked_at = 0 AND expires_at > ?", restored.now()).Rows()
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, team string
		var there bool
		if err := rows.Scan(&id, &team); err != nil {
			return nil, translate(err)
		}
		if err := has.QueryRowContext(ctx, id).Scan(&there); err != nil {
			return nil, translate(err)
		}
		if !there && teams[team] {
			found = append(found, id)
		}
	}
	return found, translate(rows.Err())
}
