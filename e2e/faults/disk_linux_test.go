package faults

import (
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// smallDisk is a disk of some megabytes in memory.
func smallDisk(t testing.TB, size string) string {
	t.Helper()
	dir := t.TempDir()
	needs(t, "a disk of its own", system(t, "mount", "-t", "tmpfs", "-o", "mode=700,size="+size, "tmpfs", dir))
	t.Cleanup(func() { must(t, system(t, "umount", "-l", dir)) })
	return dir
}

// fill takes what is left of a disk, to the last byte, until the returned function gives it back.
func fill(t testing.TB, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	file, err := os.Create(name)
	must(t, err)
	defer file.Close()
	for _, size := range []int{1 << 20, 4096} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() { t.Helper(); must(t, os.Remove(name)) }
}

// sound wants a database in which SQLite finds nothing wrong.
func (w *world) sound() {
	w.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.dir, "latchkey.db"))
	must(w, err)
	defer db.Close()
	var found string
	if err := db.QueryRowContext(w.Context(), "PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
		w.Errorf("the database: %s %v", found, err)
	}
	if r := w.does("audit", "verify"); r.code != 0 {
		w.Errorf("the audit log: %s%s", r.stdout, r.stderr)
	}
}

// runsDry has tokens issued until the fault is felt.
func (w *world) runsDry() {
	w.Helper()
	for range 20_000 {
		got, err := w.issue()
		if err != nil {
			w.Fatal(err)
		}
		if got.status != http.StatusOK {
			w.wantAway("a token", got)
			return
		}
	}
	w.Fatal("the fault is not felt")
}

// cannotWrite is what all faults have in common in which nothing can be stored.
func (w *world) cannotWrite() {
	w.Helper()
	from := len(w.stderr.String())
	w.runsDry()
	failed := w.metric("latchkey_token_commits_failed_total")
	got, err := w.issue()
	must(w, err)
	w.wantAway("another token", got)
	if after := w.metric("latchkey_token_commits_failed_total"); after == failed || after == "" {
		w.Errorf("the metrics say nothing: %q, %q", failed, after)
	}
	w.holds("nothing can be written", false)
	w.wantAway("a revocation", w.revokes())
	w.wantAway("a new application", w.post(applications, url.Values{"name": {"Lost"}, "lifespan": {"60"}}))
	if got := w.get(applications); got.status != http.StatusOK {
		w.Errorf("the list of applications: %d %.300s", got.status, got.body)
	}
	w.underFault(2*time.Second, func() {
		got, err := w.issue()
		must(w, err)
		if got.status != http.StatusOK { // what is left of the write-ahead log may take one
			w.wantAway("a token", got)
		}
	})
	w.quiet(from, 10)
}

// A6: a full disk refuses what is new, whole and with a clear error, and checks go on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(&program{TB: t, dir: smallDisk(t, "24m")})
	for range 2 {
		free := fill(t, w.dir)
		w.cannotWrite()
		free()
		w.goesOn("room again")
	}
	free := fill(t, w.dir)
	w.runsDry()
	must(t, w.cmd.Process.Kill())
	w.ended()
	w.refusesToStart("check its mode, its disk and LATCHKEY_DATABASE")
	free()
	w.start()
	w.goesOn("a start with room")
	w.stop()
	w.sound()
}

// A first start that finds no room ends with one line, wherever it comes to, and one with room goes on from there.
func TestFirstStartWithoutRoom(t *testing.T) {
	t.Parallel()
	for _, room := range []int64{0, 8, 64, 256} {
		p := &program{TB: t, dir: smallDisk(t, "16m")}
		free := fill(t, p.dir)
		filler := filepath.Join(p.dir, "filler")
		info, err := os.Stat(filler)
		must(t, err)
		must(t, os.Truncate(filler, info.Size()-room<<10))
		p.refusesToStart("")
		t.Logf("%d KB: %s", room, p.stderr)
		free()
		newWorld(p).goesOn("a start with room")
		p.stop()
	}
}

// A backup that finds no room fails with one line, leaves nothing behind and holds up nothing.
func TestBackupWithoutRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(&program{TB: t, dir: smallDisk(t, "8m")})
	from := len(w.stderr.String())
	free := fill(t, w.dir)
	for _, dir := range []string{smallDisk(t, "256k"), w.dir} {
		r := w.does("backup", filepath.Join(dir, "backup.db"))
		if r.code != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "disk") {
			t.Errorf("backup: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*backup*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
	w.holds("after backups without room", false)
	free()
	w.goesOn("backups without room")
	w.quiet(from, 10)
	if r := w.does("backup", filepath.Join(t.TempDir(), "backup.db")); r.code != 0 {
		t.Errorf("backup: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// realDisk is a file system of its own on a loop device. repair has it mounted anew.
func realDisk(t testing.TB) (dir string, repair func()) {
	t.Helper()
	dir = t.TempDir()
	image := filepath.Join(t.TempDir(), "disk")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 64<<20))
	needs(t, "mkfs.ext4 (Debian: e2fsprogs)", system(t, "mkfs.ext4", "-q", image))
	needs(t, "a loop device", system(t, "mount", "-o", "loop", image, dir))
	t.Cleanup(func() { must(t, system(t, "umount", "-l", dir)) })
	return dir, func() {
		t.Helper()
		must(t, system(t, "umount", dir))
		_ = system(t, "e2fsck", "-p", image) // says by its exit code that it did something
		must(t, system(t, "mount", "-o", "loop", image, dir))
	}
}

// A disk that becomes read-only, as Linux makes it after an error, refuses changes and
// answers checks. It can only be mounted anew without the program, which starts again once
// the disk can be written.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir, repair := realDisk(t)
	w := newWorld(&program{TB: t, dir: dir})
	must(t, system(t, "mount", "-o", "remount,abort", dir))
	w.cannotWrite()
	must(t, w.cmd.Process.Signal(syscall.SIGTERM))
	if code := w.ended(); code > 1 {
		t.Errorf("exit code after SIGTERM: %d", code)
	}
	w.quiet(0, 10)
	w.refusesToStart("read-only file system")
	repair()
	w.start()
	w.goesOn("a disk that was mounted anew")
	w.stop()
	w.sound()
}
