package store

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// stale tells that a statement which the driver remembers answers with other columns by
// now: a newer program has added some to a table beside this one. The driver remembers it
// no more after that.
func stale(err error) bool {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return false
	}
	// Behind a pooler the driver has asked for the columns alone, and their number differs.
	return failed.Routine == "RevalidateCachedQuery" || failed.Routine == "PortalSetResultFormat"
}

// QueryContext asks again, but not in the middle of a transaction: that runs again as a whole.
func (c storingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if stale(err) && c.Conn.Conn().PgConn().TxStatus() == 'I' {
		return c.Conn.QueryContext(ctx, query, args)
	}
	return rows, err
}
