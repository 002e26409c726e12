package storetest

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// numbering connects to PostgreSQL for tests that write parameters as SQLite takes them: ?
// for the next one, ?2 for the second. They are written into the text, so that PostgreSQL
// knows their types by their place.
type numbering struct{ url string }

// Connect implements driver.Connector.
func (n numbering) Connect(ctx context.Context) (driver.Conn, error) {
	config, err := pgx.ParseConfig(n.url)
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := stdlib.GetConnector(*config).Connect(ctx)
	if inner, ok := conn.(*stdlib.Conn); ok {
		return numberingConn{inner}, nil
	}
	return nil, err
}

// Driver implements driver.Connector.
func (n numbering) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

type numberingConn struct{ *stdlib.Conn }

// CheckNamedValue implements driver.NamedValueChecker: values of types of ours are numbers
// and texts.
func (c numberingConn) CheckNamedValue(arg *driver.NamedValue) (err error) {
	arg.Value, err = driver.DefaultParameterConverter.ConvertValue(arg.Value)
	return err
}

// ExecContext implements driver.ExecerContext.
func (c numberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	query, args = numbered(query, args)
	return c.Conn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c numberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	query, args = numbered(query, args)
	return c.Conn.QueryContext(ctx, query, args)
}

// numbered writes numbers into a query, whose types are then as in SQLite by how large they
// are, and names its other parameters. It leaves those that the query does not name, as
// PostgreSQL wants to be given no others.
func numbered(query string, args []driver.NamedValue) (string, []driver.NamedValue) {
	var text strings.Builder
	var used []driver.NamedValue
	places := map[int]string{}
	for i, part := range strings.Split(query, "?") {
		if i == 0 {
			text.WriteString(part)
			continue
		}
		rest := strings.TrimLeft(part, "0123456789")
		number, err := strconv.Atoi(part[:len(part)-len(rest)])
		if err != nil {
			number = i
		}
		if number > len(args) {
			text.WriteString("$" + strconv.Itoa(number) + rest) // PostgreSQL says that it is missing
			continue
		}
		switch value := args[number-1].Value.(type) {
		case int64:
			text.WriteString("(" + strconv.FormatInt(value, 10) + ")" + rest)
			continue
		case bool:
			text.WriteString(strconv.FormatBool(value) + rest)
			continue
		}
		if places[number] == "" {
			places[number] = "$" + strconv.Itoa(len(places)+1)
			used = append(used, driver.NamedValue{Ordinal: len(places), Value: args[number-1].Value})
		}
		text.WriteString(places[number] + rest)
	}
	return text.String(), used
}
