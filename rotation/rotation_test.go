package rotation

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

func (p process) waits(t *testing.T, phase Phase, words string) {
	t.Helper()
	if got := p.turn(t); got.Phase != phase || !strings.Contains(got.Waits, words) {
		t.Errorf("%q waits for %q, want %q, %q", got.Phase, got.Waits, phase, words)
	}
}

// K5: one server with its file: each phase waits for what it has to, and sessions keep the session key alone.
func TestOneServer(t *testing.T) {
	h := newHome(t, 3)
	oldFile, err := os.ReadFile(h.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	a := h.server(t, h.keyFile, "a")
	command := h.process(t, h.keyFile)
	raw := h.Raw(t)
	if _, err := raw.ExecContext(t.Context(), "INSERT INTO sessions (id_hash, user_id, team_id, created_at, last_seen_at, proven_at) VALUES (x'01', ?, ?, ?, ?, 0)", h.ana.UserID, h.ana.TeamID, h.Now(), h.Now()); err != nil {
		t.Fatal(err)
	}
	if err := h.BeginCeremony(t.Context(), models.Ceremony{IDHash: []byte("step"), Kind: models.CeremonyProvider}, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := a.turn(t); got.Phase != Idle {
		t.Fatalf("%+v before anything began", got)
	}
	for range 2 {
		if err := command.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	command.waits(t, Added, "has not read the new key")
	a.turn(t)
	command.waits(t, Sealing, "requests under way")
	a.waits(t, Sealing, "requests under way")
	if h.opens(t) != 0 {
		t.Error("values wait for the requests under way")
	}
	h.Wait(settle)
	a.waits(t, Sealing, "requests under way") // the keys are closed now
	h.Wait(settle)
	a.waits(t, Sealing, "1 step")
	command.waits(t, Sealing, "1 step")
	if names := a.Keys.Names(); len(names.Old()) != 1 {
		t.Errorf("%+v while a step needs the old key", names)
	}
	h.Wait(10 * time.Minute)
	a.turn(t)
	command.waits(t, Sessions, "1 session")
	a.waits(t, Sessions, "1 session")
	if status, err := command.Status(t.Context()); err != nil || status.Phase != Sessions || status.Waits != "1 session from before" {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := raw.ExecContext(t.Context(), "DELETE FROM sessions"); err != nil {
		t.Fatal(err)
	}
	a.turn(t)
	if got := command.turn(t); got.Phase != Idle {
		t.Errorf("%+v at the end", got)
	}
	if h.opens(t) != 0 {
		t.Error("values open with the old key")
	}
	checkGone(t, h.keyFile, oldFile, h.old)
}

// K5: two servers with copies of the file. Neither seals with the new key before both have it,
// and each then changes its own copy.
func TestTwoServersWithCopies(t *testing.T) {
	h := newHome(t, 3)
	copied := filepath.Join(t.TempDir(), "keys.json")
	copyFile(t, h.keyFile, copied)
	a, b := h.server(t, h.keyFile, "a"), h.server(t, copied, "b")
	if err := a.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a.waits(t, Added, "has not read the new key")
		h.Wait(settle)
		b.turn(t)
	}
	copyFile(t, h.keyFile, copied)
	b.turn(t)
	if a.turn(t); a.Keys.Names().Sealing != a.Keys.Names().Seal[1] {
		t.Fatal("the new key is not used though both know it")
	}
	h.Wait(settle)
	a.turn(t)
	b.turn(t)
	for range 4 {
		h.Wait(settle)
		a.turn(t)
		b.turn(t)
	}
	for name, file := range map[string]string{"a": h.keyFile, "b": copied} {
		keys, err := secrets.LoadKeys(file)
		if err != nil || len(keys.Names().Seal) != 1 || keys.Names().Sealing != a.Keys.Names().Sealing {
			t.Errorf("%s: %+v, %v", name, keys.Names(), err)
		}
	}
	if h.opens(t) != 0 {
		t.Error("values open with the old key")
	}
}

// K5: a copy of the file from before the rotation starts nothing any more, and replaces no
// keys of a process that runs.
func TestOldCopy(t *testing.T) {
	h := newHome(t, 1)
	stale, err := os.ReadFile(h.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	a := h.server(t, h.keyFile, "a")
	if err := a.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.turn(t)
	a.turn(t)
	if err := os.WriteFile(h.keyFile, stale, 0o600); err != nil {
		t.Fatal(err)
	}
	before := a.Keys.Names()
	if err := a.Reload(t.Context(), true); err == nil || !strings.Contains(err.Error(), "still in use") {
		t.Errorf("the old copy was taken: %v", err)
	}
	if !a.Keys.Names().Equal(before) {
		t.Error("the keys were replaced")
	}
	keys, err := secrets.LoadKeys(h.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Fits(t.Context(), keys); err == nil {
		t.Error("a start with the old copy is not refused")
	}
}

// K5: a server that was not heard of is not waited for; when it wakes, what it seals with the old
// key is refused until it has read the new one.
func TestServerThatSlept(t *testing.T) {
	h := newHome(t, 1)
	asleep := h.server(t, h.keyFile, "asleep")
	a := h.server(t, h.keyFile, "b")
	if err := a.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.waits(t, Added, "has not read the new key")
	h.Wait(models.KeyNodeGone)
	for range 4 {
		a.turn(t)
		h.Wait(settle)
	}
	if names := a.Keys.Names(); len(names.Seal) != 1 {
		t.Fatalf("%+v", names)
	}
	store1 := func() error {
		id := store.NewID()
		sealed, err := asleep.Keys.Seal(models.NewSecret("lk_at_x"), secrets.Place{Table: "tokens", Column: "sealed", Row: id})
		if err != nil {
			return err
		}
		_, err = asleep.db.CreateManualToken(t.Context(), h.ana, models.Token{ID: id, ApplicationID: h.app.ID, TeamID: h.ana.TeamID, Kind: models.KindManual, Hash: []byte(id), Sealed: sealed, Scopes: "api", ExpiresAt: h.Now().Add(time.Hour)}, "")
		return err
	}
	if err := store1(); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("what nobody will open was stored: %v", err)
	}
	asleep.turn(t)
	if err := store1(); err != nil {
		t.Errorf("awake: %v", err)
	}
}

// K5: a value that does not open keeps the old key, and is named; it goes on when that is gone.
func TestDamagedValueKeepsTheOldKey(t *testing.T) {
	h := newHome(t, 2)
	if _, err := h.Raw(t).ExecContext(t.Context(), "UPDATE client_secrets SET sealed = CAST(sealed || x'00' AS BLOB)"); err != nil {
		t.Fatal(err)
	}
	p := h.process(t, h.keyFile)
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.turn(t)
	for range 3 {
		p.waits(t, Sealing, "1 value cannot be opened with no key, replace or remove what they belong to: client_secrets "+h.app.ID)
		h.Wait(settle)
	}
	if len(p.Keys.Names().Old()) != 1 {
		t.Fatal("the old key is gone")
	}
	if _, err := h.Raw(t).ExecContext(t.Context(), "DELETE FROM client_secrets"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		p.turn(t)
		h.Wait(settle)
	}
	if len(p.Keys.Names().Old()) != 0 {
		t.Error("the old key stays")
	}
}

// K5: where Latchkey cannot write the keys, it says each step and takes what the operator did.
func TestVault(t *testing.T) {
	h := newHome(t, 2)
	content, err := os.ReadFile(h.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	a := h.server(t, h.keyFile, "a")
	a.Source.Change = nil
	if err := a.Begin(t.Context()); !errors.Is(err, secrets.ErrKeysReadOnly) {
		t.Errorf("begun: %v", err)
	}
	step := func() bool {
		t.Helper()
		change, err := h.process(t, h.keyFile).Next(t.Context(), false)
		if err != nil {
			return false
		}
		if content, err = secrets.ChangeKeys(content, change); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.keyFile, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if !step() || step() { // the server has not read it
		t.Fatal("the second step does not wait for the server")
	}
	if got := a.turn(t); !got.By {
		t.Errorf("%+v", got)
	}
	if !step() {
		t.Fatal("the new key cannot be used")
	}
	a.turn(t)
	if step() {
		t.Fatal("the old key can be dropped at once")
	}
	for range 3 {
		h.Wait(settle)
		a.turn(t)
	}
	if h.opens(t) != 0 || !step() {
		t.Fatal("the old key cannot be dropped")
	}
	a.turn(t)
	a.turn(t)
	if names := a.Keys.Names(); !step() || len(names.Seal) != 1 {
		t.Fatalf("the old session key cannot be dropped: %+v", names)
	}
	if got := a.turn(t); got.Phase != Idle {
		t.Errorf("%+v", got)
	}
	h.opens(t)
}

// K5: run twice at once, by commands without a server, it adds one key and loses nothing.
func TestTwiceAtOnce(t *testing.T) {
	h := newHome(t, 1200)
	processes := []process{h.process(t, h.keyFile), h.process(t, h.keyFile), h.process(t, h.keyFile)}
	for i := range processes {
		processes[i].Settle = 0
	}
	var group sync.WaitGroup
	for _, p := range processes {
		group.Go(func() {
			if err := p.Begin(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, p := range processes {
		group.Go(func() {
			for range 200 {
				_, err := p.Advance(t.Context())
				if err != nil && !errors.Is(err, models.ErrBusy) {
					t.Error(err)
				}
				if PhaseOf(p.Keys.Names()) == Idle {
					return
				}
				h.Wait(time.Millisecond)
			}
			t.Error("no end")
		})
	}
	group.Wait()
	if h.opens(t) != 0 {
		t.Error("values open with the old key")
	}
	if n := h.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = 'Old key retired' AND detail LIKE 'seal%'"); n != 1 {
		t.Errorf("retired %d times", n)
	}
}

// K5: fifty thousand values are sealed anew in steps; others write in between, and wait for no more than one.
func TestManyValuesInSteps(t *testing.T) {
	h := newHome(t, 50_000)
	p := h.process(t, h.keyFile)
	if err := p.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.turn(t) // the new key is in use
	other := h.process(t, h.keyFile)
	sealing, written, longest := make(chan error, 1), 0, time.Duration(0)
	go func() {
		_, err := p.Advance(t.Context())
		sealing <- err
	}()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for range every.C {
		began := time.Now()
		if err := other.db.SeeKeys(t.Context(), models.KeyNode{ID: "x", Sealing: p.Keys.Names().Sealing, Since: h.Now()}); err != nil {
			t.Error(err)
		}
		longest = max(longest, time.Since(began))
		written++
		select {
		case err := <-sealing:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d commits of another process meanwhile, the longest took %s", written, longest)
			if written < 10 { // one step would have kept all of them waiting
				t.Errorf("%d commits of another process meanwhile, the longest took %s", written, longest)
			}
			if h.opens(t) != 0 {
				t.Error("values are left")
			}
			return
		default:
		}
	}
}
