package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// brokenWorld is one whose calls to the disk fail as the returned function says.
func brokenWorld(t *testing.T) (w *world, breaks func(lines string)) {
	t.Helper()
	control := filepath.Join(t.TempDir(), "broken")
	dir, err := os.MkdirTemp("/dev/shm", "latchkey-") // where a sync takes no time
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	w = newWorld(&program{TB: t, dir: dir, env: []string{"LD_PRELOAD=" + broken, "BROKEN=" + control}})
	return w, func(lines string) {
		t.Helper()
		// Whole or not at all.
		must(t, os.WriteFile(control+"-", []byte(lines), 0o600))
		must(t, os.Rename(control+"-", control))
	}
}

// A6: what the disk refuses is refused whole, with a clear error, and works again the moment
// that the disk does; the program need not be started anew.
func TestWritesFail(t *testing.T) {
	t.Parallel()
	w, breaks := brokenWorld(t)
	for _, fault := range []struct {
		kind, file string
		code       syscall.Errno
	}{
		{"write", "-wal", syscall.EIO}, {"sync", "-wal", syscall.EIO}, {"write", "-wal", syscall.EROFS}, {"write", "-wal", syscall.ENOSPC}, {"write", "-wal", syscall.EDQUOT},
	} {
		what := fmt.Sprintf("%s of %s: %s", fault.kind, fault.file, fault.code)
		t.Log(what)
		breaks(fmt.Sprintln(fault.kind, int(fault.code), fault.file))
		w.cannotWrite()
		breaks("")
		w.goesOn(what)
	}
	w.stop()
	w.start()
	w.goesOn("a start after errors of the disk")
	w.stop()
	w.sound()
}

// Pages that cannot be moved from the write-ahead log stay in it: nothing is lost, nobody
// waits, and the log of the program says so.
func TestCheckpointsFail(t *testing.T) {
	t.Parallel()
	w, breaks := brokenWorld(t)
	for _, fault := range []string{"write 5 latchkey.db\n", "sync 5 latchkey.db\n"} {
		from, size := len(w.stderr.String()), w.size("latchkey.db")
		breaks(fault)
		for range 20_000 {
			w.issues(20)
			if len(w.warnings(from)) > 0 {
				break
			}
		}
		if lines := w.warnings(from); len(lines) == 0 || !strings.Contains(lines[0], "cannot be moved into the database file") {
			t.Errorf("the log says %q", lines)
		}
		w.holds("the log grows", false)
		w.quiet(from, 5)
		breaks("")
		eventually(t, func() string {
			w.issues(20)
			if w.size("latchkey.db") == size {
				return "the log is not moved into the database"
			}
			return ""
		})
	}
	w.goesOn("checkpoints that failed")
	must(t, w.cmd.Process.Kill())
	w.ended()
	w.start()
	w.goesOn("a crash with a long log")
	w.stop()
	w.sound()
}

func (w *world) size(name string) int64 {
	w.Helper()
	info, err := os.Stat(filepath.Join(w.dir, name))
	must(w, err)
	return info.Size()
}

// A disk that cannot be read fails closed: no token is taken that cannot be looked up, no
// revoked one ever, and readiness turns.
func TestReadsFail(t *testing.T) {
	t.Parallel()
	w, breaks := brokenWorld(t)
	from := len(w.stderr.String())
	breaks("read 5 latchkey.db\nread 5 latchkey.db-wal\n")
	w.underFault(3*time.Second, func() {
		w.holds("nothing can be read", true)
		if got, err := w.issue(); err != nil || got.status != http.StatusOK && got.status != http.StatusServiceUnavailable {
			t.Errorf("a token: %d %s %v", got.status, got.body, err)
		}
		if got := w.get(applications); got.status != http.StatusOK {
			w.wantAway("the list of applications", got)
		}
	})
	if got := w.get(w.aside + "/readyz"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "database: ") {
		t.Errorf("ready: %d %q", got.status, got.body)
	}
	if len(w.warnings(from)) == 0 {
		t.Error("the fault was not felt")
	}
	w.quiet(from, 15)
	breaks("")
	w.goesOn("reads that failed")
	w.stop()

	breaks("read 5 latchkey.db\nread 5 latchkey.db-wal\n")
	w.refusesToStart("check its mode, its disk and LATCHKEY_DATABASE")
	breaks("")
	w.start()
	w.goesOn("a start that can read")
	w.stop()
	w.sound()
}
