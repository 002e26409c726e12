package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// BeginCeremony stores what a browser has begun, for as long as it may take.
func (s *Store) BeginCeremony(ctx context.Context, ceremony models.Ceremony, longest time.Duration) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		ceremony.CreatedAt = s.now()
		ceremony.ExpiresAt = ceremony.CreatedAt.Add(longest)
		return tx.Create(&ceremony).Error
	})
}

// Ceremony reads one without using it up, for its page. One that is unknown, of
// another kind or has ended gives models.ErrNotFound.
func (s *Store) Ceremony(ctx context.Context, idHash []byte, kind models.CeremonyKind) (models.Ceremony, error) {
	var ceremony models.Ceremony
	err := s.read(ctx).Where("id_hash = ? AND kind = ? AND expires_at > ?", idHash, kind, s.now()).Take(&ceremony).Error
	return ceremony, translate(err)
}

// FinishCeremony uses one up: of two at once, one gets it and the other models.ErrNotFound.
func (s *Store) FinishCeremony(ctx context.Context, idHash []byte, kind models.CeremonyKind) (models.Ceremony, error) {
	var ceremony models.Ceremony
	err := s.touch(ctx, func(tx *gorm.DB) error {
		ceremony = models.Ceremony{}
		if err := tx.Where("id_hash = ? AND kind = ? AND expires_at > ?", idHash, kind, s.now()).Take(&ceremony).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM ceremonies WHERE id_hash = ?", idHash).Error
	})
	return ceremony, err
}
