package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onSmallDisk runs the program in a mount namespace of its own, where dir is a disk of 1 MB, and
// prints what is left there.
func onSmallDisk(t testing.TB, dir string, args ...string) result {
	t.Helper()
	const script = `mount -t tmpfs -o size=1m tmpfs "$1" || exit 99; cd "$1"; shift; "$@"; code=$?; ls -A; exit $code`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh", dir, binary}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER, // anybody may mount there
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	return finish(t, cmd, "")
}

// A disk that is full ends a backup and a restore with one line, and nothing of either is left.
func TestBackupDiskFull(t *testing.T) {
	s, _ := owner(t)
	manyTokens(t, s.dir, 10_000)
	small := t.TempDir()
	r := onSmallDisk(t, small, append(places(s.dir), "backup", filepath.Join(small, "backup.db"))...)
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "no backup was made, check the room on its disk") || !strings.Contains(r.stderr, "full") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("backup: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	path := filepath.Join(t.TempDir(), "backup.db")
	backUp(t, s, path)
	r = onSmallDisk(t, small, "--database", databaseOf(small), "--keys", keysOf(s.dir), "restore", path)
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "nothing was restored: copying the backup") || !strings.Contains(r.stderr, "no space left") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("restore: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
