package store

import (
	"context"
	"database/sql"

	"github.com/latchkey/latchkey/models"
)

// each scans the rows of a query that runs for every page or every call of an API.
// gorm would take the text and the fields apart anew each time, which is half of the
// work (docs/decisions/0005-hot-reads.md). In these queries a parameter that is
// compared with "=" stands as (SELECT ?) and a LIMIT as a number: SQLite plans a
// statement anew for each execution where its plan might depend on a value, and the
// driver makes it forget what the value was.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(row *sql.Rows) error) error {
	if err := s.file.err(); err != nil {
		return err
	}
	rows, err := s.reads.Statement.ConnPool.QueryContext(ctx, query, args...)
	if err != nil {
		return translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return translate(err)
		}
	}
	return translate(rows.Err())
}

// one is each for a query that finds one row at most: models.ErrNotFound where it
// finds none.
func (s *Store) one(ctx context.Context, query string, args []any, into ...any) error {
	found := false
	err := s.each(ctx, query, args, func(row *sql.Rows) error {
		found = true
		return row.Scan(into...)
	})
	if err == nil && !found {
		return models.ErrNotFound
	}
	return err
}
