package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// ClientByID finds the application or the resource server of a client ID with
// what it may prove itself by. It takes no team: the proof that the caller checks
// stands for it. The same queries serve a client that exists and one that does
// not, so that time does not tell them apart.
func (s *Store) ClientByID(ctx context.Context, clientID string) (models.Client, error) {
	client := models.Client{ClientID: clientID}
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
		return client, translate(err)
	}
	for _, row := range rows {
		client.Application, client.TeamSuspendedAt = row.Application, row.SuspendedAt
		if row.SecretID != "" {
			client.Secrets = append(client.Secrets, models.ClientSecret{ID: row.SecretID, ApplicationID: row.ID, Hash: row.SecretHash, ExpiresAt: row.SecretExpiresAt})
		}
	}
	err = s.read(ctx).Raw(`SELECT k.* FROM client_keys k JOIN applications a ON a.id = k.application_id
		WHERE a.client_id = ? AND a.deleted_at = 0 ORDER BY k.created_at, k.id`, clientID).Scan(&client.Keys).Error
	if err != nil {
		return client, translate(err)
	}
	err = s.read(ctx).Raw("SELECT * FROM resource_servers WHERE client_id = ?", clientID).Scan(&client.ResourceServer).Error
	if err != nil {
		return client, translate(err)
	}
	if client.IsResourceServer() {
		client.Secrets = []models.ClientSecret{{ID: client.ResourceServer.ID, Hash: client.ResourceServer.Hash}}
	}
	if client.Application.ID == "" && !client.IsResourceServer() {
		return models.Client{}, models.ErrNotFound
	}
	return client, nil
}

// UseAssertion notes that a client assertion was used, by the SHA-256 of its ID,
// until it expires. One that was used before gives models.ErrConflict: of two at
// once, one wins.
func (s *Store) UseAssertion(ctx context.Context, appID string, idHash []byte, expires models.Time) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return affected(tx.Exec("INSERT INTO client_assertions (application_id, id_hash, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			appID, idHash, expires), models.ErrConflict)
	})
}
