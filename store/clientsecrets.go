package store

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

func (c change) addSecret(actor models.Actor, appID string, secret models.ClientSecret) error {
	secret.ApplicationID, secret.TeamID = appID, actor.TeamID
	secret.CreatedAt, secret.CreatedBy, secret.ExpiresAt = c.now, actor.UserID, 0
	if err := c.sealedOpen(secret.Sealed); err != nil {
		return err
	}
	return c.Create(&secret).Error
}

// Rotation is a new client secret. Overlap is how long the one before goes on.
// Replaces is the ID of the secret that the member saw as the current one, empty
// where the caller does not mind; FormKey makes a form posted twice count once.
type Rotation struct {
	Secret   models.ClientSecret
	Overlap  time.Duration
	Replaces string
	FormKey  string
}

// RotateSecret makes a new secret the current one. One that was old already ends
// now. It returns models.ErrConflict where another secret than the one to be
// replaced has become the current one.
func (s *Store) RotateSecret(ctx context.Context, actor models.Actor, id string, rotation Rotation) error {
	return s.write(ctx, actor, models.AuditSecretRotated, func(c change) error { return c.rotateSecret(actor, id, rotation) })
}

func (c change) rotateSecret(actor models.Actor, id string, rotation Rotation) error {
	app, err := c.madeByTeam(actor.TeamID, id)
	if err != nil {
		return err
	}
	earlier, err := c.once(actor.TeamID, rotation.FormKey, app.ID)
	if err != nil {
		return err
	}
	if earlier != "" {
		return errNothingToDo
	}
	c.about("application", app.ID, app.Name)
	if err := c.checkCurrent(actor.TeamID, id, rotation.Replaces); err != nil {
		return err
	}
	c.event.Detail = "The old secret ended at once"
	if err := c.Exec("DELETE FROM client_secrets WHERE application_id = ? AND team_id = ? AND expires_at <> 0", id, actor.TeamID).Error; err != nil {
		return err
	}
	if rotation.Overlap > 0 {
		c.event.Detail = "The old secret goes on for " + models.FormatLifespan(int64(rotation.Overlap.Seconds()))
		err = c.Exec("UPDATE client_secrets SET expires_at = ? WHERE application_id = ? AND team_id = ?", c.now.Add(rotation.Overlap), id, actor.TeamID).Error
	} else {
		err = c.Exec("DELETE FROM client_secrets WHERE application_id = ? AND team_id = ?", id, actor.TeamID).Error
	}
	if err != nil {
		return err
	}
	return c.addSecret(actor, id, rotation.Secret)
}

func (c change) checkCurrent(team, appID, secretID string) error {
	if secretID == "" {
		return nil
	}
	var found int64
	err := c.Model(&models.ClientSecret{}).Where("id = ? AND application_id = ? AND team_id = ? AND expires_at = 0", secretID, appID, team).Count(&found).Error
	if err == nil && found == 0 {
		return models.ErrConflict
	}
	return err
}

// RetireSecret ends the old secret of an application now. Where there is none,
// nothing changes.
func (s *Store) RetireSecret(ctx context.Context, actor models.Actor, id string) error {
	return s.write(ctx, actor, models.AuditSecretRetired, func(c change) error { return c.retireSecret(actor, id) })
}

func (c change) retireSecret(actor models.Actor, id string) error {
	app, err := c.application(actor.TeamID, id)
	if err != nil {
		return err
	}
	c.about("application", app.ID, app.Name)
	return affected(c.Exec("DELETE FROM client_secrets WHERE application_id = ? AND team_id = ? AND expires_at <> 0", id, actor.TeamID), errNothingToDo)
}

// RevealSecret records that the current secret is shown and then returns it sealed.
func (s *Store) RevealSecret(ctx context.Context, actor models.Actor, id string) (models.ClientSecret, error) {
	var secret models.ClientSecret
	err := s.write(ctx, actor, models.AuditSecretShown, func(c change) error {
		secret = models.ClientSecret{}
		app, err := c.application(actor.TeamID, id)
		if err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		if err := c.Where("application_id = ? AND team_id = ? AND expires_at = 0", id, actor.TeamID).Take(&secret).Error; err != nil {
			return err
		}
		return c.saw(actor, models.SightedSecret, secret.ID, id)
	})
	return secret, err
}

// RemoveSecret ends every secret of an application now: it proves itself by its
// public keys from then on. Without a key it gives models.ErrConflict.
func (s *Store) RemoveSecret(ctx context.Context, actor models.Actor, id string) error {
	return s.write(ctx, actor, models.AuditSecretRemoved, func(c change) error {
		app, err := c.application(actor.TeamID, id)
		if err != nil {
			return err
		}
		var keys int64
		if err := c.Model(&models.ClientKey{}).Where("application_id = ? AND team_id = ?", id, actor.TeamID).Count(&keys).Error; err != nil {
			return err
		}
		if keys == 0 {
			return models.ErrConflict
		}
		c.about("application", app.ID, app.Name)
		return affected(c.Exec("DELETE FROM client_secrets WHERE application_id = ? AND team_id = ?", id, actor.TeamID), errNothingToDo)
	})
}
