package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// AddResourceServer lets an API ask about tokens of every team. A name that is
// taken gives models.FieldErrors (name).
func (s *Store) AddResourceServer(ctx context.Context, actor models.Actor, server models.ResourceServer) error {
	return s.operate(ctx, actor, models.AuditResourceServerAdded, func(c change) error {
		server.NameKey, server.CreatedAt = models.FoldName(server.Name), c.now
		c.about("resource server", server.ID, server.Name)
		err := c.Create(&server).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return models.FieldErrors{"name": "There is a resource server called " + server.Name + " already. Choose another name."}
		}
		return err
	})
}

// ResourceServers lists all of them by name, without their hashes.
func (s *Store) ResourceServers(ctx context.Context) ([]models.ResourceServer, error) {
	var servers []models.ResourceServer
	err := s.read(ctx).Omit("hash").Order("name_key").Find(&servers).Error
	return servers, translate(err)
}

// RemoveResourceServer ends a resource server now. A name that nobody has gives
// models.ErrNotFound.
func (s *Store) RemoveResourceServer(ctx context.Context, actor models.Actor, name string) error {
	return s.operate(ctx, actor, models.AuditResourceServerGone, func(c change) error {
		var server models.ResourceServer
		if err := c.Where("name_key = ?", models.FoldName(name)).Take(&server).Error; err != nil {
			return err
		}
		c.about("resource server", server.ID, server.Name)
		c.tell(models.Notice{ClientID: server.ClientID})
		return c.Exec("DELETE FROM resource_servers WHERE id = ?", server.ID).Error
	})
}

// ResourceServer finds one by its ID, without its hash.
func (s *Store) ResourceServer(ctx context.Context, id string) (models.ResourceServer, error) {
	var server models.ResourceServer
	err := s.read(ctx).Omit("hash").Where("id = ?", id).Take(&server).Error
	return server, translate(err)
}

// RotateResourceServer gives a resource server another secret. The one before ends now.
func (s *Store) RotateResourceServer(ctx context.Context, actor models.Actor, id string, hash []byte) error {
	return s.operate(ctx, actor, models.AuditResourceServerRotated, func(c change) error {
		var server models.ResourceServer
		if err := c.Where("id = ?", id).Take(&server).Error; err != nil {
			return err
		}
		c.about("resource server", server.ID, server.Name)
		c.tell(models.Notice{ClientID: server.ClientID})
		return c.Exec("UPDATE resource_servers SET hash = ? WHERE id = ?", hash, id).Error
	})
}
