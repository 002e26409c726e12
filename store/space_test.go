package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func space(t *testing.T, db *storetest.DB) store.Space {
	t.Helper()
	status, err := db.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status.Space
}

func shrinkAll(t *testing.T, db *storetest.DB) (steps int) {
	t.Helper()
	for done := false; !done; steps++ {
		var err error
		if done, err = db.Shrink(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return steps
}

// fill puts pages of rubbish into a table of its own, and takes some out again.
func fill(t *testing.T, db *storetest.DB, put, take int) {
	t.Helper()
	raw := db.Raw(t)
	for _, do := range []struct {
		statement string
		args      []any
	}{
		{"CREATE TABLE rubbish (id INTEGER PRIMARY KEY, page BLOB)", nil},
		{"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) INSERT INTO rubbish (page) SELECT zeroblob(4000) FROM n", []any{put}},
		{"DELETE FROM rubbish WHERE id <= ?", []any{take}},
	} {
		if _, err := raw.ExecContext(t.Context(), do.statement, do.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// What is free beyond a tenth goes back to the disk, and a log that grew long is
// cut. What is stored stays.
func TestShrinkGivesSpaceBackAndLeavesATenth(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Token(t, ana, db.Application(t, ana, "Bot"), models.KindManual, "stays")
	if vacuum := db.Number(t, "PRAGMA auto_vacuum"); vacuum != 2 || !space(t, db).Shrinks {
		t.Fatalf("auto_vacuum is %d", vacuum)
	}
	if steps := shrinkAll(t, db); steps != 1 {
		t.Errorf("a new file took %d steps", steps)
	}
	fill(t, db, 20000, 8000)
	before := space(t, db)
	if before.FreePages < 8000 || before.WALBytes < 64<<20 {
		t.Fatalf("not what was to be tested: %+v", before)
	}
	steps := shrinkAll(t, db)
	after := space(t, db)
	if after.FreePages < after.Pages/10 || after.FreePages >= after.Pages/10+1000 || steps < 6 {
		t.Errorf("%d of %d pages are free after %d steps, want a tenth and less than 1,000", after.FreePages, after.Pages, steps)
	}
	if given := before.FreePages - after.FreePages; before.Pages-after.Pages < given {
		t.Errorf("%d pages less are free, but the file is %d smaller", given, before.Pages-after.Pages)
	}
	info, err := os.Stat(db.Path)
	if err != nil || info.Size() != after.Bytes() || after.WALBytes != 0 {
		t.Errorf("the file has %d bytes for %d, the log %d, %v", info.Size(), after.Bytes(), after.WALBytes, err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM rubbish"); n != 12000 || refusal(t, db, "stays") != "" {
		t.Errorf("%d rows of 12,000, the token is %q", n, refusal(t, db, "stays"))
	}
}

// A log that grew long is cut. While somebody reads, that is left for the next
// time; either way the next writer gets through.
func TestALongLogIsCutAndTheNextWriterGetsThrough(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	fill(t, db, 17000, 0)
	reader, err := db.Raw(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var users int
	if err := reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM users").Scan(&users); err != nil {
		t.Fatal(err)
	}
	for _, reading := range []bool{true, false} {
		db.Tokens(t, app, 1, models.Token{})
		began := time.Now()
		if steps := shrinkAll(t, db); steps != 1 || time.Since(began) > 3*time.Second {
			t.Errorf("%d steps in %s: writers wait all that time", steps, time.Since(began))
		}
		if cut := space(t, db).WALBytes < 64<<20; cut == reading {
			t.Errorf("reading is %v, the log has %d bytes", reading, space(t, db).WALBytes)
		}
		db.Tokens(t, app, 1, models.Token{})
		_ = reader.Rollback() // the second time there is nothing to undo
	}
	// A lock of somebody else is waited for as before.
	lock, err := db.Raw(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "UPDATE teams SET name = name"); err != nil {
		t.Fatal(err)
	}
	release := time.AfterFunc(300*time.Millisecond, func() { _ = lock.Rollback() })
	defer release.Stop()
	db.Tokens(t, app, 1, models.Token{})
}

// A file of an earlier version keeps its size: nothing fails.
func TestShrinkLeavesAnOlderFileAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.db")
	raw, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "CREATE TABLE older (x)"); err != nil {
		t.Fatal(err)
	}
	db := &storetest.DB{Path: path}
	if db.Store, err = store.Open(path, db.Now); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context(), migrations.Run); err != nil {
		t.Fatal(err)
	}
	fill(t, db, 3000, 3000)
	before := space(t, db)
	if steps := shrinkAll(t, db); steps != 1 || before.Shrinks || before.FreePages < 3000 {
		t.Errorf("%d steps, before %+v", steps, before)
	}
	if after := space(t, db); after.Pages != before.Pages {
		t.Errorf("%d pages, before %d", after.Pages, before.Pages)
	}
}

// R1: under a steady load the database stops growing, its log included.
func TestTheFileStopsGrowing(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	var pages, bytes []int64
	longest := int64(0)
	for range 45 {
		db.Tokens(t, app, 2000, models.Token{})
		db.Wait(12 * time.Hour) // each round finds the one two before it beyond its day
		purgeAll(t, db, usual)
		shrinkAll(t, db)
		s := space(t, db)
		if _, err := db.Raw(t).ExecContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(db.Path)
		if err != nil {
			t.Fatal(err)
		}
		pages, bytes, longest = append(pages, s.Pages), append(bytes, info.Size()), max(longest, s.WALBytes)
	}
	if longest > 130<<20 {
		t.Errorf("%d bytes of log", longest)
	}
	// An index of random hashes is a page more or less full.
	if first, last := slices.Max(pages[:6]), slices.Max(pages[6:]); last > first*102/100 {
		t.Errorf("pages: %v", pages)
	}
	if first, last := slices.Max(bytes[:6]), slices.Max(bytes[6:]); last > first*102/100 {
		t.Errorf("bytes: %v", bytes)
	}
	if rows := db.Number(t, "SELECT COUNT(*) FROM tokens"); rows != 4000 {
		t.Errorf("%d rows", rows)
	}
}
