package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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
		return translatePostgres(err)
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

// translatePostgres is translate for the codes of PostgreSQL, and for connections to it.
func translatePostgres(err error) error {
	var connecting *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		if strings.Contains(err.Error(), "conn closed") {
			return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
		}
		return err
	}
	switch failed.Code {
	case "40001", "40P01", "55P03": // in the way of another transaction, lock_timeout
		return fmt.Errorf("%w: %w", models.ErrBusy, err)
	case "25006", "42P01": // a server that only reads, tables that are gone
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	switch failed.Code[:2] {
	case "08", "25", "28", "3D", "53", "57", "58", "XX": // connection, time-outs, sign-in, database, resources, shutdown, I/O, damage
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	return err
}
