package harness

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs.
type Process struct {
	Cmd            *exec.Cmd
	Stdout, Stderr *Output
	// Exited is closed once it has ended.
	Exited chan struct{}

	t testing.TB
}

// Start starts a program. The settings of whoever runs the tests do not count: it has those
// of cmd.Env alone. It is killed at the end of the test, if it still runs.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, Stdout: &Output{}, Stderr: &Output{}, Exited: make(chan struct{}), t: t}
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.Env = append(slices.Clip(cmd.Env), "PATH="+os.Getenv("PATH"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its state is asked for later
		close(p.Exited)
	}()
	t.Cleanup(p.Kill)
	return p
}

var announcement = regexp.MustCompile(`(https?://[^\s/]+)(/setup\?code=\S+)?\n`)

// Announced is where the program says that it serves, and the path that it names for setting
// up, if it does; or what is missing until it says so.
func (p *Process) Announced() (base, setup, problem string) {
	if !p.Runs() {
		return "", "", "the program ended: " + p.Stderr.String()
	}
	found := announcement.FindStringSubmatch(p.Stdout.String())
	if found == nil {
		return "", "", "the program announced nothing: " + p.Stderr.String()
	}
	return found[1], found[2], ""
}

// Said is all that it has written.
func (p *Process) Said() string { return p.Stdout.String() + p.Stderr.String() }

// Runs tells whether it has not ended.
func (p *Process) Runs() bool {
	select {
	case <-p.Exited:
		return false
	default:
		return true
	}
}

// Stop asks the program to end and wants exit code 0.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	p.Wait()
	if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("exit code after SIGTERM: %d, want 0\n%s", code, p.Stderr)
	}
}

// Kill gives the program no chance to do anything more.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended by itself
	<-p.Exited
}

// Signal sends a signal to a program that runs.
func (p *Process) Signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(signal); err != nil {
		p.t.Error(err)
	}
}

// Wait waits for the end, and no longer than a program may take for it.
func (p *Process) Wait() {
	p.t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(40 * time.Second):
		p.Kill()
		p.t.Fatal("the program did not end")
	}
}
