package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Sweep deletes what has ended and nobody looks at again: sessions unused for
// idle or older than longest, secrets past their overlap, keys of old forms, ceremonies that nobody finished. Of
// each there are few; Purge has what there may be millions of.
func (s *Store) Sweep(ctx context.Context, idle, longest time.Duration) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		if err := tx.Exec("DELETE FROM sessions WHERE last_seen_at < ? OR created_at < ?", now.Add(-idle), now.Add(-longest)).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM client_secrets WHERE expires_at <> 0 AND expires_at <= ?", now).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM ceremonies WHERE expires_at <= ?", now).Error; err != nil {
			return err
		}
		if err := sweepWarnings(tx, now); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM form_posts WHERE created_at < ?", now.Add(-keepFormPosts)).Error
	})
}
