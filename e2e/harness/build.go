// Package harness builds Latchkey, and runs it and what stands around it, for tests from
// outside.
package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Latchkey is the package of the program.
const Latchkey = "github.com/latchkey/latchkey/cmd/web"

// Main runs the tests of a package with the program, built into a folder that is removed
// afterwards. What prepare starts beside them, stop ends.
func Main(m *testing.M, prepare func(dir, program string) (stop func(), err error)) {
	code, err := run(m, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: "+err.Error())
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, prepare func(dir, program string) (stop func(), err error)) (int, error) {
	dir, err := os.MkdirTemp("", "latchkey-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Some of what tests start runs as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	program := filepath.Join(dir, "latchkey")
	if err := Build(program, Latchkey); err != nil {
		return 1, err
	}
	stop, err := prepare(dir, program)
	if err != nil {
		return 1, err
	}
	defer stop()
	return m.Run(), nil
}

// Build builds a package of this module.
func Build(path, pkg string) error {
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}
