// Package store is the one room with a database in it. Every read and every
// change names the team in its condition, so what belongs to another team is
// simply not found. The exceptions say so in their names or comments: a token by
// its hash, a client by its ID, a user by email, and sessions, where the
// credential is the proof.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Store reads and writes the database. It is safe for concurrent use.
type Store struct {
	// reads cannot write where that can be had (SQLite).
	reads *gorm.DB
	// writes is reached through write and touch, which take turns, and as it is by
	// InsertTokens, Migrate and the engine.
	writes *gorm.DB
	turn   chan struct{}
	engine engine
	sql    dialect
	now    func() models.Time
	totals totals
	// attention is what the lists warn of.
	attention attention

	// subscribing guards subscribers, which is never changed in place: on PostgreSQL other
	// nodes are heard from the beginning.
	subscribing sync.Mutex
	subscribers []func(models.Notice)
}

// engine is what differs between SQLite and PostgreSQL, besides the words of dialect.
type engine interface {
	// available returns models.ErrUnavailable where nothing may be read or written.
	available() error
	// present is available after a look.
	present() error
	// query runs one that goes past gorm.
	query(ctx context.Context, text string, args []any) (*sql.Rows, error)
	// transact runs fn in a transaction that has an order with all others, once or, where
	// the database asks for it, several times.
	transact(ctx context.Context, fn func(tx *gorm.DB) error) error
	// add is transact for what needs no order.
	add(ctx context.Context, fn func(tx *gorm.DB) error) error
	insertTokens(ctx context.Context, tokens []models.Token) error
	// carry sends other nodes, once the transaction is committed, what their caches must forget.
	carry(tx *gorm.DB, teams []string, notices []models.Notice) error
	// tell and hear are Store.Tell and Store.Hear.
	tell(ctx context.Context, text string) error
	hear(hear func(text string))
	// committed is told after each commit.
	committed()
	foreignVersion(ctx context.Context) (int64, error)
	shrink(ctx context.Context) (done bool, err error)
	space(ctx context.Context) (Space, error)
	// migrating runs fn while no other process migrates.
	migrating(ctx context.Context, fn func(db *sql.DB) error) error
	alone(ctx context.Context, job string, do func(ctx context.Context) error) (ran bool, err error)
	close() error
}

// Options are what PostgreSQL takes besides its address.
type Options struct {
	// Direct is the address without a pooler; empty where the first one is.
	Direct string
}

// Open opens the database: a SQLite file, which is created (0600) where it is missing,
// or a PostgreSQL database by its postgres:// address. It never migrates; see Migrate.
// now is the clock of every time that the store sets.
func Open(address string, now func() models.Time, options ...Options) (*Store, error) {
	s := &Store{now: now}
	open := func() error { return s.openSQLite(address) }
	if IsPostgres(address) {
		open = func() error { return s.openPostgres(address, slices.Concat(options, []Options{{}})[0]) }
	}
	if err := open(); err != nil {
		return nil, err
	}
	return s, nil
}

// Migrate hands a connection that may write to run, which brings the tables up to date,
// one process at a time, and then chains the audit events of an older database.
func (s *Store) Migrate(ctx context.Context, run func(context.Context, *sql.DB) (int, error)) (applied int, err error) {
	err = s.engine.migrating(ctx, func(db *sql.DB) error {
		var err error
		applied, err = run(ctx, db)
		return err
	})
	if err != nil {
		return applied, err
	}
	return applied, translate(s.chainEarlier(ctx))
}

// Close closes all connections. What still runs on one of them goes on.
func (s *Store) Close() error { return s.engine.close() }

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
