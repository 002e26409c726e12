package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
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

	process        *harness.Process
	cmd            *exec.Cmd
	stdout, stderr *harness.Output
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

var metricsLine = regexp.MustCompile(`msg=metrics address=(\S+)`)

// launch starts it and does not wait. It is killed with the test.
func (p *program) launch() {
	p.Helper()
	p.process = harness.Start(p.TB, p.command("--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", "--max-lifespan", "48h"))
	p.cmd, p.stdout, p.stderr = p.process.Cmd, p.process.Stdout, p.process.Stderr
}

// start starts it and waits until it serves.
func (p *program) start() {
	p.Helper()
	p.launch()
	eventually(p, func() string {
		base, setup, problem := p.process.Announced()
		if !p.process.Runs() {
			p.Fatal(problem)
		}
		aside := metricsLine.FindStringSubmatch(p.stderr.String())
		if problem != "" || aside == nil {
			return "no metrics yet: " + problem
		}
		p.base, p.aside = base, "http://"+aside[1]
		if setup != "" {
			p.setupURL = base + setup
		}
		return ""
	})
}

// stop asks it to end and wants exit code 0.
func (p *program) stop() {
	p.Helper()
	p.process.Stop()
}

func (p *program) ended() int {
	p.Helper()
	p.process.Wait()
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
