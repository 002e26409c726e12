package store

import (
	"errors"
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

func (p purse) columns(t *testing.T, table string) []string {
	t.Helper()
	rows, err := p.reads.Raw("SELECT * FROM " + table + " WHERE 1 = 0").Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err := errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return columns
}

// What gorm writes of a model are the columns of its table, on either database.
func TestModelsFitTheTables(t *testing.T) {
	p := newPurse(t)
	for model, besides := range stored {
		stmt := &gorm.Statement{DB: p.reads}
		if err := stmt.Parse(model); err != nil {
			t.Fatal(err)
		}
		columns := p.columns(t, stmt.Schema.Table)
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
