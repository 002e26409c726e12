package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// verifyRows is how many events are read at once, so that the write-ahead log is not held
// up meanwhile.
const verifyRows = 1000

// VerifyAudit checks every event that is kept of a team's chain, in bounded memory. kept is
// a head that was noted elsewhere, of which the empty one says nothing; one that the
// retention job has deleted gives models.ErrNotFound.
func (s *Store) VerifyAudit(ctx context.Context, team string, kept models.AuditHead) (models.ChainVerdict, error) {
	for {
		chain, err := s.AuditChain(ctx, team)
		if err != nil {
			return models.ChainVerdict{}, err
		}
		if kept.Seq > 0 && kept.Seq < chain.FirstSeq-1 {
			return models.ChainVerdict{AuditChain: chain}, models.ErrNotFound
		}
		walk := chainWalk{store: s, chain: chain, kept: kept, next: chain.FirstSeq, before: chain.BeforeHash, begins: 1, beginsAfter: models.ChainStart}
		broken, err := walk.check(ctx)
		if err != nil || broken == nil {
			return models.ChainVerdict{AuditChain: chain}, err
		}
		now, err := s.AuditChain(ctx, team)
		if err != nil || now.FirstSeq == chain.FirstSeq {
			return models.ChainVerdict{AuditChain: chain, Break: broken}, err
		}
		// The retention job went past: begin again behind it.
	}
}

// chainWalk goes along a chain, from the first kept event to the last.
type chainWalk struct {
	store *Store
	chain models.AuditChain
	kept  models.AuditHead
	// next is the number to come, and before the hash of the event before it.
	next   int64
	before string
	// begins and beginsAfter are where the chain begins by the last event that says so.
	begins      int64
	beginsAfter string
}

func (w *chainWalk) check(ctx context.Context) (*models.ChainBreak, error) {
	if w.kept.Seq == w.chain.FirstSeq-1 && w.kept.Seq > 0 && w.kept.Hash != w.before {
		return &models.ChainBreak{Kind: models.BreakRewritten, Seq: w.kept.Seq}, nil
	}
	for {
		events, err := w.read(ctx, w.next, verifyRows)
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			if broken, err := w.step(ctx, event); broken != nil || err != nil {
				return broken, err
			}
		}
		if len(events) < verifyRows {
			break
		}
	}
	switch {
	case w.next <= w.chain.LastSeq:
		return &models.ChainBreak{Kind: models.BreakRemoved, Seq: w.next}, nil
	case w.chain.LastSeq > 0 && w.before != w.chain.LastHash:
		return &models.ChainBreak{Kind: models.BreakChanged, Seq: w.chain.LastSeq}, nil
	case w.kept.Seq > w.chain.LastSeq:
		return &models.ChainBreak{Kind: models.BreakRemoved, Seq: w.next}, nil
	case w.begins != w.chain.FirstSeq || w.beginsAfter != w.chain.BeforeHash:
		// Nothing says that the retention job has deleted what is missing before it.
		return &models.ChainBreak{Kind: models.BreakRemoved, Seq: w.begins}, nil
	}
	return w.surplus(ctx)
}

// step takes the event that comes next.
func (w *chainWalk) step(ctx context.Context, event models.AuditEvent) (*models.ChainBreak, error) {
	if event.Seq > w.next {
		return &models.ChainBreak{Kind: models.BreakRemoved, Seq: w.next}, nil
	}
	if event.Seq < w.next {
		return &models.ChainBreak{Kind: models.BreakInserted, Seq: event.Seq, Event: event}, nil
	}
	if !event.Follows(w.before) {
		after, err := w.read(ctx, event.Seq+1, 1)
		if err != nil || len(after) == 0 {
			return models.BreakAt(event, w.before, nil), err
		}
		return models.BreakAt(event, w.before, &after[0]), nil
	}
	if event.Seq == w.kept.Seq && event.Hash != w.kept.Hash {
		return &models.ChainBreak{Kind: models.BreakRewritten, Seq: event.Seq, Event: event}, nil
	}
	if first, before, ok := event.Beginning(); ok {
		w.begins, w.beginsAfter = first, before
	}
	w.next, w.before = event.Seq+1, event.Hash
	return nil, nil
}

func (w *chainWalk) read(ctx context.Context, from int64, limit int) ([]models.AuditEvent, error) {
	var events []models.AuditEvent
	err := w.store.read(ctx).Where("team_id = ? AND seq >= ? AND seq <= ?", w.chain.TeamID, from, w.chain.LastSeq).
		Order("seq").Limit(limit).Find(&events).Error
	return events, translate(err)
}

// surplus finds an event with a number that another one has, or beyond the end as it is now.
func (w *chainWalk) surplus(ctx context.Context) (*models.ChainBreak, error) {
	var events []models.AuditEvent
	place := w.store.sql.place()
	err := w.store.read(ctx).Raw(`SELECT * FROM audit_events WHERE `+place+` IN (
			SELECT MAX(`+place+`) FROM audit_events WHERE team_id = ? AND seq >= ? GROUP BY seq HAVING COUNT(*) > 1
			UNION ALL SELECT `+place+` FROM audit_events WHERE team_id = ? AND seq > COALESCE((SELECT last_seq FROM audit_chains WHERE team_id = ?), 0))
		ORDER BY seq LIMIT 1`, w.chain.TeamID, w.chain.FirstSeq, w.chain.TeamID, w.chain.TeamID).Scan(&events).Error
	if err != nil || len(events) == 0 {
		return nil, translate(err)
	}
	return &models.ChainBreak{Kind: models.BreakInserted, Seq: events[0].Seq, Event: events[0]}, nil
}
