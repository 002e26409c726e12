package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Sweep deletes what has ended and nobody looks at again: sessions unused for
// idle or older than longest, secrets past their overlap, keys of old forms, ceremonies that nobody finished,
// invitations that have expired, sightings of values that are gone, refused calls of long ago, challenges of ACME. Of each there are few;
// Purge has what there may be millions of.
func (s *Store) Sweep(ctx context.Context, idle, longest time.Duration) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		if err := tx.Exec("DELETE FROM sessions WHERE last_seen_at < ? OR created_at < ?", now.Add(-idle), now.Add(-longest)).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM client_secrets WHERE expires_at <> 0 AND expires_at <= ?", now).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM invitations WHERE expires_at <= ?", now).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM ceremonies WHERE expires_at <= ?", now).Error; err != nil {
			return err
		}
		if err := tx.Exec(`DELETE FROM sightings WHERE object_type = 'token' AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.id = object_id)
			OR object_type = 'secret' AND NOT EXISTS (SELECT 1 FROM client_secrets s WHERE s.id = object_id)`).Error; err != nil {
			return err
		}
		if err := sweepWarnings(tx, now); err != nil {
			return err
		}
		if err := sweepRefused(tx, now); err != nil {
			return err
		}
		if err := sweepACME(tx, now); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM form_posts WHERE created_at < ?", now.Add(-keepFormPosts)).Error
	})
}
