package store

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Client is an application as the token endpoint sees it.
type Client struct {
	models.Application
	// Suspended tells that the team may not use its tokens.
	Suspended bool
	Secrets   []models.ClientSecret
}

// ClientByID finds the application of a client ID with its good secrets. It takes
// no team: the secret that the caller compares is the proof. One query serves a
// client that exists and one that does not, so that time does not tell them apart.
func (s *Store) ClientByID(ctx context.Context, clientID string) (Client, error) {
	var rows []struct {
		models.Application `gorm:"embedded"`
		SuspendedAt        models.Time
		SecretID           string
		SecretHash         []byte
		SecretExpiresAt    models.Time
	}
	err := s.read(ctx).Raw(`SELECT a.*, t.suspended_at, s.id AS secret_id, s.hash AS secret_hash, s.expires_at AS secret_expires_at
		FROM applications a JOIN teams t ON t.id = a.team_id LEFT JOIN client_secrets s ON s.application_id = a.id
		WHERE a.client_id = ? AND a.deleted_at = 0`, clientID).Scan(&rows).Error
	if err != nil {
		return Client{}, translate(err)
	}
	if len(rows) == 0 {
		return Client{}, models.ErrNotFound
	}
	client := Client{Application: rows[0].Application, Suspended: !rows[0].SuspendedAt.IsZero()}
	now := s.now()
	for _, row := range rows {
		secret := models.ClientSecret{ID: row.SecretID, ApplicationID: row.ID, Hash: row.SecretHash, ExpiresAt: row.SecretExpiresAt}
		if secret.ID != "" && secret.Good(now) {
			client.Secrets = append(client.Secrets, secret)
		}
	}
	return client, nil
}

func (c change) addSecret(actor models.Actor, appID string, secret models.ClientSecret) error {
	secret.ApplicationID, secret.TeamID = appID, actor.TeamID
	secret.CreatedAt, secret.CreatedBy, secret.ExpiresAt = c.now, actor.UserID, 0
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
	return s.write(ctx, actor, models.AuditSecretRotated, func(c change) error {
		app, err := c.application(actor.TeamID, id)
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
	})
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
	return s.write(ctx, actor, models.AuditSecretRetired, func(c change) error {
		app, err := c.application(actor.TeamID, id)
		if err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		return affected(c.Exec("DELETE FROM client_secrets WHERE application_id = ? AND team_id = ? AND expires_at <> 0", id, actor.TeamID), errNothingToDo)
	})
}

// RevealSecret records that the current secret is shown and then returns it sealed.
func (s *Store) RevealSecret(ctx context.Context, actor models.Actor, id string) (models.ClientSecret, error) {
	var secret models.ClientSecret
	err := s.write(ctx, actor, models.AuditSecretShown, func(c change) error {
		app, err := c.application(actor.TeamID, id)
		if err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		return c.Where("application_id = ? AND team_id = ? AND expires_at = 0", id, actor.TeamID).Take(&secret).Error
	})
	return secret, err
}
