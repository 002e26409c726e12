package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // a driver
	_ "github.com/mattn/go-sqlite3"    // the other

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// lab is one database on which everything is measured through the store.
type lab struct {
	options
	name     string
	progress io.Writer
	store    *store.Store
	// raw is the same database behind the store's back, with one connection.
	raw *sql.DB
	// ahead is how far the store's clock is before the real one, in milliseconds.
	ahead atomic.Int64
	began time.Time

	// big is the member of the team with most applications, huge the application with most tokens.
	big  models.Actor
	huge models.Application

	// filled counts the rows that were put in, issued those that were issued since.
	filled, issued int64
	// revokedAll is the place of the next application of which all tokens are revoked.
	revokedAll int
	results    []result
	sizes      []string
	notes      []string
	remove     func(ctx context.Context) error
}

func newLab(ctx context.Context, o options, name string, progress io.Writer) (*lab, error) {
	l := &lab{options: o, name: name, progress: progress, began: now()}
	open := l.openSQLite
	if name == onPostgres {
		open = l.openPostgres
	}
	if err := open(ctx); err != nil {
		return nil, errors.Join(err, l.close(context.WithoutCancel(ctx)))
	}
	if _, err := l.store.Migrate(ctx, migrations.Run); err != nil {
		return nil, errors.Join(err, l.close(context.WithoutCancel(ctx)))
	}
	if err := l.people(ctx); err != nil {
		return nil, errors.Join(err, l.close(context.WithoutCancel(ctx)))
	}
	return l, nil
}

func (l *lab) openSQLite(context.Context) error {
	folder, err := os.MkdirTemp(l.dir, "latchkey-large-")
	if err != nil {
		return err
	}
	l.remove = func(context.Context) error { return os.RemoveAll(folder) }
	path := filepath.Join(folder, "latchkey.db")
	if l.store, err = store.Open(path, l.now); err != nil { //nolint:contextcheck // Open takes none
		return err
	}
	place := url.URL{Scheme: "file", Opaque: path, RawQuery: "_busy_timeout=10000"}
	return l.openRaw("sqlite3", place.String())
}

func (l *lab) openRaw(driver, place string) (err error) {
	if l.raw, err = sql.Open(driver, place); err == nil {
		l.raw.SetMaxOpenConns(1)
	}
	return err
}

func (l *lab) openPostgres(ctx context.Context) error {
	server, err := url.Parse(l.server)
	if err != nil {
		return errors.New("LATCHKEY_TEST_POSTGRES is no URL") // the parser's words may hold the password
	}
	database := fmt.Sprintf("latchkey_large_%d", now().UnixNano())
	if err := l.onServer(ctx, "CREATE DATABASE "+database); err != nil {
		return err
	}
	l.remove = func(ctx context.Context) error { return l.onServer(ctx, "DROP DATABASE "+database+" WITH (FORCE)") }
	server.Path = "/" + database
	if l.store, err = store.Open(server.String(), l.now); err != nil { //nolint:contextcheck // Open takes none
		return err
	}
	return l.openRaw("pgx", server.String())
}

func (l *lab) onServer(ctx context.Context, statement string) (err error) {
	db, err := sql.Open("pgx", l.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// close removes everything.
func (l *lab) close(ctx context.Context) error {
	var err error
	if l.raw != nil {
		err = l.raw.Close()
	}
	if l.store != nil {
		err = errors.Join(err, l.store.Close())
	}
	if l.remove != nil {
		err = errors.Join(err, l.remove(ctx))
	}
	return err
}

// now is the clock of the store.
func (l *lab) now() models.Time { return models.Time(now().UnixMilli() + l.ahead.Load()) }

func (l *lab) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.progress, "%6.0f s  %s: %s\n", now().Sub(l.began).Seconds(), l.name, fmt.Sprintf(format, args...)) // progress alone
}

// size brings the table to so many rows and measures everything.
func (l *lab) size(ctx context.Context, rows int64) error {
	if err := l.fill(ctx, rows); err != nil {
		return err
	}
	l.sizes = append(l.sizes, thousands(rows))
	operations, err := l.operations(ctx)
	if err != nil {
		return err
	}
	l.say("measuring %d operations", len(operations))
	for _, o := range operations {
		if err := l.measure(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return l.measurePurge(ctx)
}
