package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"

	"github.com/latchkey/latchkey/models"
)

const (
	insertTokens = "INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, epoch, created_at, expires_at) VALUES "
	insertValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// insertSizes are how many rows one statement inserts: a few prepared ones serve
// batches of every size.
var insertSizes = []int{64, 8, 1}

// inserts holds the prepared statements of InsertTokens by their size.
type inserts struct {
	// mu guards statements.
	mu         sync.Mutex
	statements map[int]*sql.Stmt
}

func (i *inserts) prepared(ctx context.Context, db *sql.DB, size int) (*sql.Stmt, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if statement := i.statements[size]; statement != nil {
		return statement, nil
	}
	statement, err := db.PrepareContext(ctx, insertText(size)) //nolint:sqlclosecheck // kept until the handle closes
	if err == nil {
		i.statements[size] = statement
	}
	return statement, err
}

func insertText(rows int) string {
	return insertTokens + strings.TrimSuffix(strings.Repeat(insertValues+", ", rows), ", ")
}

// InsertTokens stores 1 to 500 tokens issued at the token endpoint, all or none.
// They are durable when it returns. It goes past gorm, which prepares a statement
// anew in each transaction: a batch takes half the time.
func (s *Store) InsertTokens(ctx context.Context, tokens []models.Token) error {
	db, err := s.writes.DB()
	if err != nil {
		return err
	}
	// Outside the transaction, which will hold the only connection.
	var statements []*sql.Stmt
	for _, part := range parts(tokens) {
		statement, err := s.inserts.prepared(ctx, db, len(part)) //nolint:sqlclosecheck // shared, see prepared
		if err != nil {
			return translate(err)
		}
		statements = append(statements, statement)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return translate(err)
	}
	defer tx.Rollback()
	for i, part := range parts(tokens) {
		if _, err := tx.StmtContext(ctx, statements[i]).ExecContext(ctx, insertArgs(part)...); err != nil { //nolint:sqlclosecheck // closed with tx
			return translate(err)
		}
	}
	return translate(tx.Commit())
}

// parts cuts tokens into pieces that there are statements for.
func parts(tokens []models.Token) [][]models.Token {
	var pieces [][]models.Token
	for len(tokens) > 0 {
		size := insertSizes[slices.IndexFunc(insertSizes, func(n int) bool { return n <= len(tokens) })]
		pieces = append(pieces, tokens[:size])
		tokens = tokens[size:]
	}
	return pieces
}

func insertArgs(tokens []models.Token) []any {
	args := make([]any, 0, len(tokens)*strings.Count(insertValues, "?"))
	for _, t := range tokens {
		args = append(args, t.ID, t.ApplicationID, t.TeamID, string(t.Kind), t.Hash, t.Last4, t.Scopes, t.Epoch, int64(t.CreatedAt), int64(t.ExpiresAt))
	}
	return args
}
