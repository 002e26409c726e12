package store

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Renewal is the session of whoever changes what others could have signed in with: it goes
// on under a new ID, and all others of that person end.
type Renewal struct {
	Session models.Session
	// Before is the hash of the ID that the session had.
	Before []byte
}

// RenameUser changes the actor's own name.
func (s *Store) RenameUser(ctx context.Context, actor models.Actor, name string) error {
	return s.changeOwn(ctx, actor, models.AuditProfileChanged, func(c change, user models.User) error {
		if user.Name == name {
			return errNothingToDo
		}
		if err := c.changed("name", user.Name, name); err != nil {
			return err
		}
		return c.Exec("UPDATE users SET name = ? WHERE id = ?", name, user.ID).Error
	})
}

// SetTimeZone changes the zone in which the actor reads times; empty is UTC.
func (s *Store) SetTimeZone(ctx context.Context, actor models.Actor, zone string) error {
	return s.changeOwn(ctx, actor, models.AuditProfileChanged, func(c change, user models.User) error {
		if user.TimeZone == zone {
			return errNothingToDo
		}
		if err := c.changed("time zone", zoneOrUTC(user.TimeZone), zoneOrUTC(zone)); err != nil {
			return err
		}
		return c.Exec("UPDATE users SET time_zone = ? WHERE id = ?", zone, user.ID).Error
	})
}

func zoneOrUTC(zone string) string {
	if zone == "" {
		return "UTC"
	}
	return zone
}

// ChangePassword stores a new hash. before is the hash that the current password was
// compared with, empty for an account without one: where it is not the account's any
// more, nothing changes (models.ErrConflict).
func (s *Store) ChangePassword(ctx context.Context, actor models.Actor, before, after string, renewal Renewal) error {
	return s.changeOwn(ctx, actor, models.AuditPasswordChanged, func(c change, user models.User) error {
		if user.PasswordHash != before {
			return models.ErrConflict
		}
		if err := c.Exec("UPDATE users SET password_hash = ? WHERE id = ?", after, user.ID).Error; err != nil {
			return err
		}
		return c.renewOnly(renewal)
	})
}

// AskEmail keeps a new email address until its owner proves to read it. It takes the place
// of what was asked for before. before is as in ChangePassword.
func (s *Store) AskEmail(ctx context.Context, actor models.Actor, before, email string, codeHash []byte, longest time.Duration) error {
	return s.changeOwn(ctx, actor, models.AuditEmailAsked, func(c change, user models.User) error {
		if user.PasswordHash != before {
			return models.ErrConflict
		}
		c.event.Detail = "to " + email
		if err := c.Exec("DELETE FROM ceremonies WHERE user_id = ? AND kind = ?", user.ID, models.CeremonyEmail).Error; err != nil {
			return err
		}
		return c.Create(&models.Ceremony{
			IDHash: codeHash, Kind: models.CeremonyEmail, UserID: user.ID, Data: email, CreatedAt: c.now, ExpiresAt: c.now.Add(longest),
		}).Error
	})
}

// ConfirmEmail makes the address that waits under a code the actor's, once. A code that is
// unknown, used, over or somebody else's gives models.ErrNotFound, an address that has an
// account by now models.FieldErrors (email).
func (s *Store) ConfirmEmail(ctx context.Context, actor models.Actor, codeHash []byte, renewal Renewal) error {
	return s.changeOwn(ctx, actor, models.AuditEmailChanged, func(c change, user models.User) error {
		var waiting models.Ceremony
		err := c.Where("id_hash = ? AND kind = ? AND user_id = ? AND expires_at > ?", codeHash, models.CeremonyEmail, user.ID, c.now).Take(&waiting).Error
		if err != nil {
			return err
		}
		if err := c.setEmail(user, waiting.Data); err != nil {
			return err
		}
		return c.renewOnly(renewal)
	})
}

// ChangeEmail makes an address the actor's at once, where no mail can prove that they read
// it. before is as in ChangePassword, errors as in ConfirmEmail.
func (s *Store) ChangeEmail(ctx context.Context, actor models.Actor, before, email string, renewal Renewal) error {
	return s.changeOwn(ctx, actor, models.AuditEmailChanged, func(c change, user models.User) error {
		if user.PasswordHash != before {
			return models.ErrConflict
		}
		if err := c.setEmail(user, email); err != nil {
			return err
		}
		return c.renewOnly(renewal)
	})
}

// EmailTaken tells whether an address belongs to another account than this user's.
func (s *Store) EmailTaken(ctx context.Context, userID, email string) (bool, error) {
	var taken bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ? AND id <> ?)", models.EmailKey(email), userID).Scan(&taken).Error
	return taken, translate(err)
}

// changeOwn changes what belongs to the actor's own account. One that was disabled or
// deleted meanwhile is models.ErrNotFound.
func (s *Store) changeOwn(ctx context.Context, actor models.Actor, action models.AuditAction, fn func(c change, user models.User) error) error {
	return s.write(ctx, actor, action, func(c change) error {
		var user models.User
		if err := c.Where("id = ? AND disabled_at = 0", actor.UserID).Take(&user).Error; err != nil {
			return err
		}
		c.about("user", user.ID, user.Name)
		return fn(c, user)
	})
}

func (c change) setEmail(user models.User, email string) error {
	var taken bool
	err := c.Raw("SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ? AND id <> ?)", models.EmailKey(email), user.ID).Scan(&taken).Error
	if err != nil {
		return err
	}
	if taken {
		return models.FieldErrors{"email": "An account with this email exists already."}
	}
	c.event.Detail = "to " + email
	if err := c.changed("email", user.Email, email); err != nil {
		return err
	}
	return c.Exec("UPDATE users SET email = ?, email_key = ? WHERE id = ?", email, models.EmailKey(email), user.ID).Error
}

// renewOnly ends every session of a person but one, which gets a new ID, and all that
// their browsers have begun. Where that one has ended, nothing of the change stays.
func (c change) renewOnly(renewal Renewal) error {
	if err := affected(c.Exec("DELETE FROM sessions WHERE id_hash = ?", renewal.Before), models.ErrNotFound); err != nil {
		return err
	}
	if err := c.endAll(renewal.Session.UserID); err != nil {
		return err
	}
	return c.storeSession(renewal.Session)
}

// endAll ends every session of a person, and all that their browsers have begun.
func (c change) endAll(userID string) error {
	if err := c.Exec("DELETE FROM sessions WHERE user_id = ?", userID).Error; err != nil {
		return err
	}
	return c.Exec("DELETE FROM ceremonies WHERE user_id = ?", userID).Error
}
