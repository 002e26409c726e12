package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// Factors is what a person can prove themselves by beside a password.
func (s *Store) Factors(ctx context.Context, userID string) (models.Factors, error) {
	var factors models.Factors
	var apps []models.Authenticator
	if err := s.read(ctx).Where("user_id = ?", userID).Find(&apps).Error; err != nil {
		return factors, translate(err)
	}
	if len(apps) > 0 {
		factors.Authenticator = &apps[0]
	}
	if err := s.read(ctx).Where("user_id = ?", userID).Order("created_at, id").Find(&factors.Passkeys).Error; err != nil {
		return factors, translate(err)
	}
	err := s.one(ctx, "SELECT COUNT(*), COUNT(*) FILTER (WHERE used_at = 0) FROM recovery_codes WHERE user_id = (SELECT ?)", []any{userID}, &factors.Codes, &factors.CodesLeft)
	return factors, err
}

// AddAuthenticator gives the actor an authenticator app, in place of the one before. codes
// are hashes of recovery codes, which come with the first factor and with no other:
// where there are some already it returns models.ErrConflict. All other sessions end
// but the one that keep names.
func (s *Store) AddAuthenticator(ctx context.Context, actor models.Actor, app models.Authenticator, codes []string, keep []byte) error {
	return s.write(ctx, actor, models.AuditSecondFactorAdded, func(c change) error {
		app.UserID, app.CreatedAt = actor.UserID, c.now
		if err := c.sealedOpen(app.Sealed); err != nil {
			return err
		}
		c.event.Detail = "Authenticator app"
		replaced := c.Exec("DELETE FROM authenticators WHERE user_id = ?", actor.UserID)
		if replaced.Error != nil {
			return replaced.Error
		}
		if replaced.RowsAffected > 0 {
			c.event.Detail += ", in place of the one before"
		}
		if err := c.Create(&app).Error; err != nil {
			return err
		}
		return c.factorAdded(actor, codes, keep)
	})
}

// factorAdded is what follows from any new factor of the actor.
func (c change) factorAdded(actor models.Actor, codes []string, keep []byte) error {
	c.about("user", actor.UserID, actor.UserName)
	if len(codes) > 0 {
		var known int64
		if err := c.Model(&models.RecoveryCode{}).Where("user_id = ?", actor.UserID).Count(&known).Error; err != nil {
			return err
		}
		if known > 0 {
			return models.ErrConflict
		}
		if err := c.storeCodes(actor.UserID, codes); err != nil {
			return err
		}
	}
	return c.factorsChanged(actor.UserID, keep)
}

// factorsChanged keeps the mark on the user right and ends what was begun before: other
// sessions, and ceremonies that knew other factors.
func (c change) factorsChanged(userID string, keep []byte) error {
	err := c.Exec(`UPDATE users SET second_factor = EXISTS (SELECT 1 FROM authenticators WHERE user_id = users.id) OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = users.id)
		WHERE id = ?`, userID).Error
	if err != nil {
		return err
	}
	if err := c.Exec("DELETE FROM ceremonies WHERE user_id = ? AND kind IN ?", userID, models.FactorCeremonies).Error; err != nil {
		return err
	}
	return c.Exec("DELETE FROM sessions WHERE user_id = ? AND id_hash <> ?", userID, keep).Error
}

// Leaving is how a factor is taken away: Keep is the session that goes on, Required tells that
// everybody here needs a second factor.
type Leaving struct {
	Keep     []byte
	Required bool
}

// RemoveAuthenticator takes the actor's authenticator app away. For the last factor of
// somebody who needs one it returns models.FieldErrors (factor).
func (s *Store) RemoveAuthenticator(ctx context.Context, actor models.Actor, leaving Leaving) error {
	return s.write(ctx, actor, models.AuditSecondFactorRemoved, func(c change) error {
		c.event.Detail = "Authenticator app"
		if err := affected(c.Exec("DELETE FROM authenticators WHERE user_id = ?", actor.UserID), models.ErrNotFound); err != nil {
			return err
		}
		return c.factorRemoved(actor, leaving)
	})
}

func (c change) factorRemoved(actor models.Actor, leaving Leaving) error {
	c.about("user", actor.UserID, actor.UserName)
	if err := c.factorsChanged(actor.UserID, leaving.Keep); err != nil {
		return err
	}
	var user models.User
	if err := c.Where("id = ?", actor.UserID).Take(&user).Error; err != nil {
		return err
	}
	if ways, err := waysIn(c.DB, user.ID); err != nil {
		return err
	} else if ways == 0 {
		return models.FieldErrors{"factor": "This is your only way in. Set a password first."}
	}
	if user.SecondFactor {
		return nil
	}
	if leaving.Required {
		return models.FieldErrors{"factor": "Everybody here needs a second factor, and this is your last. Add another one first."}
	}
	var teams []string
	err := c.Raw(`SELECT t.name FROM teams t JOIN members m ON m.team_id = t.id WHERE m.user_id = ? AND t.requires_second_factor ORDER BY t.name LIMIT 1`,
		actor.UserID).Scan(&teams).Error
	if err != nil {
		return err
	}
	if len(teams) > 0 {
		return models.FieldErrors{"factor": "The team " + teams[0] + " requires a second factor, and this is your last. Add another one first."}
	}
	return c.Exec("DELETE FROM recovery_codes WHERE user_id = ?", actor.UserID).Error
}

// RemoveFactors takes all factors and recovery codes of another person away, after an
// operator has checked that it is them, and ends their sessions. A person without any gives
// models.ErrConflict, the operator's own account models.FieldErrors (user).
func (s *Store) RemoveFactors(ctx context.Context, actor models.Actor, userID string) error {
	return s.operate(ctx, actor, models.AuditSecondFactorReset, func(c change) error {
		user, err := c.otherUser(actor, userID)
		if err != nil {
			return err
		}
		if !user.SecondFactor {
			return models.ErrConflict
		}
		for _, table := range []string{"DELETE FROM authenticators WHERE user_id = ?", "DELETE FROM passkeys WHERE user_id = ?", "DELETE FROM recovery_codes WHERE user_id = ?"} {
			if err := c.Exec(table, userID).Error; err != nil {
				return err
			}
		}
		if err := c.factorsChanged(userID, []byte{}); err != nil {
			return err
		}
		return c.endAll(userID)
	})
}

// spend uses up what was shown beside the first proof. Somebody who has a second
// factor gets no session without one: a way in that forgot the gate ends here.
func (c change) spend(user models.User, proof models.Proof) error {
	used := proof.Factor
	switch used.Kind {
	case models.FactorAuthenticator:
		return affected(c.Exec("UPDATE authenticators SET last_step = ?, last_used_at = ? WHERE user_id = ? AND last_step < ?",
			used.Step, c.now, user.ID, used.Step), models.ErrNotFound)
	case models.FactorPasskey:
		return usePasskey(c.DB, user.ID, used.Passkey, c.now)
	case models.FactorRecoveryCode:
		var spent int64
		err := c.Model(&models.RecoveryCode{}).Where("user_id = ? AND number = ? AND hash = ? AND used_at > 0", user.ID, used.Code, used.CodeHash).Count(&spent).Error
		if err == nil && spent == 0 {
			err = models.ErrNotFound
		}
		return err
	}
	if user.SecondFactor || proof.Method == models.ByPasskey {
		return models.ErrForbidden
	}
	return nil
}
