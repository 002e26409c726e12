package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// AuditPurge deletes the events that were kept long enough, team by team. First the
// beginning of a team's chain moves, with an event that says so; then what lies before it
// goes in small steps. One that was broken off is gone on with by the next one.
type AuditPurge struct {
	store *Store
	// due are teams whose chain is to be cut, left those with events before its beginning.
	due, left []string
	before    models.Time
	// Deleted counts the events that are gone.
	Deleted int64
	// Held is how long the last step kept others from writing.
	Held time.Duration
}

// retention is who deletes what was kept long enough.
var retention = models.Actor{UserName: "Latchkey"}

// PurgeAudit finds out whose events are older than they are kept. It reads; nothing is
// deleted yet.
func (s *Store) PurgeAudit(ctx context.Context, keep time.Duration) (*AuditPurge, error) {
	p := &AuditPurge{store: s, before: s.now().Add(-keep)}
	err := s.read(ctx).Raw(`SELECT team_id FROM audit_chains c
		WHERE EXISTS (SELECT 1 FROM audit_events e WHERE e.team_id = c.team_id AND e.seq = c.first_seq AND e.at < ?)`, p.before).Scan(&p.due).Error
	if err != nil {
		return nil, translate(err)
	}
	err = s.read(ctx).Raw(`SELECT team_id FROM audit_chains c
		WHERE EXISTS (SELECT 1 FROM audit_events e WHERE e.team_id = c.team_id AND e.seq < c.first_seq)`).Scan(&p.left).Error
	return p, translate(err)
}

// Step cuts one chain, or deletes up to 500 events, and reports whether that was the last.
func (p *AuditPurge) Step(ctx context.Context) (done bool, err error) {
	p.Held = 0
	if len(p.due) > 0 {
		team := p.due[0]
		cut, err := p.cut(ctx, team)
		if err != nil {
			return false, err
		}
		p.due = p.due[1:]
		if cut {
			p.left = append(p.left, team)
		}
	} else if len(p.left) > 0 {
		if err := p.delete(ctx, p.left[0]); err != nil {
			return false, err
		}
	}
	return len(p.due)+len(p.left) == 0, nil
}

// cut moves the beginning of a chain behind the last of those at its beginning that are
// old enough. Where they are nothing but what an earlier run has noted, they stay: the log
// of a team that does nothing would not come to rest.
func (p *AuditPurge) cut(ctx context.Context, team string) (bool, error) {
	chain, err := p.store.AuditChain(ctx, team)
	if err != nil {
		return false, err
	}
	var found struct {
		Last  int64
		Other bool
	}
	err = p.store.read(ctx).Raw(`WITH old AS (SELECT COALESCE((SELECT seq FROM audit_events`+p.store.sql.index("audit_events_by_number")+`
			WHERE team_id = ? AND seq >= ? AND at >= ? ORDER BY seq LIMIT 1), CAST(? AS BIGINT) + 1) - 1 AS last)
		SELECT last, EXISTS (SELECT 1 FROM audit_events WHERE team_id = ? AND seq >= ? AND seq <= last AND action <> ?) AS other FROM old`,
		team, chain.FirstSeq, p.before, chain.LastSeq, team, chain.FirstSeq, models.AuditEntriesDeleted).Scan(&found).Error
	if err != nil || !found.Other {
		return false, translate(err)
	}
	actor := retention
	actor.TeamID = team
	var began time.Time
	err = p.store.write(ctx, actor, models.AuditEntriesDeleted, func(c change) error {
		began = time.Now() //nolint:forbidigo // a stopwatch, not the time of day
		return c.cutChain(chain, found.Last)
	})
	p.Held = time.Since(began) //nolint:forbidigo // see began
	return err == nil, err
}

func (c change) cutChain(chain models.AuditChain, last int64) error {
	var event models.AuditEvent
	if err := c.Where("team_id = ? AND seq = ?", chain.TeamID, last).Take(&event).Error; err != nil {
		return err
	}
	c.event.Detail = entries(last-chain.FirstSeq+1) + ", up to " + event.At.Std().Format(time.DateOnly)
	if err := c.begins(chain, last+1, event.Hash); err != nil {
		return err
	}
	return affected(c.Exec("UPDATE audit_chains SET first_seq = ?, before_hash = ? WHERE team_id = ? AND first_seq = ?",
		last+1, event.Hash, chain.TeamID, chain.FirstSeq), errNothingToDo)
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return models.FormatNumber(n) + " entries"
}

// begins notes where the chain begins from now on; see models.AuditEvent.Beginning.
func (c change) begins(chain models.AuditChain, first int64, before string) error {
	if err := c.changed(models.ChainBegins, strconv.FormatInt(chain.FirstSeq, 10), strconv.FormatInt(first, 10)); err != nil {
		return err
	}
	return c.changed(models.ChainBeginsAfter, chain.BeforeHash, before)
}

func (p *AuditPurge) delete(ctx context.Context, team string) error {
	var began time.Time
	var rows int64
	err := p.store.touch(ctx, func(tx *gorm.DB) error {
		began = time.Now() //nolint:forbidigo // a stopwatch, not the time of day
		place := p.store.sql.place()
		result := tx.Exec(`DELETE FROM audit_events WHERE `+place+` IN (SELECT `+place+` FROM audit_events
			WHERE team_id = ? AND seq < (SELECT first_seq FROM audit_chains WHERE team_id = ?) ORDER BY seq LIMIT ?)`, team, team, purgeRows)
		rows = result.RowsAffected
		return result.Error
	})
	if err != nil {
		return err
	}
	p.Held = time.Since(began) //nolint:forbidigo // see began
	p.Deleted += rows
	if rows < purgeRows {
		p.left = p.left[1:]
	}
	return nil
}
