package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/latchkey/latchkey/models"
)

// each scans the rows of a query that runs for every page or every call of an API.
// gorm would take the text and the fields apart anew each time, which is half of the
// work (docs/decisions/0005-hot-reads.md). In these queries a parameter that is
// compared with "=" stands as (SELECT ?) and a LIMIT as a number: SQLite plans a
// statement anew for each execution where its plan might depend on a value, and the
// driver makes it forget what the value was.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(row *sql.Rows) error) error {
	if err := s.engine.available(); err != nil {
		return err
	}
	rows, err := s.engine.query(ctx, query, args)
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

// statements holds those of one handle, prepared, by their text: for what goes past gorm.
// It is safe for concurrent use.
type statements struct {
	// mu guards byText.
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

func (s *statements) known(text string) *sql.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byText[text]
}

// prepared holds up nobody else while it prepares a statement: whoever asked for that may
// give up.
func (s *statements) prepared(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	if statement := s.known(text); statement != nil {
		return statement, nil
	}
	statement, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // kept until the handle closes
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byText[text] = statement
	return statement, nil
}

func newStatements() statements { return statements{byText: map[string]*sql.Stmt{}} }
