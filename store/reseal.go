package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// sealPrefix is how many bytes of a sealed value say by which key it was sealed.
const sealPrefix = 5

// sealedColumn is a column of sealed values. They are those of all teams: a key is the
// installation's.
type sealedColumn struct {
	table string
	// list has the parameters prefix, ID to start after, and limit.
	list string
	// replace has the new value, the ID and the old value. Who changed the value meanwhile wins.
	replace string
	count   string
}

// sealedColumns are all of them; each is called sealed. The check of the key file comes first, so that a file
// from before a rotation does not start any more once values need the new one.
var sealedColumns = []sealedColumn{
	{
		"key_checks", "SELECT id, sealed FROM key_checks WHERE substr(sealed, 1, 5) = ? AND id > ? ORDER BY id LIMIT ?",
		"UPDATE key_checks SET sealed = ? WHERE id = ? AND sealed = ?", "SELECT COUNT(*) FROM key_checks WHERE substr(sealed, 1, 5) = ?",
	},
	{
		"authenticators", "SELECT user_id AS id, sealed FROM authenticators WHERE substr(sealed, 1, 5) = ? AND user_id > ? ORDER BY user_id LIMIT ?",
		"UPDATE authenticators SET sealed = ? WHERE user_id = ? AND sealed = ?", "SELECT COUNT(*) FROM authenticators WHERE substr(sealed, 1, 5) = ?",
	},
	{
		"webhooks", "SELECT team_id AS id, sealed FROM webhooks WHERE substr(sealed, 1, 5) = ? AND team_id > ? ORDER BY team_id LIMIT ?",
		"UPDATE webhooks SET sealed = ? WHERE team_id = ? AND sealed = ?", "SELECT COUNT(*) FROM webhooks WHERE substr(sealed, 1, 5) = ?",
	},
	{
		"invitations", "SELECT id, sealed FROM invitations WHERE substr(sealed, 1, 5) = ? AND id > ? ORDER BY id LIMIT ?",
		"UPDATE invitations SET sealed = ? WHERE id = ? AND sealed = ?", "SELECT COUNT(*) FROM invitations WHERE substr(sealed, 1, 5) = ?",
	},
	{
		"client_secrets", "SELECT id, sealed FROM client_secrets WHERE substr(sealed, 1, 5) = ? AND id > ? ORDER BY id LIMIT ?",
		"UPDATE client_secrets SET sealed = ? WHERE id = ? AND sealed = ?", "SELECT COUNT(*) FROM client_secrets WHERE substr(sealed, 1, 5) = ?",
	},
	{
		"acme_state", "SELECT name AS id, sealed FROM acme_state WHERE substr(sealed, 1, 5) = ? AND name > ? ORDER BY name LIMIT ?",
		"UPDATE acme_state SET sealed = ? WHERE name = ? AND sealed = ?", "SELECT COUNT(*) FROM acme_state WHERE substr(sealed, 1, 5) = ?",
	},
	{
		// The index tokens_by_key wants this condition.
		"tokens", "SELECT id, sealed FROM tokens WHERE sealed IS NOT NULL AND substr(sealed, 1, 5) = ? AND id > ? ORDER BY id LIMIT ?",
		"UPDATE tokens SET sealed = ? WHERE id = ? AND sealed = ?", "SELECT COUNT(*) FROM tokens WHERE sealed IS NOT NULL AND substr(sealed, 1, 5) = ?",
	},
}

var (
	// sealingCeremonies have sealed values in their data, for minutes.
	sealingCeremonies = []models.CeremonyKind{models.CeremonyAuthenticator, models.CeremonyProvider}
	// linkCeremonies are found by a code in a link and not by a cookie.
	linkCeremonies = []models.CeremonyKind{models.CeremonyReset, models.CeremonyEmail, models.CeremonySignUp}
)

// SealedTables names the tables with sealed values, in the order in which they are sealed anew.
func (s *Store) SealedTables() []string {
	var tables []string
	for _, column := range sealedColumns {
		tables = append(tables, column.table)
	}
	return tables
}

// SealedValues lists up to purgeRows values of a table that begin with prefix, by ID, those after an ID.
func (s *Store) SealedValues(ctx context.Context, table string, prefix []byte, after string) ([]models.SealedValue, error) {
	var values []models.SealedValue
	column, err := columnOf(table)
	if err == nil {
		err = s.read(ctx).Raw(column.list, prefix, after, purgeRows).Scan(&values).Error
	}
	return values, translate(err)
}

// SealedByOthers counts the values of all tables that begin with none of the prefixes.
func (s *Store) SealedByOthers(ctx context.Context, prefixes [][]byte) (int64, error) {
	condition, args := "length(sealed) > 0", []any{} // what ACME has claimed is empty
	for _, prefix := range prefixes {
		condition += " AND substr(sealed, 1, 5) <> ?"
		args = append(args, prefix)
	}
	total := int64(0)
	for _, column := range sealedColumns {
		var count int64
		if err := s.read(ctx).Raw("SELECT COUNT(*) FROM "+column.table+" WHERE "+condition, args...).Scan(&count).Error; err != nil {
			return 0, translate(err)
		}
		total += count
	}
	return total, nil
}

// Reseal replaces values by what they were sealed as anew, and returns how long it kept others from writing. A
// value that changed meanwhile is left as it is.
func (s *Store) Reseal(ctx context.Context, table string, values []models.SealedValue) error {
	column, err := columnOf(table)
	if err != nil {
		return err
	}
	return s.touch(ctx, func(tx *gorm.DB) error {
		for _, value := range values {
			if err := tx.Exec(column.replace, value.Anew, value.ID, value.Sealed).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func columnOf(table string) (sealedColumn, error) {
	for _, column := range sealedColumns {
		if column.table == table {
			return column, nil
		}
	}
	return sealedColumn{}, models.ErrNotFound
}
