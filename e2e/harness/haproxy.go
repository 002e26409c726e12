package harness

import (
	"context"
	"os/exec"
	"testing"
)

// StartHAProxy runs HAProxy with a file of settings.
func StartHAProxy(t testing.TB, file string) *Process {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if err != nil {
		path = "/usr/sbin/haproxy" // Debian keeps it where only root's PATH leads
	}
	if _, err := exec.LookPath(path); err != nil {
		t.Fatalf("install HAProxy (Debian: apt-get install haproxy): %v", err)
	}
	return Start(t, exec.CommandContext(context.Background(), path, "-db", "-f", file))
}
