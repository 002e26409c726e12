package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// anyPort lets a server choose its port, which it then announces.
const anyPort = "127.0.0.1:0"

// patience is how long a server may take to start or to stop.
const patience = 40 * time.Second

// command is a program that is asked to end when ctx ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs that were built or looked up here
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// server is a program that serves in the background.
type server struct {
	cmd    *exec.Cmd
	base   string
	exited chan struct{}
}

// announcement collects what a server prints.
type announcement struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (a *announcement) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.buf.Write(p)
}

var listening = regexp.MustCompile(`(127\.0\.0\.1:\d+)\D`)

func (a *announcement) address() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if found := listening.FindSubmatch(a.buf.Bytes()); found != nil {
		return "http://" + string(found[1])
	}
	return ""
}

// launch starts a server and does not wait for it. The settings of whoever runs
// the benchmark do not count.
func launch(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) (*server, error) {
	s := &server{cmd: command(ctx, name, args...), exited: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Env = stdout, stderr, []string{}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // its state is asked for later
		close(s.exited)
	}()
	return s, nil
}

// startServer starts a server and waits until it has said where it listens.
func startServer(ctx context.Context, stderr *os.File, name string, args ...string) (*server, error) {
	said := &announcement{}
	var errorLog io.Writer
	if stderr != nil {
		errorLog = stderr
	}
	s, err := launch(ctx, said, errorLog, name, args...)
	if err != nil {
		return nil, err
	}
	for deadline := now().Add(patience); now().Before(deadline) && s.alive(); time.Sleep(5 * time.Millisecond) {
		if s.base = said.address(); s.base != "" {
			return s, nil
		}
	}
	s.kill()
	return nil, fmt.Errorf("%s did not say where it serves", name)
}

func (s *server) alive() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// stop asks the server to end and wants exit code 0.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.kill()
		return errors.New("the product did not end after SIGTERM")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code of the product after SIGTERM: %d", code)
	}
	return nil
}

// pause waits, and no longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.exited
}
