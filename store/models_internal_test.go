package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// stored are the models whose rows gorm writes. What a table has besides is written and read
// by queries of their own.
var stored = map[any]string{
	&models.Application{}:    "",
	&models.AuditEvent{}:     "",
	&models.Authenticator{}:  "",
	&models.Ceremony{}:       "",
	&models.ClientKey{}:      "",
	&models.ClientSecret{}:   "",
	&models.Delivery{}:       "",
	&models.Identity{}:       "",
	&models.Invitation{}:     "",
	&models.LedgerEntry{}:    "seq",
	&models.Member{}:         "",
	&models.Passkey{}:        "",
	&models.Plan{}:           "",
	&models.RecoveryCode{}:   "",
	&models.ResourceServer{}: "",
	&models.Session{}:        "",
	&models.Team{}:           "",
	&models.Ticket{}:         "",
	&models.Token{}:          "",
	&models.User{}:           "",
	&models.Webhook{}:        "",
}

// What gorm writes of a model are the columns of its table, on either database.
func TestModelsFitTheTables(t *testing.T) {
	p := newPurse(t)
	for model, besides := range stored {
		stmt := &gorm.Statement{DB: p.reads}
		if err := stmt.Parse(model); err != nil {
			t.Fatal(err)
		}
		types, err := p.reads.Migrator().ColumnTypes(stmt.Schema.Table)
		if err != nil {
			t.Fatal(err)
		}
		columns := make([]string, len(types))
		for i, column := range types {
			columns[i] = column.Name()
		}
		name := reflect.TypeOf(model).Elem().Name()
		for _, column := range stmt.Schema.DBNames {
			if !slices.Contains(columns, column) {
				t.Errorf("%s has %s, its table %s has not", name, column, stmt.Schema.Table)
			}
		}
		for _, column := range columns {
			if !slices.Contains(stmt.Schema.DBNames, column) && !slices.Contains(strings.Fields(besides), column) {
				t.Errorf("%s has %s, which %s has not", stmt.Schema.Table, column, name)
			}
		}
	}
}
