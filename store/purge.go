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

// purgeRows is how many rows one transaction touches, and purgeStatements how many times it
// looks for some: few, so that tokens are issued in between.
const (
	purgeRows       = 500
	purgeStatements = 200
)

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

// purgeStatement touches rows, at most as many as its last parameter says. One with an order
// takes where to go on before that, and returns it of each row: PostgreSQL keeps what was
// deleted in its indexes for a while, and would read all of it again for each step.
type purgeStatement struct {
	sql     string
	args    []any
	deletes bool
	order   purgeOrder
	from    purgePlace
}

type purgeOrder int

const (
	inNoOrder purgeOrder = iota
	byTime
	byEpoch
)

// purgePlace is where a row stands in the order of its statement.
type purgePlace struct {
	Epoch int64
	At    models.Time
}

// Of an application whose tokens were all revoked, those of earlier epochs are
// marked with that moment, so that they are kept as long as any other. One that
// had expired before counts from then, and a manual one of these stays expired.
// Each statement finds its rows by an index that has few others where it looks, in its order.
const (
	overtaken = `SELECT id, epoch, tokens_revoked_at AS at, tokens_revoked_by AS "by" FROM applications a
		WHERE a.epoch > 0 AND EXISTS (SELECT 1 FROM tokens t WHERE t.application_id = a.id AND t.epoch < a.epoch AND t.revoked_at = 0)`
	withExpired = `SELECT id, epoch FROM applications a
		WHERE EXISTS (SELECT 1 FROM tokens t WHERE t.application_id = a.id AND t.epoch = a.epoch AND t.revoked_at = 0 AND t.expires_at < ? AND t.kind <> 'manual')`

	deleteAssertions = `DELETE FROM client_assertions WHERE (application_id, id_hash) IN
		(SELECT application_id, id_hash FROM client_assertions WHERE expires_at < ? LIMIT ?)`

	deleteTickets = "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires_at <= ? LIMIT ?)"
)

func markOvertaken(d dialect) string {
	return `UPDATE tokens SET revoked_at = CASE WHEN expires_at < ? THEN expires_at ELSE ? END, revoked_by = ?, sealed = NULL WHERE id IN
		(SELECT id FROM tokens` + d.index("tokens_unrevoked") + ` WHERE application_id = ? AND epoch < ? AND revoked_at = 0 AND (kind <> 'manual' OR expires_at > ?)
		AND (epoch, expires_at) >= (?, ?) ORDER BY epoch, expires_at LIMIT ?) RETURNING epoch, expires_at AS at`
}

func deleteExpired(d dialect) string {
	return "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens" + d.index("tokens_unrevoked") + ` WHERE application_id = ? AND epoch = ? AND revoked_at = 0
		AND expires_at < ? AND kind <> 'manual' AND expires_at >= ? ORDER BY expires_at LIMIT ?) RETURNING expires_at AS at`
}

func deleteExpiredManual(d dialect) string {
	return "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens" + d.index("tokens_ending") + ` WHERE kind = 'manual' AND revoked_at = 0
		AND expires_at < ? AND expires_at >= ? ORDER BY expires_at LIMIT ?) RETURNING expires_at AS at`
}

func deleteRevoked(d dialect) string {
	return "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens" + d.index("tokens_revoked_by_kind") + ` WHERE kind = ? AND revoked_at <> 0
		AND revoked_at < ? AND revoked_at >= ? ORDER BY revoked_at LIMIT ?) RETURNING revoked_at AS at`
}

func unsealExpired(d dialect) string {
	return "UPDATE tokens SET sealed = NULL WHERE id IN (SELECT id FROM tokens" + d.index("tokens_sealed") + ` WHERE sealed IS NOT NULL
		AND expires_at <= ? AND expires_at >= ? ORDER BY expires_at LIMIT ?) RETURNING expires_at AS at`
}

// PurgeLeftovers is for the sealed values of tokens that expired, for the IDs of client
// assertions and for tickets that did, and for old counts of calls. Nothing is deleted yet.
func (s *Store) PurgeLeftovers() *Purge {
	p, now := &Purge{store: s}, s.now()
	p.addOrdered(false, byTime, unsealExpired(s.sql), now)
	p.add(deleteAssertions, now.Add(-keepAssertions))
	p.addUsage(now)
	p.add(deleteTickets, now)
	p.add(deleteRevocations, now.Add(-keepRevocations))
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
		p.addOrdered(false, byEpoch, markOvertaken(s.sql), app.At, app.At, app.By, app.ID, app.Epoch, app.At)
	}
	p.addOrdered(true, byTime, deleteRevoked(s.sql), models.KindClientCredentials, issued)
	p.addOrdered(true, byTime, deleteRevoked(s.sql), models.KindTemporary, issued)
	p.addOrdered(true, byTime, deleteRevoked(s.sql), models.KindManual, manual)
	p.addOrdered(true, byTime, deleteExpiredManual(s.sql), manual)
	apps = nil
	if err := s.read(ctx).Raw(withExpired, issued).Scan(&apps).Error; err != nil {
		return nil, translate(err)
	}
	for _, app := range apps {
		p.addOrdered(true, byTime, deleteExpired(s.sql), app.ID, app.Epoch, issued)
	}
	return p, nil
}

// add takes a statement whose last parameter is how many rows it may touch, none of them tokens.
func (p *Purge) add(sql string, args ...any) {
	p.addOrdered(false, inNoOrder, sql, args...)
}

func (p *Purge) addOrdered(deletes bool, order purgeOrder, sql string, args ...any) {
	p.due = append(p.due, purgeStatement{sql: sql, args: slices.Clip(args), deletes: deletes, order: order})
}

// Step deletes up to 500 rows, of however many applications, and reports whether
// those were the last. What a failed step did not delete is found by the next one.
func (p *Purge) Step(ctx context.Context) (done bool, err error) {
	due, deleted := p.due, int64(0)
	var began time.Time
	err = p.store.touch(ctx, func(tx *gorm.DB) error {
		due, deleted = slices.Clone(p.due[:min(len(p.due), purgeStatements)]), 0
		left := int64(purgeRows)
		began = time.Now() //nolint:forbidigo // a stopwatch, not the time of day
		for len(due) > 0 && left > 0 {
			rows, err := due[0].run(tx, left)
			if err != nil {
				return err
			}
			if due[0].deletes {
				deleted += rows
			}
			if left -= rows; left > 0 {
				due = due[1:]
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	p.due, p.Deleted = append(due, p.due[min(len(p.due), purgeStatements):]...), p.Deleted+deleted
	p.Held = time.Since(began) //nolint:forbidigo // see began
	return len(p.due) == 0, nil
}

// run touches up to so many rows and says how many it found.
func (s *purgeStatement) run(tx *gorm.DB, most int64) (int64, error) {
	if s.order == inNoOrder {
		result := tx.Exec(s.sql, s.params(most)...)
		return result.RowsAffected, result.Error
	}
	var places []purgePlace
	if err := tx.Raw(s.sql, s.params(most)...).Scan(&places).Error; err != nil {
		return 0, err
	}
	for _, place := range places {
		if place.Epoch > s.from.Epoch || place.Epoch == s.from.Epoch && place.At > s.from.At {
			s.from = place
		}
	}
	return int64(len(places)), nil
}

func (s *purgeStatement) params(most int64) []any {
	switch s.order {
	case byTime:
		return append(s.args, s.from.At, most)
	case byEpoch:
		return append(s.args, s.from.Epoch, s.from.At, most)
	}
	return append(s.args, most)
}
