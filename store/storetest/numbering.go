package storetest

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// numbering connects to PostgreSQL for tests that write parameters as SQLite does.
type numbering struct{ url string }

// Connect implements driver.Connector.
func (n numbering) Connect(ctx context.Context) (driver.Conn, error) {
	connector, err := stdlib.GetDefaultDriver().(driver.DriverContext).OpenConnector(n.url)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return numberingConn{conn.(*stdlib.Conn)}, nil
}

// Driver implements driver.Connector.
func (n numbering) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

type numberingConn struct{ *stdlib.Conn }

// ExecContext implements driver.ExecerContext.
func (c numberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, numbered(query), args)
}

// QueryContext implements driver.QueryerContext.
func (c numberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, numbered(query), args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c numberingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, numbered(query))
}

func numbered(query string) string {
	var text strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			text.WriteString("$" + strconv.Itoa(i))
		}
		text.WriteString(part)
	}
	return text.String()
}
