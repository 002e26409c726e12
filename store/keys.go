package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// keepNodes is how long a node that is not heard of is listed.
const keepNodes = 24 * time.Hour

// SeeKeys notes that a node runs and which keys it has read.
func (s *Store) SeeKeys(ctx context.Context, node models.KeyNode) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		err := tx.Exec(`INSERT INTO key_nodes (id, name, seal, sealing, sessions, since, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, seal = excluded.seal, sealing = excluded.sealing, sessions = excluded.sessions,
				since = excluded.since, seen_at = excluded.seen_at`,
			node.ID, node.Name, node.Seal, node.Sealing, node.Sessions, node.Since, now).Error
		if err != nil {
			return err
		}
		return tx.Exec("DELETE FROM key_nodes WHERE seen_at < ?", now.Add(-keepNodes)).Error
	})
}

// LeaveKeys removes a node that stops.
func (s *Store) LeaveKeys(ctx context.Context, id string) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM key_nodes WHERE id = ?", id).Error
	})
}

// KeyNodes lists the nodes that run, by ID: the one that runs longest comes first.
func (s *Store) KeyNodes(ctx context.Context) ([]models.KeyNode, error) {
	var nodes []models.KeyNode
	err := s.read(ctx).Where("seen_at > ?", s.now().Add(-models.KeyNodeGone)).Order("id").Find(&nodes).Error
	return nodes, translate(err)
}

// KeyStates lists the keys that were closed.
func (s *Store) KeyStates(ctx context.Context) ([]models.KeyState, error) {
	var states []models.KeyState
	err := s.read(ctx).Order("kind, name").Find(&states).Error
	return states, translate(err)
}

// CloseKeys has the store refuse what is sealed with these keys from now on: all nodes seal with
// another. Those that are closed stay as they are.
func (s *Store) CloseKeys(ctx context.Context, actor models.Actor, keys []models.KeyState) error {
	return s.operate(ctx, actor, models.AuditKeysClosed, func(c change) error {
		closed := int64(0)
		for _, key := range keys {
			result := c.Exec("INSERT INTO key_states (kind, name, prefix, closed_at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, name) DO NOTHING", key.Kind, key.Name, key.Prefix, c.now)
			if result.Error != nil {
				return result.Error
			}
			if result.RowsAffected > 0 {
				c.noted(key.Kind + " key " + key.Name)
			}
			closed += result.RowsAffected
		}
		if closed == 0 {
			return errNothingToDo
		}
		return nil
	})
}

// RetireKey notes that nothing depends on a closed key, and is where that is decided: where
// something does, models.ErrConflict.
func (s *Store) RetireKey(ctx context.Context, actor models.Actor, key models.KeyState) error {
	return s.operate(ctx, actor, models.AuditKeyRetired, func(c change) error {
		use, err := keyUse(c.DB, key, c.now)
		if err != nil {
			return err
		}
		if !use.None() {
			return models.ErrConflict
		}
		c.noted(key.Kind + " key " + key.Name)
		return affected(c.Exec("UPDATE key_states SET retired_at = ? WHERE kind = ? AND name = ? AND retired_at = 0", c.now, key.Kind, key.Name), errNothingToDo)
	})
}

// KeyUse counts what depends on a key, closed or not.
func (s *Store) KeyUse(ctx context.Context, key models.KeyState) (models.KeyUse, error) {
	use, err := keyUse(s.read(ctx), key, s.now())
	return use, translate(err)
}

func keyUse(db *gorm.DB, key models.KeyState, now models.Time) (models.KeyUse, error) {
	var use models.KeyUse
	before := key.ClosedAt
	if before.IsZero() {
		before = now
	}
	if key.Kind == models.KeySession {
		err := db.Raw("SELECT COUNT(*) FROM sessions WHERE created_at <= ?", before).Scan(&use.Sessions).Error
		if err != nil {
			return use, err
		}
		// Links that go by mail are no cookies.
		err = db.Raw("SELECT COUNT(*) FROM ceremonies WHERE created_at <= ? AND expires_at > ? AND kind NOT IN ?", before, now, linkCeremonies).Scan(&use.Steps).Error
		return use, err
	}
	for _, column := range sealedColumns {
		var values int64
		if err := db.Raw(column.count(), key.Prefix).Scan(&values).Error; err != nil {
			return use, err
		}
		use.Values += values
	}
	err := db.Raw("SELECT COUNT(*) FROM ceremonies WHERE created_at <= ? AND expires_at > ? AND kind IN ?", before, now, sealingCeremonies).Scan(&use.Steps).Error
	return use, err
}

// sealedOpen refuses what was sealed with a key that was closed: by a node that slept meanwhile,
// or has an old copy of the key file. Nobody could open it once the key is gone.
func (c change) sealedOpen(sealed []byte) error {
	var closed bool
	prefix := sealed[:min(len(sealed), sealPrefix)]
	err := c.Raw("SELECT EXISTS (SELECT 1 FROM key_states WHERE kind = 'seal' AND prefix = ?)", prefix).Scan(&closed).Error
	if err == nil && closed {
		err = models.ErrUnavailable
	}
	return err
}
