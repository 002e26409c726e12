package store

import (
	"bytes"
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// AddPasskey gives the actor one more passkey; codes and keep as for AddAuthenticator. It
// returns models.FieldErrors (name) for a name that is taken or one passkey too many, and
// models.ErrConflict where the actor's devices know the account by another handle meanwhile.
func (s *Store) AddPasskey(ctx context.Context, actor models.Actor, passkey models.Passkey, codes []string, keep []byte) error {
	return s.write(ctx, actor, models.AuditPasskeyAdded, func(c change) error {
		passkey.UserID, passkey.NameKey, passkey.CreatedAt = actor.UserID, models.FoldName(passkey.Name), c.now
		var known []models.Passkey
		if err := c.Where("user_id = ?", actor.UserID).Find(&known).Error; err != nil {
			return err
		}
		if problem := models.CheckPasskeyName(passkey.Name, known); problem != "" {
			return models.FieldErrors{"name": problem}
		}
		if len(known) > 0 && !bytes.Equal(known[0].Handle, passkey.Handle) {
			return models.ErrConflict
		}
		err := c.Create(&passkey).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return models.ErrConflict
		}
		if err != nil {
			return err
		}
		c.event.Detail = passkey.Name
		return c.factorAdded(actor, codes, keep)
	})
}

// RemovePasskey takes one of the actor's passkeys away and returns it as it was. For the
// last factor of somebody who needs one it returns models.FieldErrors (factor).
func (s *Store) RemovePasskey(ctx context.Context, actor models.Actor, id string, leaving Leaving) (models.Passkey, error) {
	var passkey models.Passkey
	err := s.write(ctx, actor, models.AuditPasskeyRemoved, func(c change) error {
		passkey = models.Passkey{}
		if err := c.Where("id = ? AND user_id = ?", id, actor.UserID).Take(&passkey).Error; err != nil {
			return err
		}
		c.event.Detail = passkey.Name
		if err := c.Exec("DELETE FROM passkeys WHERE id = ? AND user_id = ?", id, actor.UserID).Error; err != nil {
			return err
		}
		return c.factorRemoved(actor, leaving)
	})
	return passkey, err
}

// PasskeyOwner finds the passkey with this credential ID and whose it is, if its device
// also knows the account by handle and the account is not disabled. The answer that
// the caller checks with it is the proof.
func (s *Store) PasskeyOwner(ctx context.Context, credentialID, handle []byte) (models.Passkey, models.User, error) {
	var passkey models.Passkey
	var user models.User
	if err := s.read(ctx).Where("credential_id = ? AND handle = ?", credentialID, handle).Take(&passkey).Error; err != nil {
		return passkey, user, translate(err)
	}
	err := s.read(ctx).Where("id = ? AND disabled_at = 0", passkey.UserID).Take(&user).Error
	return passkey, user, translate(err)
}

// UsePasskey notes the use of a passkey that proved its owner anew. One that was removed
// meanwhile, or whose counter another use has passed, gives models.ErrNotFound.
func (s *Store) UsePasskey(ctx context.Context, passkey models.Passkey) error {
	return s.touch(ctx, func(tx *gorm.DB) error { return usePasskey(tx, passkey.UserID, passkey, s.now()) })
}

func usePasskey(tx *gorm.DB, userID string, used models.Passkey, now models.Time) error {
	return affected(tx.Exec(`UPDATE passkeys SET sign_count = ?, credential = ?, last_used_at = ?
		WHERE id = ? AND user_id = ? AND (sign_count < ? OR sign_count = 0 AND CAST(? AS BIGINT) = 0)`,
		used.SignCount, used.Credential, now, used.ID, userID, used.SignCount, used.SignCount), models.ErrNotFound)
}

// PasskeyRefused records a passkey whose counter ran backward: there may be a copy of it.
func (s *Store) PasskeyRefused(ctx context.Context, actor models.Actor, passkey models.Passkey) error {
	return s.write(ctx, actor, models.AuditPasskeyRefused, func(c change) error {
		owner, err := c.user(passkey.UserID)
		if err != nil {
			return err
		}
		c.about("user", owner.ID, owner.Name)
		c.event.Detail = passkey.Name + ": its counter ran backward, there may be a copy of it"
		if c.event.TeamID != "" {
			return nil
		}
		c.event.TeamID, err = c.firstTeam(passkey.UserID)
		return err
	})
}
