package store

import (
	"context"
	"errors"
	"os"
	"strconv"
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

func (l *sqliteEngine) shrink(ctx context.Context) (done bool, err error) {
	space, err := l.space(ctx)
	if err != nil {
		return false, err
	}
	extra := space.FreePages - space.Pages/spareParts
	if extra < shrinkPages || !space.Shrinks {
		return true, l.cutWAL(ctx, space)
	}
	// The pragma returns a row for each page it frees.
	rows, err := l.writes.WithContext(ctx).Raw("PRAGMA incremental_vacuum(1000)").Rows()
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
func (l *sqliteEngine) cutWAL(ctx context.Context, space Space) error {
	if space.WALBytes < longWAL {
		return nil
	}
	conn, err := connectionOf(ctx, l.writes)
	if err != nil {
		return err
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

func (l *sqliteEngine) space(ctx context.Context) (Space, error) {
	var row struct{ Pages, Free, Size, Vacuum int64 }
	err := l.reads.WithContext(ctx).Raw(`SELECT page_count AS pages, freelist_count AS free, page_size AS size, auto_vacuum AS vacuum
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size, pragma_auto_vacuum`).Scan(&row).Error
	if err != nil {
		return Space{}, translate(err)
	}
	space := Space{Pages: row.Pages, FreePages: row.Free, PageSize: row.Size, Shrinks: row.Vacuum == 2, InFile: true}
	if info, err := os.Stat(l.path + "-wal"); err == nil {
		space.WALBytes = info.Size()
	}
	return space, nil
}
