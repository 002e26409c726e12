package rotation

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
)

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ROTATION_TEST_FOLDER"); dir != "" {
		if err := rotate(dir, os.Getenv("ROTATION_TEST_OLD"), os.Getenv("ROTATION_TEST_KILL")); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// rotate is what keys rotate does where no server runs.
func rotate(dir, old, kill string) error {
	ctx := context.Background()
	p, err := newProcess(filepath.Join(dir, "latchkey.db"), filepath.Join(dir, "keys.json"), func() models.Time { return models.At(time.Now()) }, 0)
	if err != nil {
		return err
	}
	defer p.db.Close()
	k := &killer{}
	k.at, _ = strconv.Atoi(strings.TrimPrefix(kill, "-"))
	k.before = strings.HasPrefix(kill, "-")
	p.Store = killingStore{p.Store, k}
	change := p.Source.Change
	p.Source.Change = func(ctx context.Context, by secrets.KeyChange) error {
		return k.step(func() error { return change(ctx, by) })
	}
	if names := p.Keys.Names(); PhaseOf(names) == Idle && names.Sealing == old {
		if err := p.Begin(ctx); err != nil {
			return err
		}
	}
	for range 100 {
		if _, err := p.Advance(ctx); err != nil {
			return err
		}
		if PhaseOf(p.Keys.Names()) == Idle {
			return nil
		}
	}
	return errors.New("no end after 100 steps")
}

// killer ends this process at the nth durable step, before or after it.
type killer struct {
	n, at  int
	before bool
}

func (k *killer) step(do func() error) error {
	k.n++
	if k.n == k.at && k.before {
		die()
	}
	err := do()
	if k.n == k.at {
		die()
	}
	return err
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

type killingStore struct {
	Store
	*killer
}

func (s killingStore) Reseal(ctx context.Context, table string, values []models.SealedValue) error {
	return s.step(func() error { return s.Store.Reseal(ctx, table, values) })
}

func (s killingStore) CloseKeys(ctx context.Context, actor models.Actor, keys []models.KeyState) error {
	return s.step(func() error { return s.Store.CloseKeys(ctx, actor, keys) })
}

func (s killingStore) RetireKey(ctx context.Context, actor models.Actor, key models.KeyState) error {
	return s.step(func() error { return s.Store.RetireKey(ctx, actor, key) })
}

// K5: killed before and after each durable step, the rotation goes on when it is run again; every
// value opens in between, and at the end none with the old key, which is not in the file any more.
func TestKilledAtEachStep(t *testing.T) {
	h := newHome(t, 700)
	old := h.old.Names()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	oldFile, err := os.ReadFile(h.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for n := 1; ; n++ {
		killed := 0
		for _, when := range []string{"-", ""} {
			dir := t.TempDir()
			for _, name := range []string{"latchkey.db", "latchkey.db-wal", "keys.json"} {
				copyFile(t, filepath.Join(filepath.Dir(h.Path), name), filepath.Join(dir, name))
			}
			if child(t, dir, old.Sealing, when+strconv.Itoa(n)) {
				killed++
			}
			there := &storetest.DB{Path: filepath.Join(dir, "latchkey.db")}
			keyFile := filepath.Join(dir, "keys.json")
			opensAll(t, there.Raw(t), h.SealedTables(), h.values, keyFile, h.old)
			if child(t, dir, old.Sealing, "") {
				t.Fatal("killed for no reason")
			}
			if byOld := opensAll(t, there.Raw(t), h.SealedTables(), h.values, keyFile, h.old); byOld != 0 {
				t.Errorf("killed at %s%d: %d values open with the old key", when, n, byOld)
			}
			checkGone(t, keyFile, oldFile, h.old)
		}
		if killed == 0 {
			break
		}
		steps = n
	}
	// Add, use, seven batches, close, retire, drop, retire the session key, drop it.
	if steps < 14 {
		t.Errorf("only %d steps", steps)
	}
}

// checkGone looks for the old keys in the file.
func checkGone(t *testing.T, keyFile string, oldFile []byte, old *secrets.Keys) {
	t.Helper()
	content, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(oldFile), `"value": "`)
	sealing, _, _ := strings.Cut(after, `"`)
	session := base64.StdEncoding.EncodeToString(old.SessionKeys()[0])
	if !strings.Contains(string(oldFile), sealing) || sealing == "" || strings.Contains(string(content), sealing) || strings.Contains(string(content), session) {
		t.Error("an old key is still in the key file, or was never there")
	}
	if _, err := os.Stat(keyFile + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file beside it: %v", err)
	}
}

func child(t *testing.T, dir, old, kill string) (killed bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), "ROTATION_TEST_FOLDER="+dir, "ROTATION_TEST_OLD="+old, "ROTATION_TEST_KILL="+kill)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL { //nolint:errcheck // on this system it is one
		return true
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return false
}
