package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

func (s *Store) clientKeys(ctx context.Context, team, appID string) ([]models.ClientKeyRow, error) {
	var rows []models.ClientKeyRow
	err := s.read(ctx).Raw(`SELECT k.*, COALESCE(u.name, '') AS created_by_name FROM client_keys k LEFT JOIN users u ON u.id = k.created_by
		WHERE k.application_id = ? AND k.team_id = ? ORDER BY k.created_at, k.id`, appID, team).Scan(&rows).Error
	return rows, translate(err)
}

// AddClientKey adds a public key to an application. It returns models.FieldErrors
// (key, name) where the application has the key or the name already, or
// models.MaxClientKeys keys. The same formKey again adds nothing.
func (s *Store) AddClientKey(ctx context.Context, actor models.Actor, appID string, key models.ClientKey, formKey string) error {
	return s.write(ctx, actor, models.AuditKeyAdded, func(c change) error {
		app, err := c.madeByTeam(actor.TeamID, appID)
		if err != nil {
			return err
		}
		earlier, err := c.once(actor.TeamID, formKey, key.ID)
		if err != nil {
			return err
		}
		if earlier != "" {
			return errNothingToDo
		}
		key.ApplicationID, key.TeamID, key.NameKey = appID, actor.TeamID, models.FoldName(key.Name)
		key.CreatedAt, key.CreatedBy = c.now, actor.UserID
		if err := c.checkKey(key); err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		c.event.Detail = key.Name + " (" + key.Description + "), thumbprint " + key.Thumbprint
		err = c.Create(&key).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return models.ErrConflict
		}
		return err
	})
}

func (c change) checkKey(key models.ClientKey) error {
	var keys []models.ClientKey
	if err := c.Where("application_id = ? AND team_id = ?", key.ApplicationID, key.TeamID).Find(&keys).Error; err != nil {
		return err
	}
	errs := models.FieldErrors{}
	if len(keys) >= models.MaxClientKeys {
		errs["key"] = "An application has five public keys at most. Remove one first."
	}
	for _, known := range keys {
		if known.Thumbprint == key.Thumbprint {
			errs["key"] = "The application has this key already, called " + known.Name + "."
		}
		if known.NameKey == key.NameKey {
			errs["name"] = "There is a key called " + known.Name + " already. Choose another name."
		}
	}
	return errs.OrNil()
}

// RemoveClientKey ends a public key of an application now and returns it as it was.
func (s *Store) RemoveClientKey(ctx context.Context, actor models.Actor, appID, id string) (models.ClientKey, error) {
	var key models.ClientKey
	err := s.write(ctx, actor, models.AuditKeyRemoved, func(c change) error {
		var err error
		key, err = c.removeKey(actor, appID, id)
		return err
	})
	return key, err
}

func (c change) removeKey(actor models.Actor, appID, id string) (models.ClientKey, error) {
	var key models.ClientKey
	app, err := c.application(actor.TeamID, appID)
	if err != nil {
		return key, err
	}
	if err := c.Where("id = ? AND application_id = ? AND team_id = ?", id, appID, actor.TeamID).Take(&key).Error; err != nil {
		return key, err
	}
	c.about("application", app.ID, app.Name)
	c.event.Detail = key.Name + " (" + key.Description + "), thumbprint " + key.Thumbprint
	return key, c.Exec("DELETE FROM client_keys WHERE id = ? AND application_id = ? AND team_id = ?", id, appID, actor.TeamID).Error
}
