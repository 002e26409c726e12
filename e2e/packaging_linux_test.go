package e2e

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const (
	releaseName   = "1.2.3-test"
	releaseCommit = "0123456789abcdef0123456789abcdef01234567"
)

// otherProcessor is the one that is built for and not here, with what runs it here.
var otherProcessor = map[string][2]string{"amd64": {"arm64", "qemu-aarch64-static"}, "arm64": {"amd64", "qemu-x86_64-static"}}

// released builds both binaries once, as make release does, and returns their folder.
var released = sync.OnceValues(func() (string, error) {
	dist := filepath.Join(filepath.Dir(binary), "dist")
	for _, arch := range []string{"amd64", "arm64"} {
		if err := buildRelease("..", filepath.Join(dist, "latchkey-linux-"+arch), arch); err != nil {
			return "", err
		}
	}
	return dist, nil
})

// buildRelease runs in root, with the environment that is added.
func buildRelease(root, out, arch string, more ...string) error {
	build := exec.CommandContext(context.Background(), filepath.Join(root, "scripts", "build.sh"), out, "release")
	build.Env = append(os.Environ(), "GOARCH="+arch, "CC=", "VERSION="+releaseName, "COMMIT="+releaseCommit)
	build.Env = append(build.Env, more...)
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building for %s: %w\n%s", arch, err, text)
	}
	return nil
}

func binaryFor(t *testing.T, arch string) string {
	t.Helper()
	dist, err := released()
	must(t, err)
	return filepath.Join(dist, "latchkey-linux-"+arch)
}

// U3: one file that needs nothing of the system, and says which modules are in it.
func TestReleaseIsStatic(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := binaryFor(t, arch)
		file, err := elf.Open(path)
		must(t, err)
		defer file.Close()
		if file.Machine != machine {
			t.Errorf("%s: for %s", arch, file.Machine)
		}
		for _, part := range file.Progs {
			if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: it has a %s", arch, part.Type)
			}
		}
		if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
			t.Errorf("%s: it wants %v, %v", arch, libraries, err)
		}
		info, err := buildinfo.ReadFile(path)
		must(t, err)
		if len(info.Deps) < 20 {
			t.Errorf("%s: it names %d modules", arch, len(info.Deps))
		}
		text, err := os.ReadFile(path)
		must(t, err)
		here, err := filepath.Abs("..")
		must(t, err)
		if bytes.Contains(text, []byte(here+"/")) {
			t.Errorf("%s: it says where it was built", arch)
		}
	}
}

// U3: the same sources give the same bytes, wherever, whenever and by whom they are built.
func TestReleaseIsReproducible(t *testing.T) {
	first, err := os.ReadFile(binaryFor(t, runtime.GOARCH))
	must(t, err)
	elsewhere := filepath.Join(t.TempDir(), "another folder")
	copySources(t, elsewhere)
	out := filepath.Join(t.TempDir(), "out")
	must(t, buildRelease(elsewhere, out, runtime.GOARCH, "TZ=Asia/Tokyo", "LANG=de_DE.UTF-8", "USER=somebody", "CGO_CFLAGS=-g -O0", "GOFLAGS=-tags=other", "TMPDIR="+t.TempDir()))
	second, err := os.ReadFile(out)
	must(t, err)
	if !bytes.Equal(first, second) {
		t.Errorf("%d and %d bytes differ", len(first), len(second))
	}
}

func copySources(t *testing.T, to string) {
	t.Helper()
	must(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "node_modules" || name == "data" || path != ".." && strings.HasPrefix(name, ".")) || name == ".git" {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, info.Mode().Perm())
	}))
}

