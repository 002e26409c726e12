package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// ACMEState returns a sealed value, models.ErrNotFound where there is none. It is the
// installation's, no team's.
func (s *Store) ACMEState(ctx context.Context, name string) ([]byte, error) {
	var row struct{ Sealed []byte }
	err := affected(s.read(ctx).Raw("SELECT sealed FROM acme_state WHERE name = ?", name).Scan(&row), models.ErrNotFound)
	return row.Sealed, translate(err)
}

// SaveACMEState keeps a value until a time; zero: for good.
func (s *Store) SaveACMEState(ctx context.Context, name string, sealed []byte, until models.Time) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec(`INSERT INTO acme_state (name, sealed, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at`, name, sealed, until).Error
	})
}

// DeleteACMEState deletes a value, or what was claimed.
func (s *Store) DeleteACMEState(ctx context.Context, name string) error {
	return s.touch(ctx, func(tx *gorm.DB) error { return tx.Exec("DELETE FROM acme_state WHERE name = ?", name).Error })
}

// ClaimACMEState takes a name until a time: of many at once one gets it.
func (s *Store) ClaimACMEState(ctx context.Context, name string, until models.Time) (bool, error) {
	var claimed bool
	err := s.touch(ctx, func(tx *gorm.DB) error {
		result := tx.Exec(`INSERT INTO acme_state (name, sealed, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at WHERE acme_state.expires_at <= ?`, name, []byte{}, until, s.now())
		claimed = result.RowsAffected == 1
		return result.Error
	})
	return claimed && err == nil, err
}

// sweepACME deletes what nodes that crashed have left behind.
func sweepACME(tx *gorm.DB, now models.Time) error {
	return tx.Exec("DELETE FROM acme_state WHERE expires_at <> 0 AND expires_at <= ?", now).Error
}
