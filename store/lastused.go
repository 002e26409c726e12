package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

var credentialTable = map[models.CredentialKind]string{
	models.CredentialSecret:         "client_secrets",
	models.CredentialKey:            "client_keys",
	models.CredentialResourceServer: "resource_servers",
}

// used is when a row was used last, and from where.
type used struct {
	id   string
	at   models.Time
	from string
}

// MarshalJSON is what setLastUsed reads.
func (u used) MarshalJSON() ([]byte, error) { return json.Marshal([...]any{u.id, int64(u.at), u.from}) }

// setLastUsed takes the rows in one order wherever it runs, so that nobody waits for
// somebody who waits for them.
func setLastUsed(d dialect, table, more string) string {
	return "UPDATE " + table + " SET last_used_at = u.at" + more + ` FROM (SELECT t.id AS row_id, CAST(j.value->>1 AS BIGINT) AS at, j.value->>2 AS origin
		FROM ` + d.elements() + d.crossJoin() + table + ` t ON t.id = j.value->>0 AND t.last_used_at < CAST(j.value->>1 AS BIGINT)
		ORDER BY t.id` + d.locking("t") + ") AS u WHERE " + table + ".id = u.row_id AND " + table + ".last_used_at < u.at"
}

// SaveLastUsed writes when tokens and credentials were last used. A time never
// moves back.
func (s *Store) SaveLastUsed(ctx context.Context, tokens []models.TokenUse, credentials []models.CredentialUse) error {
	var ofTokens []used
	ofCredentials, newest := map[string][]used{}, map[string]models.Time{}
	for _, use := range tokens {
		ofTokens = append(ofTokens, used{use.TokenID, use.At, use.From})
		newest[use.ApplicationID] = max(newest[use.ApplicationID], use.At)
	}
	for _, use := range credentials {
		table := credentialTable[use.Kind]
		ofCredentials[table] = append(ofCredentials[table], used{id: use.ID, at: use.At})
		if use.ApplicationID != "" {
			newest[use.ApplicationID] = max(newest[use.ApplicationID], use.At)
		}
	}
	var ofApplications []used
	for id, at := range newest {
		ofApplications = append(ofApplications, used{id: id, at: at})
	}
	return s.count(ctx, func(tx *gorm.DB) error {
		if err := saveUses(tx, "tokens", ", last_used_from = u.origin", ofTokens); err != nil {
			return err
		}
		for _, table := range slices.Sorted(maps.Keys(ofCredentials)) {
			if err := saveUses(tx, table, "", ofCredentials[table]); err != nil {
				return err
			}
		}
		return saveUses(tx, "applications", "", ofApplications)
	})
}

func saveUses(tx *gorm.DB, table, more string, uses []used) error {
	if len(uses) == 0 {
		return nil
	}
	rows, err := json.Marshal(uses)
	if err != nil {
		return err
	}
	return tx.Exec(setLastUsed(dialectOf(tx), table, more), string(rows)).Error
}
