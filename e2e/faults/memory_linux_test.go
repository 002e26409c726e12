package faults

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const grantedMemory = 128 << 20

// group is a cgroup with a limit of memory, of version 1 or 2.
type group struct{ dir, limit, events string }

func newGroup(t testing.TB) group {
	t.Helper()
	for _, g := range []group{
		{"/sys/fs/cgroup", "memory.max", "memory.events"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"},
	} {
		g.dir = filepath.Join(g.dir, "latchkey-faults-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(g.dir, 0o700) != nil {
			continue
		}
		t.Cleanup(func() { must(t, os.Remove(g.dir)) })
		file, err := os.OpenFile(filepath.Join(g.dir, g.limit), os.O_WRONLY, 0) // of the kernel, if it is there
		if err != nil {
			continue
		}
		_, err = fmt.Fprint(file, grantedMemory)
		if errors.Join(err, file.Close()) == nil {
			return g
		}
	}
	needs(t, "a cgroup with a limit of memory", errors.New("none can be made below /sys/fs/cgroup"))
	return group{}
}

// kills counts what was killed for want of memory.
func (g group) kills(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, g.events))
	must(t, err)
	_, after, _ := strings.Cut(string(text), "oom_kill ")
	var n int
	_, err = fmt.Sscan(after, &n)
	must(t, err)
	return n
}

// R3: a container of 128 MB is told to Go, and holds everything at once: tokens, pages,
// passwords, exports and a backup in the same container.
func TestLittleMemory(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	w := newWorld(&program{TB: t, dir: t.TempDir(), before: []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs")}})
	limit, err := strconv.ParseFloat(w.metric("go_gc_gomemlimit_bytes"), 64)
	if err != nil || limit < grantedMemory/2 || limit > 2*grantedMemory {
		t.Errorf("Go's limit is %.0f bytes (%v), want one that fits 128 MB", limit, err)
	}
	w.issues(200)
	w.hold(1500, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	var all sync.WaitGroup
	var most atomic.Int64
	for end, i := time.Now().Add(15*time.Second), 0; i < 24; i++ {
		all.Go(func() {
			for n := 0; time.Now().Before(end) && !t.Failed(); n++ {
				w.asks(i, n)
				most.Store(max(most.Load(), int64(w.resident())))
			}
		})
	}
	all.Wait()
	t.Logf("%d MB at most, %d tokens", most.Load(), len(w.good))
	if n := g.kills(t); n > 0 {
		t.Errorf("%d processes were killed for want of memory", n)
	}
	w.good = w.good[:min(len(w.good), 500)]
	w.goesOn("little memory")
	w.quiet(0, 5)
}

// asks is one of many requests at once.
func (w *world) asks(who, n int) {
	var got answer
	var err error
	switch {
	case who < 8:
		got, err = w.issue()
	case who < 14:
		got, err = w.verify(w.good[n%100])
	case who < 20: // one browser after the other signs in
		got, err = w.send(http.MethodPost, "/login", url.Values{"email": {fmt.Sprint("nobody", who, n, "@x.example")}, "password": {"not the password"}}.Encode(), nil)
	case who < 22:
		got, err = w.send(http.MethodGet, applications, "", nil)
	case who < 23:
		got, err = w.send(http.MethodGet, "/user/audit/export.csv", "", nil)
	default:
		if r := w.does("backup", filepath.Join(w.TempDir(), "backup.db")); r.code != 0 {
			w.Errorf("backup: exit code %d\n%s", r.code, r.stderr)
		}
		return
	}
	if err != nil || got.status >= http.StatusInternalServerError && got.status != http.StatusServiceUnavailable {
		w.Errorf("%d %s %v", got.status, got.path, err)
	}
}
