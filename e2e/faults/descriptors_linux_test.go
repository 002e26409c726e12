package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dial opens a connection of bytes.
func (w *world) dial() (net.Conn, error) {
	return (&net.Dialer{Timeout: patience}).DialContext(w.Context(), "tcp", strings.TrimPrefix(w.base, "http://"))
}

// R2, A6: a program without file descriptors serves those that it has connections with,
// says so without end neither in the log nor to the processor, and goes on as soon as there are some.
func TestNoFileDescriptors(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("prlimit")
	needs(t, "prlimit (Debian: util-linux)", err)
	w := newWorld(&program{TB: t, dir: t.TempDir(), before: []string{"prlimit", "--nofile=64"}})
	if got := w.metric("process_max_fds"); got != "64" {
		t.Fatalf("process_max_fds is %q", got)
	}
	from := len(w.stderr.String())
	var held []net.Conn
	for range 200 { // more than it can take wait to be taken
		conn, err := w.dial()
		must(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\n")
		must(t, err)
		held = append(held, conn)
	}
	eventually(t, func() string {
		if len(w.warnings(from)) == 0 {
			return "the log does not say that there are no descriptors"
		}
		return ""
	})
	if lines := w.warnings(from); !strings.Contains(lines[0], "no connection can be taken") || !strings.Contains(lines[0], "too many open files") {
		t.Errorf("the log says %q", lines)
	}
	before, began := w.processorTime(), time.Now()
	w.holds("no descriptors", false) // over the connection that is there
	for time.Since(began) < 4*time.Second {
		w.issues(1)
		if got := w.metric("process_open_fds"); got != "" {
			if n, err := strconv.ParseFloat(got, 64); err != nil || n < 60 {
				t.Errorf("process_open_fds is %s", got)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	if took := w.processorTime() - before; took > 2*time.Second {
		t.Errorf("%s of processor time in 4 s", took)
	}
	if got := w.revokes(); got.status != http.StatusOK {
		t.Errorf("revoking answers %d", got.status)
	}
	for _, page := range []string{applications, "/user/audit", "/user/team"} {
		if got := w.get(page); got.status != http.StatusOK || got.path != page {
			t.Errorf("%s: %d on %s", page, got.status, got.path)
		}
	}
	w.quiet(from, 6)
	for _, conn := range held {
		_ = conn.Close()
	}
	w.http.CloseIdleConnections()
	w.goesOn("descriptors again")
	w.stop()

	w.before = []string{"prlimit", "--nofile=9"}
	w.launch()
	code := w.ended()
	// Whoever knocks meanwhile may have a line of their own before.
	said := strings.Split(strings.TrimSpace(w.stderr.String()), "\n")
	if why := said[len(said)-1]; code != 1 || len(said) > 2 || !strings.Contains(why, "too many open files") && !strings.Contains(why, "unable to open") {
		t.Errorf("a start with 9 descriptors: exit code %d\n%s", code, w.stderr)
	}
	w.before = nil
	w.start()
	w.goesOn("a start with descriptors")
	w.stop()
	w.sound()
}

// processorTime is what the program took of the processors.
func (p *program) processorTime() time.Duration {
	p.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	must(p, err)
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	var ticks time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		must(p, err)
		ticks += time.Duration(n)
	}
	return ticks * 10 * time.Millisecond // USER_HZ
}

// resident is the program's memory in megabytes.
func (p *program) resident() int {
	p.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	must(p, err)
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kb int
	_, err = fmt.Sscan(after, &kb)
	must(p, err)
	return kb >> 10
}
