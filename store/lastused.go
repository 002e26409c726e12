package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

var usedCredential = map[models.CredentialKind]string{
	models.CredentialSecret:         "UPDATE client_secrets SET last_used_at = ? WHERE id = ? AND last_used_at < ?",
	models.CredentialKey:            "UPDATE client_keys SET last_used_at = ? WHERE id = ? AND last_used_at < ?",
	models.CredentialResourceServer: "UPDATE resource_servers SET last_used_at = ? WHERE id = ? AND last_used_at < ?",
}

// SaveLastUsed writes when tokens and credentials were last used. A time never
// moves back.
func (s *Store) SaveLastUsed(ctx context.Context, tokens []models.TokenUse, credentials []models.CredentialUse) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		applications := map[string]models.Time{}
		for _, use := range tokens {
			applications[use.ApplicationID] = max(applications[use.ApplicationID], use.At)
			err := tx.Exec("UPDATE tokens SET last_used_at = ?, last_used_from = ? WHERE id = ? AND last_used_at < ?", use.At, use.From, use.TokenID, use.At).Error
			if err != nil {
				return err
			}
		}
		for _, use := range credentials {
			if use.ApplicationID != "" {
				applications[use.ApplicationID] = max(applications[use.ApplicationID], use.At)
			}
			if err := tx.Exec(usedCredential[use.Kind], use.At, use.ID, use.At).Error; err != nil {
				return err
			}
		}
		for id, at := range applications {
			if err := tx.Exec("UPDATE applications SET last_used_at = ? WHERE id = ? AND last_used_at < ?", at, id, at).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
