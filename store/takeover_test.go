package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func take(t *testing.T, path string) *store.Takeover {
	t.Helper()
	place, err := store.Take(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = place.Close() })
	return place
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if want == "" && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || string(content) != want {
		t.Errorf("%s holds %.20q, %v, want %q", path, content, err, want)
	}
}

// A database that somebody has open is not taken; one that is taken cannot be opened.
func TestTakeIsExclusive(t *testing.T) {
	t.Parallel() // it waits for SQLite
	first := storetest.SQLite(t)
	first.Member(t, "northwind", "ana", models.RoleOwner)
	db := openCopy(t, backUp(t, first), first.Now)
	if _, err := store.Take(t.Context(), db.Path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("while it is open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	place := take(t, db.Path)
	if _, err := store.Open(db.Path, db.Now); !errors.Is(err, models.ErrBusy) {
		t.Errorf("while it is taken: %v", err)
	}
	if _, err := store.Take(t.Context(), db.Path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("taken twice: %v", err)
	}
	if err := place.Close(); err != nil {
		t.Fatal(err)
	}
	again := openCopy(t, db.Path, db.Now)
	if again.Number(t, "SELECT COUNT(*) FROM users") != 1 {
		t.Error("the user is gone")
	}
}

// What was in the log of the old database is in the one that is kept, and no file of it stays
// beside the new one.
func TestReplaceKeepsTheOldDatabase(t *testing.T) {
	db := storetest.SQLite(t)
	made := backUp(t, db)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	// As after a crash: the log was not moved.
	folder := t.TempDir()
	path, keep := filepath.Join(folder, "latchkey.db"), filepath.Join(folder, "kept")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(db.Path + suffix)
		if err != nil || len(content) == 0 {
			t.Fatalf("%s: %v", suffix, err)
		}
		put(t, path+suffix, string(content))
	}
	place := take(t, path)
	if err := errors.Join(place.Replace(made, keep), place.Close()); err != nil {
		t.Fatal(err)
	}
	for file, users := range map[string]int64{path: 0, keep: 1} {
		for _, suffix := range []string{"-wal", "-shm", "-journal"} {
			wantContent(t, file+suffix, "")
		}
		if got := openCopy(t, file, db.Now).Number(t, "SELECT COUNT(*) FROM users"); got != users {
			t.Errorf("%s has %d users, want %d", file, got, users)
		}
	}
}

// A database that cannot be read any more is kept with all that lies beside it: SQLite would
// take the log for the new one's.
func TestReplaceDamaged(t *testing.T) {
	folder := t.TempDir()
	path, keep, made := filepath.Join(folder, "latchkey.db"), filepath.Join(folder, "kept"), filepath.Join(folder, "made")
	for name, old := range map[string]string{"damaged": "no database any more", "gone": ""} {
		if old != "" {
			put(t, path, old)
		}
		put(t, path+"-wal", "log")
		put(t, made, "new")
		place := take(t, path)
		if _, err := place.RevokedBefore(t.Context(), nil); !errors.Is(err, store.ErrNothingKnown) {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(place.Replace(made, keep), place.Close()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantContent(t, path, "new")
		wantContent(t, keep, old)
		wantContent(t, path+"-wal", "")
		if old == "" { // else SQLite has found out that nothing is in it
			wantContent(t, keep+"-wal", "log")
		}
		for _, file := range []string{path, keep, keep + "-wal", made} {
			_ = os.Remove(file)
		}
	}
}

// Where a server began meanwhile, its new database stays.
func TestReplaceNothing(t *testing.T) {
	folder := t.TempDir()
	path, made := filepath.Join(folder, "latchkey.db"), filepath.Join(folder, "made")
	put(t, made, "new")
	place := take(t, path)
	put(t, path, "begun")
	if err := place.Replace(made, filepath.Join(folder, "kept")); err == nil {
		t.Error("it was replaced")
	}
}
