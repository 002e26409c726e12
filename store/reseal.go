package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// sealPrefix is how many bytes of a sealed value say by which key it was sealed.
const sealPrefix = 5

// sealedColumn is a column of sealed values, called sealed. They are those of all teams: a key
// is the installation's.
type sealedColumn struct {
	table, id string
	// also is a condition that an index wants.
	also string
}

// sealedColumns are all of them. The check of the key file comes first, so that a file from
// before a rotation does not start any more once values need the new one.
var sealedColumns = []sealedColumn{
	{table: "key_checks", id: "id"},
	{table: "authenticators", id: "user_id"},
	{table: "webhooks", id: "team_id"},
	{table: "invitations", id: "id"},
	{table: "client_secrets", id: "id"},
	{table: "acme_state", id: "name"},
	{table: "tokens", id: "id", also: "sealed IS NOT NULL AND "}, // tokens_by_key
}

// from has the parameter prefix.
func (c sealedColumn) from() string {
	return " FROM " + c.table + " WHERE " + c.also + "substr(sealed, 1, 5) = ?"
}

// list has the parameters prefix, ID to start after, and limit.
func (c sealedColumn) list() string {
	return "SELECT " + c.id + " AS id, sealed" + c.from() + " AND " + c.id + " > ? ORDER BY " + c.id + " LIMIT ?"
}

func (c sealedColumn) count() string { return "SELECT COUNT(*)" + c.from() }

// replace has the new value, the ID and the old value. Who changed the value meanwhile wins.
func (c sealedColumn) replace() string {
	return "UPDATE " + c.table + " SET sealed = ? WHERE " + c.id + " = ? AND sealed = ?"
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
		err = s.read(ctx).Raw(column.list(), prefix, after, purgeRows).Scan(&values).Error
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

// Reseal replaces values by what they were sealed as anew. A value that changed meanwhile is
// left as it is.
func (s *Store) Reseal(ctx context.Context, table string, values []models.SealedValue) error {
	column, err := columnOf(table)
	if err != nil {
		return err
	}
	replace := column.replace()
	return s.touch(ctx, func(tx *gorm.DB) error {
		for _, value := range values {
			if err := tx.Exec(replace, value.Anew, value.ID, value.Sealed).Error; err != nil {
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
