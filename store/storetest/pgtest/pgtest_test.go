package pgtest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// files are new to the server, whichever tests it has seen.
func files() fstest.MapFS {
	return fstest.MapFS{"0001_init.sql": {Data: []byte("CREATE TABLE things (name TEXT); -- " + uuid.NewString())}}
}

func apply(files fstest.MapFS, times *atomic.Int32) func(ctx context.Context, url string) error {
	return func(ctx context.Context, url string) error {
		times.Add(1)
		db, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, string(files["0001_init.sql"].Data))
		return err // the connection stays open, as one of a pool may
	}
}

func TestDatabasesAreMigratedOnceAndApart(t *testing.T) {
	files, times := files(), atomic.Int32{}
	removeTemplate(t, files)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			db := connect(t, Database(t, files, apply(files, &times)))
			if _, err := db.Exec(t.Context(), "INSERT INTO things VALUES ('mine')"); err != nil {
				t.Error(err)
			}
			var n int
			if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM things").Scan(&n); err != nil || n != 1 {
				t.Errorf("%d things, %v", n, err)
			}
		})
	}
	group.Wait()
	if times.Load() != 1 {
		t.Errorf("migrated %d times", times.Load())
	}
}

// A migration that failed leaves nothing that a later one would take for whole.
func TestFailedMigrationIsDoneAgain(t *testing.T) {
	files, times := files(), atomic.Int32{}
	removeTemplate(t, files)
	failing := &fatal{TB: t}
	func() {
		defer func() { _ = recover() }()
		Database(failing, files, func(ctx context.Context, url string) error {
			return errors.Join(apply(files, &times)(ctx, url), errors.New("broken"))
		})
	}()
	if !failing.failed {
		t.Error("a failed migration fails no test")
	}
	db := connect(t, Database(t, files, apply(files, &times)))
	var n int
	if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM things").Scan(&n); err != nil || n != 0 || times.Load() != 2 {
		t.Errorf("%d things, migrated %d times, %v", n, times.Load(), err)
	}
}

func TestDatabaseEndsWithItsTest(t *testing.T) {
	var url string
	t.Run("test", func(t *testing.T) {
		url = Empty(t)
		connect(t, url) // one that is open is in nobody's way
	})
	if db, err := pgx.Connect(t.Context(), url); err == nil {
		_ = db.Close(t.Context())
		t.Error("the database of a test is there after it")
	}
}

// A server that is given outlives the tests.
func removeTemplate(t *testing.T, files fstest.MapFS) {
	t.Helper()
	name, err := templateName(files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(context.Background(), Server(t), "DROP DATABASE "+name); err != nil {
			t.Error(err)
		}
	})
}

type fatal struct {
	testing.TB
	failed bool
}

func (f *fatal) Fatalf(string, ...any) {
	f.failed = true
	panic("failed")
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
