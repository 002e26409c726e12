package main

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A service manager hears when the program serves and when it stops (Type=notify).
func TestServiceManagerIsTold(t *testing.T) {
	env := folder(t)
	env["NOTIFY_SOCKET"] = filepath.Join(t.TempDir(), "notify")
	socket, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", env["NOTIFY_SOCKET"])
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	next := func() string {
		text := make([]byte, 100)
		_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, _, err := socket.ReadFrom(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(text[:n])
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"web"}, look, strings.NewReader(""), &bytes.Buffer{}, &errs) }()
	if said := next(); said != "READY=1" {
		t.Errorf("said %q", said)
	}
	stop()
	if said := next(); said != "STOPPING=1" {
		t.Errorf("said %q", said)
	}
	if got := <-code; got != exitDone {
		t.Errorf("exit %d: %s", got, errs.String())
	}
}

// One that cannot be reached stops nothing.
func TestServiceManagerIsAway(t *testing.T) {
	look := func(string) (string, bool) { return filepath.Join(t.TempDir(), "nobody"), true }
	if err := notify(t.Context(), look, "READY=1"); err == nil {
		t.Error("told nobody")
	}
}
