package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/latchkey/latchkey/models"
)

// ServerExamination is what ExamineServer found.
type ServerExamination struct {
	// Version is the newest migration that was applied, 0 for none, and KeyCheck the value
	// that tells whether a key file fits.
	Version  int64
	KeyCheck []byte
	// Number is the server's version: 150004 is 15.4.
	Number int
	// Risky are its settings that lose what was answered when it crashes.
	Risky []string
	// Superuser tells that the role may do everything, Standby that nothing can be written.
	Superuser, Standby bool
	// Now is the server's clock.
	Now models.Time
	// Pooled tells that a pooler stands before it which keeps back what belongs to a session.
	Pooled bool
	// Listens tells that a notice came back on the connection that sent it.
	Listens bool
}

const (
	// examineChannel is nobody's but of those who look.
	examineChannel = "latchkey_examination"
	noticeFor      = 2 * time.Second
)

// ExamineServer looks at the PostgreSQL database at address and changes nothing of it.
// No error holds the password.
func ExamineServer(ctx context.Context, address string) (ServerExamination, error) {
	var found ServerExamination
	conn, err := look(ctx, address)
	if err != nil {
		return found, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is left to lose
	if err := found.read(ctx, conn); err != nil {
		return found, fmt.Errorf("reading the database: %w", err)
	}
	found.Listens = hearsItself(ctx, conn)
	return found, nil
}

// look connects without wanting anything of a session, so that a pooler lets it through.
func look(ctx context.Context, address string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, badAddress(address)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database: %w", err)
	}
	return conn, nil
}

// HasTables tells whether a PostgreSQL database was ever migrated. No error holds the password.
func HasTables(ctx context.Context, address string) (made bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*connectFor)
	defer cancel()
	conn, err := look(ctx, address)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is left to lose
	err = conn.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&made)
	return made, err
}

func (e *ServerExamination) read(ctx context.Context, conn *pgx.Conn) error {
	var fsync, commits, pages string
	var now time.Time
	var migrated, keyed bool
	var pid uint32
	err := conn.QueryRow(ctx, `SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('fsync'), current_setting('synchronous_commit'),
		current_setting('full_page_writes'), pg_is_in_recovery(), clock_timestamp(), to_regclass('goose_db_version') IS NOT NULL, to_regclass('key_checks') IS NOT NULL,
		(SELECT rolsuper FROM pg_roles WHERE rolname = current_user), pg_backend_pid()`).
		Scan(&e.Number, &fsync, &commits, &pages, &e.Standby, &now, &migrated, &keyed, &e.Superuser, &pid)
	if err != nil {
		return err
	}
	e.Pooled = pid != conn.PgConn().PID()
	e.Now = models.At(now)
	for name, value := range map[string]string{"fsync": fsync, "synchronous_commit": commits, "full_page_writes": pages} {
		if value == "off" {
			e.Risky = append(e.Risky, name)
		}
	}
	if migrated {
		if err := conn.QueryRow(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&e.Version); err != nil {
			return err
		}
	}
	if !keyed {
		return nil
	}
	err = conn.QueryRow(ctx, "SELECT sealed FROM key_checks WHERE id = $1", KeyCheckID).Scan(&e.KeyCheck)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// hearsItself fails behind a pooler that gives each transaction another connection.
func hearsItself(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, noticeFor)
	defer cancel()
	if _, err := conn.Exec(ctx, "LISTEN "+examineChannel); err != nil {
		return false
	}
	if _, err := conn.Exec(ctx, "NOTIFY "+examineChannel); err != nil {
		return false
	}
	notice, err := conn.WaitForNotification(ctx)
	return err == nil && notice.Channel == examineChannel
}
