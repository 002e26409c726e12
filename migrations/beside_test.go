package migrations_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/migrations"
)

// A program on a newer database runs where each migration that it does not know says so.
func TestOnANewerDatabase(t *testing.T) { onBoth(t, testOnANewerDatabase) }

func testOnANewerDatabase(t *testing.T, db *sql.DB) {
	t.Helper()
	var known int64
	if err := db.QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version").Scan(&known); err != nil {
		t.Fatal(err)
	}
	migrate := func(version, oldest int64) {
		t.Helper()
		execute(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)", version)
		execute(t, db, "INSERT INTO schema_compatibility (version, oldest) VALUES (%d, %d)", version, oldest)
	}
	migrate(known+1, known)
	migrate(known+2, known-1)
	if n, err := migrations.Run(t.Context(), db); n != 0 || err != nil {
		t.Errorf("beside two migrations that allow it: %d, %v", n, err)
	}
	migrate(known+3, known+1)
	var newer migrations.NewerError
	if _, err := migrations.Run(t.Context(), db); !errors.As(err, &newer) || newer.Oldest != known+1 || newer.Database != known+3 || newer.Program != known {
		t.Errorf("beside one that forbids it: %v", err)
	}
	if !strings.Contains(newer.Error(), "start the newer program") {
		t.Error(newer)
	}
	execute(t, db, "DELETE FROM schema_compatibility WHERE version = %d", known+3)
	if _, err := migrations.Run(t.Context(), db); !errors.As(err, &newer) || newer.Oldest != 0 {
		t.Errorf("beside one that says nothing: %v", err)
	}
}

// Programs that start at once on one file all start; each migration runs once.
func TestManyStartAtOnce(t *testing.T) {
	for range 5 {
		path := older(t)
		var all sync.WaitGroup
		var applied atomic.Int64
		begin := make(chan struct{})
		for range 4 {
			db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000&_txlock=immediate&_foreign_keys=on")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			all.Go(func() {
				<-begin
				n, err := migrations.Run(t.Context(), db)
				if err != nil {
					t.Error(err)
				}
				applied.Add(int64(n))
			})
		}
		close(begin)
		all.Wait()
		files, err := filepath.Glob("sqlite/*.sql")
		if err != nil || applied.Load() != int64(len(files)-1) {
			t.Errorf("%d migrations were applied, want %d, %v", applied.Load(), len(files)-1, err)
		}
	}
}
