package main

import (
	"context"
	"errors"
	"time"
)

// expiredRows is how many rows expire for each second of a measurement: more than
// are purged in it.
const expiredRows = 20_000

// toExpire is how many rows expireSome takes in all.
func (l *lab) toExpire() int64 {
	rows := int64(0)
	for _, s := range stages(l.options) {
		if s.purging {
			rows += int64(len(s.endpoints) * l.rounds * expiredRows * (l.seconds + 1))
		}
	}
	return rows
}

// loadCalm measures the product where nothing is left to purge.
func (l *lab) loadCalm(ctx context.Context, e endpoint, connections int) (measured, error) {
	err := l.whileStopped(ctx, func(l *lab, ctx context.Context) error {
		_, err := l.cli(ctx, "", "purge", "--hurry")
		return err
	})
	if err != nil {
		return measured{}, err
	}
	return l.load(ctx, l.web, e, connections, l.seconds)
}

// expireSome makes the next of the filled rows as old as if nobody had needed
// them for years. The server purges from its start on.
func (l *lab) expireSome(ctx context.Context) (err error) {
	rows := int64(expiredRows * (l.seconds + 1))
	l.expired = span{l.filled.first, l.filled.first + rows - 1}
	l.filled.first += rows
	db, err := l.database("rw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), syncFile(l.path(databaseFile))) }()
	const years = 3 * 365 * 24 * time.Hour
	_, err = db.ExecContext(ctx, `UPDATE tokens SET created_at = created_at - ?1, expires_at = expires_at - ?1, last_used_at = last_used_at - ?1
		WHERE rowid BETWEEN ?2 AND ?3`, years.Milliseconds(), l.expired.first, l.expired.last)
	return err
}

// checkPurged counts the expired rows that are gone, and wants the purge to have
// gone on to the end of the measurement.
func (l *lab) checkPurged(ctx context.Context) (int64, error) {
	all := l.expired.last - l.expired.first + 1
	left, err := l.number(ctx, "SELECT COUNT(*) FROM tokens WHERE rowid BETWEEN ? AND ?", l.expired.first, l.expired.last)
	switch {
	case err != nil:
		return 0, err
	case left == all:
		return 0, errors.New("nothing was purged beside the load")
	case left == 0:
		return 0, errors.New("the purge was done before the load ended: let more rows expire")
	}
	return all - left, nil
}
