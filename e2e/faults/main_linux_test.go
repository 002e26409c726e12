// Package faults tests what happens to the built program when what it stands on fails: the
// disk, the clock, file descriptors, memory. Each test wants clear errors while the fault
// lasts and everything right after it. Where a fault cannot be made, its test fails and says
// what is missing.
package faults

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

// patience is how long a test waits for what should come soon. Nothing waits longer than it
// has to.
const patience = harness.Patience

var (
	// binary is the program under test, skewed the same with a clock that a test sets, and
	// broken a library that comes between SQLite and the system.
	binary, skewed, broken string
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/faults: "+err.Error())
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "latchkey-faults-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, skewed, broken = filepath.Join(dir, "latchkey"), filepath.Join(dir, "skewed"), filepath.Join(dir, "broken.so")
	overlay, err := skewClock(dir)
	if err != nil {
		return 1, err
	}
	const program = "github.com/latchkey/latchkey/cmd/web"
	for _, build := range [][]string{
		{"go", "build", "-o", binary, program}, {"go", "build", "-overlay", overlay, "-o", skewed, program},
		{"cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", broken, "testdata/broken.c", "-ldl"},
	} {
		if out, err := exec.CommandContext(context.Background(), build[0], build[1:]...).CombinedOutput(); err != nil {
			return 1, fmt.Errorf("%s: %w\n%s", strings.Join(build, " "), err, out)
		}
	}
	return m.Run(), nil
}

// needs fails a test whose fault cannot be made here.
func needs(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("NOT TESTED: this machine lacks %s: %v", what, err)
	}
}

// eventually is what most tests wait with.
var eventually = harness.Eventually

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// system runs a command of the system.
func system(t testing.TB, command ...string) error {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
