package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// backUp copies a database by another store, as a command does beside the server.
func backUp(t testing.TB, db *storetest.DB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	other, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Backup(t.Context(), path)
	if err := errors.Join(err, other.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// openCopy serves a copy.
func openCopy(t testing.TB, path string, now func() models.Time) *storetest.DB {
	t.Helper()
	s, err := store.Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	copied := &storetest.DB{Store: s, Path: path}
	copied.Until(now())
	return copied
}

// A backup beside a writer is of one moment: events, chains and tokens fit together.
func TestBackupWhileWriting(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Tokens(t, app, 20_000, models.Token{}) // several steps
	var enough atomic.Bool
	var writer sync.WaitGroup
	begun := make(chan struct{})
	writer.Go(func() {
		for n := 0; !enough.Load(); n++ {
			if err := db.AddResourceServer(t.Context(), models.CommandLine, resourceServer("API "+store.NewID())); err != nil {
				t.Error(err)
			}
			db.Tokens(t, app, 100, models.Token{})
			if n == 0 {
				close(begun)
			}
		}
	})
	<-begun
	var copies []string
	for range 5 {
		copies = append(copies, backUp(t, db))
	}
	enough.Store(true)
	writer.Wait()
	for _, path := range copies {
		contents, err := store.CheckFile(t.Context(), path)
		if err != nil || contents.Tokens < 20_000 || contents.Applications != 2 || contents.Newest.IsZero() {
			t.Fatalf("%+v, %v", contents, err)
		}
		copied := openCopy(t, path, db.Now)
		verdict, err := copied.VerifyAudit(t.Context(), "", models.AuditHead{})
		servers := copied.Number(t, "SELECT COUNT(*) FROM resource_servers")
		if err != nil || verdict.Break != nil || servers == 0 || servers != copied.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", models.AuditResourceServerAdded) {
			t.Errorf("%d resource servers, %+v, %v", servers, verdict, err)
		}
	}
}

// Rows keep their rowid, which is the order of the ledger, and free places stay free.
func TestBackupKeepsPlaces(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Tokens(t, app, 100, models.Token{})
	if _, err := db.Raw(t).ExecContext(t.Context(), "DELETE FROM tokens WHERE rowid % 3 = 0"); err != nil {
		t.Fatal(err)
	}
	const places = "SELECT SUM(rowid * rowid) FROM tokens"
	copied := openCopy(t, backUp(t, db), db.Now)
	if want, got := db.Number(t, places), copied.Number(t, places); got != want {
		t.Errorf("the places add up to %d, want %d", got, want)
	}
}

// T6: to make a backup is no change, and the caches of a server stay as they are.
func TestBackupChangesNothing(t *testing.T) {
	db := storetest.SQLite(t)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	before := foreignVersion(t, db)
	path := backUp(t, db)
	if after := foreignVersion(t, db); after != before {
		t.Errorf("%d after %d", after, before)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the copy: %v, %v", entries, err)
	}
	// It can be read where nothing may be written beside it.
	header, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(header[18:20], []byte{1, 1}) {
		t.Errorf("versions %v, %v", header[18:20], err)
	}
	if _, err := db.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
}

func TestBackupStops(t *testing.T) {
	db := storetest.SQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Backup(ctx, filepath.Join(t.TempDir(), "copy.db")); !errors.Is(err, models.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := db.Backup(t.Context(), filepath.Join(t.TempDir(), "missing", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCheckFile(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Tokens(t, db.Application(t, ana, "Bot"), 5000, models.Token{})
	sound, err := os.ReadFile(backUp(t, db))
	if err != nil {
		t.Fatal(err)
	}
	altered := func(statement string) []byte {
		path := filepath.Join(t.TempDir(), "altered.db")
		raw, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	overwritten := bytes.Clone(sound)
	copy(overwritten[len(sound)/2:], bytes.Repeat([]byte{0xa5}, 4096))
	for name, test := range map[string]struct {
		content []byte
		want    error
	}{
		"sound":            {sound, nil},
		"empty":            {nil, store.ErrNotOurs},
		"text":             {bytes.Repeat([]byte("a key file, say\n"), 500), store.ErrNotSQLite},
		"another database": {altered("DROP TABLE key_checks"), store.ErrNotOurs},
		"cut":              {sound[:len(sound)/2], store.ErrDamaged},
		"overwritten":      {overwritten, store.ErrDamaged},
		"a lost team":      {altered("PRAGMA foreign_keys = off; DELETE FROM teams"), store.ErrDamaged},
	} {
		path := filepath.Join(t.TempDir(), "backup.db")
		if err := os.WriteFile(path, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if contents, err := store.CheckFile(t.Context(), path); !errors.Is(err, test.want) || (err == nil) != (contents.Tokens == 5000) {
			t.Errorf("%s: %+v, %v", name, contents, err)
		}
	}
}
