package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/latchkey/latchkey/models"
)

const (
	insertTokens = "INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, epoch, created_at, expires_at) VALUES "
	insertValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	// insertRows is how many rows one statement inserts at most.
	insertRows = 64
)

// insertTexts are the statements by their number of rows.
var insertTexts = func() (texts [insertRows + 1]string) {
	for rows := range texts {
		texts[rows] = insertTokens + strings.TrimSuffix(strings.Repeat(insertValues+", ", rows), ", ")
	}
	return texts
}()

// InsertTokens stores 1 to 500 tokens issued at the token endpoint, all or none.
// They are durable when it returns.
func (s *Store) InsertTokens(ctx context.Context, tokens []models.Token) error {
	if err := s.engine.available(); err != nil {
		return err
	}
	defer s.engine.committed()
	return translate(s.engine.insertTokens(ctx, tokens))
}

// insertTokens goes past gorm, which prepares a statement anew in each transaction, and
// few rows are one statement and no transaction around it: each call into the driver has
// to wait for its turn among the requests.
func (l *sqliteEngine) insertTokens(ctx context.Context, tokens []models.Token) error {
	db, err := l.writes.DB()
	if err != nil {
		return err
	}
	statements, err := l.insertStatements(ctx, db, len(tokens))
	if err != nil {
		return err
	}
	if len(statements) == 1 {
		_, err := statements[0].ExecContext(ctx, insertArgs(tokens)...)
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for part := range slices.Chunk(tokens, insertRows) {
		if _, err := tx.StmtContext(ctx, statements[0]).ExecContext(ctx, insertArgs(part)...); err != nil { //nolint:sqlclosecheck // closed with tx
			return err
		}
		statements = statements[1:]
	}
	return tx.Commit()
}

// insertStatements returns one for each chunk of so many rows. A transaction would hold
// the only connection while they are prepared.
func (l *sqliteEngine) insertStatements(ctx context.Context, db *sql.DB, rows int) ([]*sql.Stmt, error) {
	var statements []*sql.Stmt
	for ; rows > 0; rows -= insertRows {
		statement, err := l.inserts.prepared(ctx, db, insertTexts[min(rows, insertRows)]) //nolint:sqlclosecheck // kept until the handle closes
		if err != nil {
			return nil, err
		}
		statements = append(statements, statement)
	}
	return statements, nil
}

func insertArgs(tokens []models.Token) []any {
	args := make([]any, 0, len(tokens)*strings.Count(insertValues, "?"))
	for _, t := range tokens {
		args = append(args, t.ID, t.ApplicationID, t.TeamID, string(t.Kind), t.Hash, t.Last4, t.Scopes, t.Epoch, int64(t.CreatedAt), int64(t.ExpiresAt))
	}
	return args
}
