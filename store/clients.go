package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// ClientByID finds the application or the resource server of a client ID with
// what it may prove itself by. It takes no team: the proof that the caller checks
// stands for it. The same queries serve a client that exists and one that does
// not, so that time does not tell them apart.
func (s *Store) ClientByID(ctx context.Context, clientID string) (models.Client, error) {
	client := models.Client{ClientID: clientID}
	for _, read := range []func(context.Context, *models.Client) error{s.readApplication, s.readClientKeys, s.readResourceServer} {
		if err := read(ctx, &client); err != nil {
			return client, err
		}
	}
	if client.Application.ID == "" && !client.IsResourceServer() {
		return models.Client{}, models.ErrNotFound
	}
	return client, nil
}

func (s *Store) readApplication(ctx context.Context, client *models.Client) error {
	const query = `SELECT a.id, a.team_id, a.type, a.name, a.client_id, a.lifespan, a.scopes, a.epoch, a.disabled_at, t.suspended_at,
		s.id, s.hash, s.expires_at
		FROM applications a JOIN teams t ON t.id = a.team_id LEFT JOIN client_secrets s ON s.application_id = a.id
		WHERE a.client_id = (SELECT ?) AND a.deleted_at = 0`
	return s.each(ctx, query, []any{client.ClientID}, func(row *sql.Rows) error {
		app := &client.Application
		var secretID sql.NullString
		var hash []byte
		var expires sql.NullInt64
		err := row.Scan(&app.ID, &app.TeamID, &app.Type, &app.Name, &app.ClientID, &app.Lifespan, &app.Scopes, &app.Epoch, &app.DisabledAt,
			&client.TeamSuspendedAt, &secretID, &hash, &expires)
		if secretID.Valid {
			client.Secrets = append(client.Secrets, models.ClientSecret{ID: secretID.String, ApplicationID: app.ID, Hash: hash, ExpiresAt: models.Time(expires.Int64)})
		}
		return err
	})
}

func (s *Store) readClientKeys(ctx context.Context, client *models.Client) error {
	const query = `SELECT k.id, k.application_id, k.jwk FROM client_keys k JOIN applications a ON a.id = k.application_id
		WHERE a.client_id = (SELECT ?) AND a.deleted_at = 0 ORDER BY k.created_at, k.id`
	return s.each(ctx, query, []any{client.ClientID}, func(row *sql.Rows) error {
		var key models.ClientKey
		err := row.Scan(&key.ID, &key.ApplicationID, &key.JWK)
		client.Keys = append(client.Keys, key)
		return err
	})
}

func (s *Store) readResourceServer(ctx context.Context, client *models.Client) error {
	api := &client.ResourceServer
	err := s.one(ctx, "SELECT id, name, client_id, hash FROM resource_servers WHERE client_id = (SELECT ?)", []any{client.ClientID},
		&api.ID, &api.Name, &api.ClientID, &api.Hash)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err == nil {
		client.Secrets = []models.ClientSecret{{ID: api.ID, Hash: api.Hash}}
	}
	return err
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
