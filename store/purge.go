package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Retention is how long tokens are kept after they ended, and what was noted.
type Retention struct {
	// Manual counts for tokens that people generated, Issued for those of programs and
	// for temporary ones.
	Manual, Issued time.Duration
	// Audit counts for audit events, from when they were written.
	Audit time.Duration
}

// keepAssertions is longer than a client assertion that was found good may wait for
// its use to be stored: until then it must not count as new.
const keepAssertions = time.Minute

// purgeRows is how many rows one transaction touches: few, so that tokens are
// issued in between.
const purgeRows = 500

// Purge deletes what there may be millions of. Each Step is a small transaction; the
// caller pauses in between. It is for one goroutine.
type Purge struct {
	store *Store
	// due holds the statements that still have rows to find, in order.
	due []purgeStatement
	// Deleted counts the tokens that are gone.
	Deleted int64
	// Held is how long the last step kept others from writing. What it waited for
	// them does not count.
	Held time.Duration
}

type purgeStatement struct {
	sql     string
	args    []any
	deletes bool
}

// Of an application whose tokens were all revoked, those of earlier epochs are
// marked with that moment, so that they are kept as long as any other. One that
// had expired before counts from then, and a manual one of these stays expired.
// Manual tokens are few beside the others: they are found by their own index.
const (
	overtaken = `SELECT id, epoch, tokens_revoked_at AS at, tokens_revoked_by AS "by" FROM applications a
		WHERE a.epoch > 0 AND EXISTS (SELECT 1 FROM tokens t WHERE t.application_id = a.id AND t.epoch < a.epoch AND t.revoked_at = 0)`
	markOvertaken = `UPDATE tokens SET revoked_at = CASE WHEN expires_at < ? THEN expires_at ELSE ? END, revoked_by = ?, sealed = NULL WHERE id IN
		(SELECT id FROM tokens WHERE application_id = ? AND epoch < ? AND revoked_at = 0 AND (kind <> 'manual' OR expires_at > ?) LIMIT ?)`

	deleteRevoked = `DELETE FROM tokens WHERE id IN
		(SELECT id FROM tokens WHERE revoked_at <> 0 AND revoked_at < ? AND kind <> 'manual' LIMIT ?)`
	withExpired = `SELECT id, epoch FROM applications a
		WHERE EXISTS (SELECT 1 FROM tokens t WHERE t.application_id = a.id AND t.epoch = a.epoch AND t.revoked_at = 0 AND t.expires_at < ?)`
	deleteExpired = `DELETE FROM tokens WHERE id IN
		(SELECT id FROM tokens WHERE application_id = ? AND epoch = ? AND revoked_at = 0 AND expires_at < ? AND kind <> 'manual' LIMIT ?)`

	deleteAssertions = `DELETE FROM client_assertions WHERE (application_id, id_hash) IN
		(SELECT application_id, id_hash FROM client_assertions WHERE expires_at < ? LIMIT ?)`

	deleteTickets = "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires_at <= ? LIMIT ?)"
)

func deleteManual(d dialect) string {
	return `DELETE FROM tokens WHERE id IN (SELECT id FROM tokens` + d.index("tokens_manual") + `
		WHERE kind = 'manual' AND (revoked_at = 0 AND expires_at < ? OR revoked_at <> 0 AND revoked_at < ?) LIMIT ?)`
}

func unsealExpired(d dialect) string {
	return "UPDATE tokens SET sealed = NULL WHERE id IN (SELECT id FROM tokens" + d.index("tokens_manual") +
		" WHERE kind = 'manual' AND sealed IS NOT NULL AND expires_at <= ? LIMIT ?)"
}

func unsealTemporary(d dialect) string {
	return "UPDATE tokens SET sealed = NULL WHERE id IN (SELECT id FROM tokens" + d.index("tokens_temporary") +
		" WHERE kind = 'temporary' AND revoked_at = 0 AND sealed IS NOT NULL AND expires_at <= ? LIMIT ?)"
}

// PurgeLeftovers is for the sealed values of tokens that expired, for the IDs of client
// assertions and for tickets that did, and for old counts of calls. Nothing is deleted yet.
func (s *Store) PurgeLeftovers() *Purge {
	p, now := &Purge{store: s}, s.now()
	p.add(false, unsealExpired(s.sql), now)
	p.add(false, unsealTemporary(s.sql), now)
	p.add(false, deleteAssertions, now.Add(-keepAssertions))
	p.addUsage(now)
	p.add(false, deleteTickets, now)
	p.add(false, deleteRevocations, now.Add(-keepRevocations))
	return p
}

// Purge finds out which tokens ended longer ago than they are kept. It reads; nothing
// is deleted yet.
func (s *Store) Purge(ctx context.Context, keep Retention) (*Purge, error) {
	p := &Purge{store: s}
	now := s.now()
	issued, manual := now.Add(-keep.Issued), now.Add(-keep.Manual)
	var apps []struct {
		ID    string
		Epoch int64
		At    models.Time
		By    string
	}
	if err := s.read(ctx).Raw(overtaken).Scan(&apps).Error; err != nil {
		return nil, translate(err)
	}
	for _, app := range apps {
		p.add(false, markOvertaken, app.At, app.At, app.By, app.ID, app.Epoch, app.At)
	}
	p.add(true, deleteRevoked, issued)
	p.add(true, deleteManual(s.sql), manual, manual)
	apps = nil
	if err := s.read(ctx).Raw(withExpired, issued).Scan(&apps).Error; err != nil {
		return nil, translate(err)
	}
	for _, app := range apps {
		p.add(true, deleteExpired, app.ID, app.Epoch, issued)
	}
	return p, nil
}

// add takes a statement whose last parameter is how many rows it may touch.
func (p *Purge) add(deletes bool, sql string, args ...any) {
	p.due = append(p.due, purgeStatement{sql: sql, args: slices.Clip(args), deletes: deletes})
}

// Step deletes up to 500 rows, of however many applications, and reports whether
// those were the last. What a failed step did not delete is found by the next one.
func (p *Purge) Step(ctx context.Context) (done bool, err error) {
	due, deleted := p.due, int64(0)
	var began time.Time
	err = p.store.touch(ctx, func(tx *gorm.DB) error {
		due, deleted = p.due, 0
		left := int64(purgeRows)
		began = time.Now() //nolint:forbidigo // a stopwatch, not the time of day
		for len(due) > 0 && left > 0 {
			result := tx.Exec(due[0].sql, append(due[0].args, left)...)
			if result.Error != nil {
				return result.Error
			}
			if due[0].deletes {
				deleted += result.RowsAffected
			}
			if left -= result.RowsAffected; left > 0 {
				due = due[1:]
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	p.due, p.Deleted = due, p.Deleted+deleted
	p.Held = time.Since(began) //nolint:forbidigo // see began
	return len(due) == 0, nil
}
