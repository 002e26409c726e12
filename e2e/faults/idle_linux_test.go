package faults

import (
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	idleConnections = 10_000
	halfRequests    = 500
	// idleMegabytes is what the program may take with all of them.
	idleMegabytes = 300
)

// R2: 10,000 connections that say nothing more hold nobody up, take little memory and are
// closed after the time-out; half a request is closed much earlier.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if limit.Max < idleConnections+2000 {
		needs(t, "12,000 file descriptors", syscall.EMFILE)
	}
	w := newWorld(&program{TB: t, dir: t.TempDir()})
	before := w.resident()
	halves, began := w.hold(halfRequests, "POST /oauth2/token HTTP/1.1\r\nHost: x\r\n"), time.Now()
	idle := w.hold(idleConnections, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	for _, conn := range idle {
		buffer := make([]byte, 12)
		if _, err := io.ReadFull(conn, buffer); err != nil || !strings.HasPrefix(string(buffer), "HTTP/1.1 200") {
			t.Fatalf("%q %v", buffer, err)
		}
	}
	t.Logf("%d idle connections after %s: %d MB, before %d", len(idle), time.Since(began).Round(time.Millisecond), w.resident(), before)
	if now := w.resident(); now > idleMegabytes {
		t.Errorf("%d MB", now)
	}
	w.goesOn("10,000 idle connections")
	closed(t, "half a request", halves, began.Add(30*time.Second))
	w.goesOn("half requests were cut")
	closed(t, "an idle connection", idle, time.Now().Add(3*time.Minute))
	took := time.Since(began)
	if took < time.Minute {
		t.Errorf("idle connections were closed after %s", took)
	}
	w.goesOn("idle connections were closed")
	t.Logf("all were closed after %s: %d MB", took.Round(time.Second), w.resident())
	w.quiet(0, 0)
	if got := w.get("/login"); got.status != http.StatusOK {
		t.Errorf("the page answers %d", got.status)
	}
}

// hold opens connections that send a text and no more.
func (w *world) hold(n int, text string) []net.Conn {
	w.Helper()
	var all []net.Conn
	w.Cleanup(func() {
		for _, conn := range all {
			_ = conn.Close()
		}
	})
	for range n {
		conn, err := w.dial()
		must(w, err)
		all = append(all, conn)
		_, err = io.WriteString(conn, text)
		must(w, err)
	}
	return all
}

// closed wants the program to close all of them.
func closed(t *testing.T, what string, all []net.Conn, by time.Time) {
	t.Helper()
	for _, conn := range all {
		must(t, conn.SetReadDeadline(by))
		if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Fatalf("%s is still open", what)
		}
	}
}
