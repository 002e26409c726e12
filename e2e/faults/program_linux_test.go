package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// program is one that runs, on the data in dir.
type program struct {
	testing.TB
	dir string
	// before stands before the program's name, path is another one than binary.
	before []string
	path   string
	env    []string

	base, aside, setupURL string

	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
}

func (p *program) places() []string {
	return []string{"--database", filepath.Join(p.dir, "latchkey.db"), "--keys", filepath.Join(p.dir, "keys.json")}
}

func (p *program) command(args ...string) *exec.Cmd {
	path := binary
	if p.path != "" {
		path = p.path
	}
	words := append(append(append([]string{}, p.before...), path), append(p.places(), args...)...)
	cmd := exec.CommandContext(context.Background(), words[0], words[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, p.env...)
	return cmd
}

var (
	announcement = regexp.MustCompile(`(http://[^\s/]+)(/setup\?code=\S+)?\n`)
	metricsLine  = regexp.MustCompile(`msg=metrics address=(\S+)`)
)

// launch starts it and does not wait. It is killed with the test.
func (p *program) launch() {
	p.Helper()
	p.stdout, p.stderr, p.exited = &output{}, &output{}, make(chan struct{})
	p.cmd = p.command("--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", "--max-lifespan", "48h")
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	must(p, p.cmd.Start())
	cmd, exited := p.cmd, p.exited
	go func() { _ = cmd.Wait(); close(exited) }()
	p.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
}

// start starts it and waits until it serves.
func (p *program) start() {
	p.Helper()
	p.launch()
	eventually(p, func() string {
		select {
		case <-p.exited:
			p.Fatal("the program ended: " + p.stderr.String())
		default:
		}
		said, aside := announcement.FindStringSubmatch(p.stdout.String()), metricsLine.FindStringSubmatch(p.stderr.String())
		if said == nil || aside == nil {
			return "the program announced nothing: " + p.stderr.String()
		}
		p.base, p.aside = said[1], "http://"+aside[1]
		if said[2] != "" {
			p.setupURL = said[1] + said[2]
		}
		return ""
	})
}

// stop asks it to end and wants exit code 0.
func (p *program) stop() {
	p.Helper()
	must(p, p.cmd.Process.Signal(syscall.SIGTERM))
	if code := p.ended(); code != 0 {
		p.Errorf("exit code after SIGTERM: %d\n%s", code, tail(p.stderr.String()))
	}
}

func (p *program) ended() int {
	p.Helper()
	eventually(p, func() string {
		select {
		case <-p.exited:
			return ""
		default:
			return "the program does not end"
		}
	})
	return p.cmd.ProcessState.ExitCode()
}

// refusesToStart wants exit code 1 and one line that holds a text.
func (p *program) refusesToStart(text string) {
	p.Helper()
	p.launch()
	code, said := p.ended(), p.stderr.String()
	if code != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, text) || p.stdout.String() != "" {
		p.Errorf("a start: exit code %d, want 1 and one line with %q:\n%s", code, text, said)
	}
}

// result is a program that has run to its end.
type result struct {
	code           int
	stdout, stderr string
}

// does runs a command of it.
func (p *program) does(args ...string) result {
	p.Helper()
	var stdout, stderr strings.Builder
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code says it
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// warnings are the lines of the log from an offset on that are no requests and worse than
// information.
func (p *program) warnings(from int) []string {
	var found []string
	for line := range strings.Lines(p.stderr.String()[from:]) {
		if (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) && !strings.Contains(line, "msg=request ") {
			found = append(found, line)
		}
	}
	return found
}

func tail(text string) string { return text[max(0, len(text)-3000):] }
