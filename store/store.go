// Package store is the one room with a database in it. Every read and every
// change names the team in its condition, so what belongs to another team is
// simply not found. The exceptions say so in their names or comments: a token by
// its hash, a client by its ID, a user by email, and sessions, where the
// credential is the proof.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Store reads and writes the database. It is safe for concurrent use.
type Store struct {
	// reads cannot write.
	reads   *gorm.DB
	queries statements
	// writes is reached through write and touch, which take turns, and as it is by
	// InsertTokens, ForeignVersion, Shrink, Migrate and checkpoints.
	writes  *gorm.DB
	turn    chan struct{}
	now     func() models.Time
	path    string
	file    *presence
	inserts statements
	foreign foreign
	totals  totals
	// attention is what the lists warn of.
	attention attention

	checkpoints *checkpoints
	// subscribers is filled before the first change and only read afterwards.
	subscribers []func(models.Notice)
}

// Open opens the database at path, a SQLite file that is created (0600) where
// it is missing. It never migrates; see Migrate. now is the clock of every
// time that the store sets.
func Open(path string, now func() models.Time) (*Store, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	found, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking at the database: %w", err)
	}
	var handles []*gorm.DB
	for _, m := range []mode{forWriting, forReading, forCheckpoints} {
		handle, err := openSQLite(path, m)
		if err != nil {
			return nil, errors.Join(err, closeHandles(handles))
		}
		handles = append(handles, handle)
	}
	file, err := newPresence(path, found, handles)
	if err != nil {
		return nil, errors.Join(err, closeHandles(handles))
	}
	writer, err := handles[0].DB()
	if err != nil {
		return nil, errors.Join(err, closeHandles(handles))
	}
	checkpoints, err := newCheckpoints(path, handles[2], writer)
	if err != nil {
		return nil, errors.Join(err, closeHandles(handles))
	}
	return &Store{
		writes: handles[0], turn: make(chan struct{}, 1), reads: handles[1], checkpoints: checkpoints, now: now, path: path, file: file,
		inserts: newStatements(), queries: newStatements(),
	}, nil
}

func closeHandles(handles []*gorm.DB) error {
	var errs []error
	for _, handle := range handles {
		errs = append(errs, closeHandle(handle))
	}
	return errors.Join(errs...)
}

// Migrate hands the writing connection to run, which brings the tables up to date, and
// then chains the audit events of an older database.
func (s *Store) Migrate(ctx context.Context, run func(context.Context, *sql.DB) (int, error)) (int, error) {
	db, err := s.writes.DB()
	if err != nil {
		return 0, err
	}
	applied, err := run(ctx, db)
	if err != nil {
		return applied, err
	}
	return applied, translate(s.chainEarlier(ctx))
}

// Close closes all handles. What still runs on one of their connections goes on.
func (s *Store) Close() error {
	return errors.Join(s.checkpoints.close(), closeHandle(s.reads), closeHandle(s.writes), s.releaseFile())
}

// releaseFile leaves the file open where a connection still is: see checkpoints.
func (s *Store) releaseFile() error {
	for _, handle := range []*gorm.DB{s.reads, s.writes, s.checkpoints.db} {
		if db, err := handle.DB(); err != nil || db.Stats().OpenConnections > 0 {
			return err
		}
	}
	if err := s.checkpoints.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

func closeHandle(handle *gorm.DB) error {
	db, err := handle.DB()
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

func (s *Store) read(ctx context.Context) *gorm.DB { return s.reads.WithContext(ctx) }
