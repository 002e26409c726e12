package store

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/latchkey/latchkey/models"
)

const (
	// spareParts is the share of the file, one in so many pages, that stays free
	// for what comes next.
	spareParts = 10
	// shrinkPages is how many pages one step gives back.
	shrinkPages = 1000
	// longWAL is the size from which the write-ahead log is cut to nothing.
	longWAL = 64 << 20
)

// Shrink gives some free space back to the disk and reports whether no more than
// a tenth of the file is free. A file of an earlier version keeps its size and
// uses its free space again.
func (s *Store) Shrink(ctx context.Context) (done bool, err error) {
	space, err := s.space(ctx)
	if err != nil {
		return false, err
	}
	extra := space.FreePages - space.Pages/spareParts
	if extra < shrinkPages || !space.Shrinks {
		return true, s.cutWAL(ctx, space)
	}
	// The pragma returns a row for each page it frees.
	rows, err := s.writes.WithContext(ctx).Raw("PRAGMA incremental_vacuum(1000)").Rows()
	if err != nil {
		return false, translate(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	return false, translate(rows.Err())
}

// cutWAL shortens a log that grew while readers held its checkpoints up. Nothing
// is written meanwhile, so it hardly waits for one that still reads.
func (s *Store) cutWAL(ctx context.Context, space Space) error {
	if space.WALBytes < longWAL {
		return nil
	}
	db, err := s.writes.DB()
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "PRAGMA busy_timeout = 50")
	if err == nil {
		// Its row is read: a statement left before its end lets nothing commit after it.
		var busy, log, checkpointed int
		err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &checkpointed)
	}
	_, back := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+strconv.Itoa(busyTimeout))
	return translate(errors.Join(err, back))
}

// Space is how much disk the database takes.
type Space struct {
	Pages, FreePages, PageSize int64
	// WALBytes is the size of the write-ahead log.
	WALBytes int64
	// Shrinks tells whether free space can be given back.
	Shrinks bool
}

// Bytes is the size of the file.
func (s Space) Bytes() int64 { return s.Pages * s.PageSize }

// FreeBytes is what of it is free to be used again.
func (s Space) FreeBytes() int64 { return s.FreePages * s.PageSize }

func (s *Store) space(ctx context.Context) (Space, error) {
	var row struct{ Pages, Free, Size, Vacuum int64 }
	err := s.read(ctx).Raw(`SELECT page_count AS pages, freelist_count AS free, page_size AS size, auto_vacuum AS vacuum
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size, pragma_auto_vacuum`).Scan(&row).Error
	if err != nil {
		return Space{}, translate(err)
	}
	space := Space{Pages: row.Pages, FreePages: row.Free, PageSize: row.Size, Shrinks: row.Vacuum == 2}
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		space.WALBytes = info.Size()
	}
	return space, nil
}

// Status counts what the database holds.
type Status struct {
	Space                                                              `gorm:"-"`
	Users, Teams, Applications, ResourceServers, Sessions, AuditEvents int64
	// Assertions counts those that were used and are still remembered.
	Assertions int64

	Tokens []TokenCount `gorm:"-"`
}

// TokenCount counts the tokens of one kind by what they are now.
type TokenCount struct {
	Kind                     models.TokenKind
	Active, Expired, Revoked int64
}

// Overview is Status without what takes long where there are many rows: tokens, audit
// events and assertions.
func (s *Store) Overview(ctx context.Context) (Status, error) {
	var status Status
	space, err := s.space(ctx)
	if err != nil {
		return status, err
	}
	err = s.read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM users) AS users, (SELECT COUNT(*) FROM teams) AS teams,
		(SELECT COUNT(*) FROM applications WHERE deleted_at = 0) AS applications, (SELECT COUNT(*) FROM resource_servers) AS resource_servers,
		(SELECT COUNT(*) FROM sessions) AS sessions`).Scan(&status).Error
	status.Space = space
	return status, translate(err)
}

// Status reads the whole table of tokens: a second for each few million.
func (s *Store) Status(ctx context.Context) (Status, error) {
	status, err := s.Overview(ctx)
	if err != nil {
		return status, err
	}
	var long struct{ AuditEvents, Assertions int64 }
	err = s.read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM audit_events) AS audit_events,
		(SELECT COUNT(*) FROM client_assertions) AS assertions`).Scan(&long).Error
	if err != nil {
		return status, translate(err)
	}
	status.AuditEvents, status.Assertions = long.AuditEvents, long.Assertions
	status.Tokens, err = s.TokenCounts(ctx)
	return status, err
}

// TokenCounts reads the whole table of tokens.
func (s *Store) TokenCounts(ctx context.Context) ([]TokenCount, error) {
	var counts []TokenCount
	now := s.now()
	err := s.read(ctx).Raw(`SELECT t.kind, COUNT(*) FILTER (WHERE t.revoked_at <> 0 OR t.epoch < a.epoch) AS revoked,
		COUNT(*) FILTER (WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at <= ?) AS expired,
		COUNT(*) FILTER (WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?) AS active
		FROM tokens t JOIN applications a ON a.id = t.application_id GROUP BY t.kind ORDER BY t.kind`, now, now).Scan(&counts).Error
	return counts, translate(err)
}
