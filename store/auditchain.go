package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// record adds the event of the change to the chain of its team, in the same transaction:
// whoever writes beside it waits.
func (c change) record() error { return link(c.DB, c.event) }

func link(tx *gorm.DB, event *models.AuditEvent) error {
	chain, err := chainOf(tx, event.TeamID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		chain = models.AuditChain{TeamID: event.TeamID, FirstSeq: 1, BeforeHash: models.ChainStart, LastHash: models.ChainStart}
	} else if err != nil {
		return err
	}
	storableEvent(event)
	event.Link(chain.LastSeq+1, chain.LastHash)
	if err := tx.Create(event).Error; err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO audit_chains (team_id, first_seq, before_hash, last_seq, last_hash) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET last_seq = excluded.last_seq, last_hash = excluded.last_hash`,
		chain.TeamID, chain.FirstSeq, chain.BeforeHash, event.Seq, event.Hash).Error
}

func chainOf(db *gorm.DB, team string) (models.AuditChain, error) {
	var chain models.AuditChain
	err := db.Where("team_id = ?", team).Take(&chain).Error
	return chain, err
}

// AuditChain returns the ends of a team's chain, those of one without events where
// nothing has happened yet. The empty team is the installation.
func (s *Store) AuditChain(ctx context.Context, team string) (models.AuditChain, error) {
	chain, err := chainOf(s.read(ctx), team)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.AuditChain{TeamID: team, FirstSeq: 1, BeforeHash: models.ChainStart}, nil
	}
	return chain, translate(err)
}

// TeamChain is a chain with the name of its team, empty for the installation's own.
type TeamChain struct {
	models.AuditChain `gorm:"embedded"`
	Name              string
}

// AuditChains lists every team that has a chain or events: the installation first, then by name.
func (s *Store) AuditChains(ctx context.Context) ([]TeamChain, error) {
	var chains []TeamChain
	err := s.read(ctx).Raw(`WITH RECURSIVE logged(team_id) AS (
			SELECT MIN(team_id) FROM audit_events
			UNION ALL SELECT (SELECT MIN(team_id) FROM audit_events WHERE team_id > logged.team_id) FROM logged WHERE logged.team_id IS NOT NULL),
		every(team_id) AS (SELECT team_id FROM audit_chains UNION SELECT team_id FROM logged WHERE team_id IS NOT NULL)
		SELECT every.team_id, COALESCE(c.first_seq, 1) AS first_seq, COALESCE(c.before_hash, ?) AS before_hash, COALESCE(c.last_seq, 0) AS last_seq,
			COALESCE(c.last_hash, '') AS last_hash, COALESCE(t.name, '') AS name
		FROM every LEFT JOIN audit_chains c ON c.team_id = every.team_id LEFT JOIN teams t ON t.id = every.team_id
		ORDER BY every.team_id <> '', t.name_key, every.team_id`, models.ChainStart).Scan(&chains).Error
	return chains, translate(err)
}

const (
	unchained = `SELECT e.id, e.team_id, e.at, e.actor_id, e.actor_name, e.actor_role, e.action, e.target_type, e.target_id, e.target,
		e.detail, e.changes, e.address, e.user_agent, e.request_id,
		CASE e.target_type WHEN 'application' THEN e.target_id
			WHEN 'token' THEN COALESCE((SELECT t.application_id FROM tokens t WHERE t.id = e.target_id AND t.team_id = e.team_id), '') ELSE '' END AS application_id
		FROM audit_events_unchained e ORDER BY e.team_id, e.at, e.id LIMIT ?`
	forgetUnchained = "DELETE FROM audit_events_unchained WHERE id IN (SELECT id FROM audit_events_unchained ORDER BY team_id, at, id LIMIT ?)"
)

// chainEarlier moves the events of an older database into chains, all in one transaction:
// one that was broken off begins anew at the next start.
func (s *Store) chainEarlier(ctx context.Context) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		var tables int64
		err := tx.Raw("SELECT COUNT(*) FROM " + s.sql.tables() + " WHERE name = 'audit_events_unchained'").Scan(&tables).Error
		if err != nil || tables == 0 {
			return err
		}
		if err := tx.Exec("CREATE INDEX audit_events_unchained_in_order ON audit_events_unchained (team_id, at, id)").Error; err != nil {
			return err
		}
		for {
			var events []models.AuditEvent
			if err := tx.Raw(unchained, purgeRows).Scan(&events).Error; err != nil {
				return err
			}
			for i := range events {
				if err := link(tx, &events[i]); err != nil {
					return err
				}
			}
			if len(events) == 0 {
				return tx.Exec("DROP TABLE audit_events_unchained").Error
			}
			if err := tx.Exec(forgetUnchained, purgeRows).Error; err != nil {
				return err
			}
		}
	})
}
