package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// content is what the files of a folder hold. The index of the write-ahead log is left
// out: it belongs to the connections.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "-shm") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sums[entry.Name()] = fmt.Sprintf("%x", sha256.Sum256(text))
	}
	return sums
}

// examine wants the files to stay as they are.
func examine(t *testing.T, path string) (store.Examination, error) {
	t.Helper()
	before := content(t, filepath.Dir(path))
	found, err := store.Examine(t.Context(), path)
	if after := content(t, filepath.Dir(path)); !maps.Equal(before, after) {
		t.Errorf("files before %v and after %v", before, after)
	}
	return found, err
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Beside a server, after one that was killed, and where none runs.
func TestExamine(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Wait(time.Hour)
	db.Application(t, ana, "Bot")
	last := db.Now()
	db.Wait(time.Hour)
	check := func(name, path string) {
		found, err := examine(t, path)
		if err != nil || !found.Sound || found.Damage != "" || found.Version < 11 || found.Newest != last || found.Bytes == 0 {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	check("served", db.Path)
	killed := filepath.Join(t.TempDir(), "killed.db")
	copyTo(t, db.Path, killed)
	copyTo(t, db.Path+"-wal", killed+"-wal")
	check("killed", killed)
	if _, err := os.Stat(killed + "-wal"); err != nil {
		t.Error(err)
	}
	alone := filepath.Join(t.TempDir(), "alone.db")
	if _, err := db.Raw(t).ExecContext(t.Context(), "VACUUM INTO ?", alone); err != nil {
		t.Fatal(err)
	}
	check("alone", alone)
}

func TestExamineWhatIsWrong(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.db")
	if _, err := examine(t, missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	if err := os.WriteFile(other, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := examine(t, other); !errors.Is(err, store.ErrNotSQLite) {
		t.Errorf("other: %v", err)
	}
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Tokens(t, db.Application(t, ana, "Bot"), 3000, models.Token{})
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if _, err := db.Raw(t).ExecContext(t.Context(), "VACUUM INTO ?", damaged); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(damaged, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(strings.Repeat("damage", 10_000)), info.Size()/2); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	if found, err := examine(t, damaged); err == nil && (found.Sound || found.Damage == "") {
		t.Errorf("damaged: %+v", found)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := store.Examine(ended, db.Path); err == nil || found.Sound {
		t.Errorf("without time: %+v, %v", found, err)
	}
}
