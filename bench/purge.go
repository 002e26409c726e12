package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// purgeStart is more than a purge takes to open the database and find what is
// due: that is not measured.
const purgeStart = 500 * time.Millisecond

// expireSome makes the next tenth of the filled rows as old as if nobody had
// needed them for years. The server runs meanwhile: at its start it would begin
// to purge them by itself, also beside bare echo.
func (l *lab) expireSome(ctx context.Context) (err error) {
	rows := l.rows / 10
	l.expired.first = max(l.filled.first, l.expired.last+1)
	l.expired.last = l.expired.first + rows - 1
	if l.filled.first == 0 || l.expired.last > l.filled.last {
		return errors.New("too few rows were filled in to let some expire")
	}
	l.say("letting %s tokens be long expired", thousands(rows))
	db, err := l.database("rw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), syncFile(l.path(databaseFile))) }()
	const (
		years = 3 * 365 * 24 * time.Hour
		few   = 10_000 // in one transaction, so that the server gets through
	)
	for first := l.expired.first; first <= l.expired.last; first += few {
		_, err = db.ExecContext(ctx, `UPDATE tokens SET created_at = created_at - ?1, expires_at = expires_at - ?1, last_used_at = last_used_at - ?1
			WHERE rowid BETWEEN ?2 AND ?3`, years.Milliseconds(), first, min(first+few-1, l.expired.last))
		if err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// purgeBeside runs "web purge" until stop is called. One that finds nothing more
// to purge is not started again: that would measure its start.
func (l *lab) purgeBeside(ctx context.Context) (stop func() error) {
	purging, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := l.cli(purging, "", "purge")
		if purging.Err() != nil {
			err = nil // ended from here
		}
		done <- err
	}()
	return func() error {
		end()
		return <-done
	}
}

// notePurged fails where nothing was purged and notes where nothing was left.
func (l *lab) notePurged(ctx context.Context, r *result) error {
	all := l.expired.last - l.expired.first + 1
	left, err := l.number(ctx, "SELECT COUNT(*) FROM tokens WHERE rowid BETWEEN ? AND ?", l.expired.first, l.expired.last)
	if err != nil {
		return err
	}
	if left == all {
		return errors.New("nothing was purged beside the load")
	}
	took := float64(len(r.rounds)) * (purgeStart.Seconds() + float64(l.seconds))
	text := fmt.Sprintf("%s: %s of %s expired rows were purged, %.0f a second", r.title, thousands(all-left), thousands(all), float64(all-left)/took)
	if left == 0 {
		text += ", which was done before the load ended: the row shows too little of it"
	}
	l.notes = append(l.notes, text+".")
	return nil
}