// runIn prepares a program in root, of which it sees nothing else, as a user of its own.
func runIn(t *testing.T, root string, user int, env []string, path string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Err = nil // it was looked for outside of root
	cmd.Dir, cmd.Env = "/", append([]string{}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	if os.Getuid() != 0 { // who may do that in a namespace of users
		cmd.SysProcAttr.Credential = nil
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// served starts a program that was prepared, on data that has an owner, and wants it to
// issue a token, to check it, and to stop.
func served(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	s := serve(t, "", cmd)
	ana := signIn(t, s, ownerEmail)
	app := ana.create("Trading bot")
	token, problem := ana.newToken(ana.clientIDOf(app), ana.reveal(app+"/secret"))
	if problem != "" {
		t.Fatal(problem)
	}
	ana.wantGood(token)
	ana.wantRefused(token + "x")
	s.Stop()
}

// addOwner is a command for whatever runs the program.
func addOwner() []string {
	return []string{"user", "add", "--email", ownerEmail, "--name", "Ana Ruiz", "--team", "Northwind", "--role", "owner", "--password-stdin"}
}

func wantOutput(t *testing.T, cmd *exec.Cmd, stdin, want string) {
	t.Helper()
	if r := finish(t, cmd, stdin); r.code != 0 || !strings.Contains(r.stdout, want) {
		t.Fatalf("exit code %d, want %q in\n%s%s", r.code, want, r.stdout, r.stderr)
	}
}

func versionOf(arch string) string {
	return "latchkey " + releaseName + " (commit " + releaseCommit + ", " + runtime.Version() + ", linux/" + arch + ")\n"
}

// C4: an empty folder is all that the binary needs of a system: no library, no shell, no
// list of time zones, no root.
func TestReleaseRunsInAnEmptyFolder(t *testing.T) {
	root := t.TempDir()
	must(t, os.Chmod(root, 0o755))
	text, err := os.ReadFile(binaryFor(t, runtime.GOARCH))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "latchkey"), text, 0o755))
	must(t, os.Mkdir(filepath.Join(root, "data"), 0o700))
	if os.Getuid() == 0 {
		must(t, os.Chown(filepath.Join(root, "data"), nobody, nobody))
	}
	env := []string{"LATCHKEY_ADDR=127.0.0.1:0"}
	prepared := func(args ...string) *exec.Cmd { return runIn(t, root, nobody, env, "/latchkey", args...) }
	wantOutput(t, prepared("version"), "", versionOf(runtime.GOARCH))
	wantOutput(t, prepared(addOwner()...), password, "Added "+ownerEmail)
	served(t, prepared())
	wantOutput(t, prepared("doctor"), "", "ok       database: data/latchkey.db is sound")
}

// The binary for the other processor works where that is emulated.
func TestReleaseForTheOtherProcessor(t *testing.T) {
	other := otherProcessor[runtime.GOARCH]
	path, dir := binaryFor(t, other[0]), t.TempDir()
	emulated := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), other[1], append([]string{path}, args...)...)
		cmd.Env = []string{"LATCHKEY_ADDR=127.0.0.1:0", "LATCHKEY_DATABASE=" + databaseOf(dir), "LATCHKEY_KEYS=" + keysOf(dir)}
		return cmd
	}
	wantOutput(t, emulated("version"), "", versionOf(other[0]))
	wantOutput(t, emulated(addOwner()...), password, "Added "+ownerEmail)
	served(t, emulated())
}

// C4: what systemd itself thinks of the unit's hardening; below 2 is its "OK", the
// services of a distribution are above 9.
func TestUnit(t *testing.T) {
	unit, err := os.ReadFile("../docs/deploy/latchkey.service")
	must(t, err)
	path := filepath.Join(t.TempDir(), "latchkey.service")
	must(t, os.WriteFile(path, bytes.ReplaceAll(unit, []byte("/usr/local/bin/latchkey"), []byte(binary)), 0o600))
	for _, args := range [][]string{{"verify", path}, {"security", "--offline=yes", "--threshold=15", path}} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
	for _, line := range []string{"DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "LimitCORE=0", "UMask=0077", "StateDirectoryMode=0700", "MemoryDenyWriteExecute=yes"} {
		if !bytes.Contains(unit, []byte("\n"+line+"\n")) {
			t.Errorf("the unit lacks %s", line)
		}
	}
}
