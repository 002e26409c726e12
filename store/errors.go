package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// translate turns a driver's error into a word of models, keeping the cause
// for the log. What it does not know stays internal.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, sql.ErrNoRows) {
		return models.ErrNotFound
	}
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%w: %w", models.ErrConflict, err)
	}
	// database/sql has no exported error for a closed database, and ends a transaction
	// itself once its context does.
	closed := strings.Contains(err.Error(), "sql: database is closed")
	if closed || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return err
	}
	if strings.HasPrefix(lite.Error(), "no such table") {
		// The file was cut or replaced under the running program.
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	switch lite.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", models.ErrBusy, err)
	case sqlite3.ErrReadonly, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrPerm, sqlite3.ErrNomem, sqlite3.ErrInterrupt:
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	return err
}
