package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// ReplaceRecoveryCodes gives the actor new recovery codes, of which it takes the hashes,
// in place of all before. Without a second factor there are none: models.ErrNotFound.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, actor models.Actor, codes []string) error {
	return s.write(ctx, actor, models.AuditRecoveryCodesMade, func(c change) error {
		var user models.User
		if err := c.Where("id = ? AND second_factor", actor.UserID).Take(&user).Error; err != nil {
			return err
		}
		c.about("user", user.ID, user.Name)
		if err := c.Exec("DELETE FROM recovery_codes WHERE user_id = ?", user.ID).Error; err != nil {
			return err
		}
		return c.storeCodes(user.ID, codes)
	})
}

func (c change) storeCodes(userID string, hashes []string) error {
	rows := make([]models.RecoveryCode, len(hashes))
	for i, hash := range hashes {
		rows[i] = models.RecoveryCode{UserID: userID, Number: i, Hash: hash, CreatedAt: c.now}
	}
	return c.Create(&rows).Error
}

// RecoveryCodeHash is the hash of one unused code, empty where there is none.
func (s *Store) RecoveryCodeHash(ctx context.Context, userID string, number int) (string, error) {
	var hash string
	err := s.read(ctx).Raw("SELECT hash FROM recovery_codes WHERE user_id = ? AND number = ? AND used_at = 0", userID, number).Scan(&hash).Error
	return hash, translate(err)
}

// UseRecoveryCode spends a code that was compared with hash and returns how many are
// left. Of several at once one gets it, the others models.ErrNotFound.
func (s *Store) UseRecoveryCode(ctx context.Context, actor models.Actor, user models.User, number int, hash string) (left int64, err error) {
	err = s.write(ctx, actor, models.AuditRecoveryCodeUsed, func(c change) error {
		c.about("user", user.ID, user.Name)
		result := c.Exec("UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND number = ? AND hash = ? AND used_at = 0", c.now, user.ID, number, hash)
		if err := affected(result, models.ErrNotFound); err != nil {
			return err
		}
		if err := c.Model(&models.RecoveryCode{}).Where("user_id = ? AND used_at = 0", user.ID).Count(&left).Error; err != nil {
			return err
		}
		c.event.Detail = models.Count(left, "code") + " left"
		var err error
		c.event.TeamID, err = c.firstTeam(user.ID)
		return err
	})
	return left, err
}
