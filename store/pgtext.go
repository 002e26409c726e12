package store

import (
	"context"
	"database/sql/driver"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/latchkey/latchkey/models"
)

// storable is a text as PostgreSQL can hold it: without NUL and what is no UTF-8. What
// browsers and programs say of themselves may be anything.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// storableEvent has an event hold what can be read again, so that its hash is over that.
func storableEvent(event *models.AuditEvent) {
	for _, text := range []*string{
		&event.ActorName, &event.Target, &event.TargetID, &event.Detail, &event.Changes, &event.Address, &event.UserAgent, &event.RequestID,
	} {
		*text = storable(*text)
	}
}

// storing connects so that every text parameter is storable. What nobody can have stored
// finds nothing.
type storing struct{ driver.Connector }

// Connect implements driver.Connector.
func (s storing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	inner, ok := conn.(*stdlib.Conn)
	if err != nil || !ok {
		return conn, err
	}
	return storingConn{inner}, nil
}

type storingConn struct{ *stdlib.Conn }

// CheckNamedValue implements driver.NamedValueChecker. A type's codec would come too late:
// the driver sends a string as it is.
func (c storingConn) CheckNamedValue(arg *driver.NamedValue) error {
	switch value := arg.Value.(type) {
	case string:
		arg.Value = storable(value)
	case driver.Valuer:
	default:
		if v := reflect.ValueOf(value); v.Kind() == reflect.String {
			arg.Value = storable(v.String())
		}
	}
	return c.Conn.CheckNamedValue(arg)
}
