package secrets_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/secrets"
)

func changed(t *testing.T, content []byte, change secrets.KeyChange) ([]byte, *secrets.Keys) {
	t.Helper()
	after, err := secrets.ChangeKeys(content, change)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secrets.ParseKeys("keys", after)
	if err != nil {
		t.Fatal(err)
	}
	return after, keys
}

// K5: from the old key to the new one: what is open at each step, and what is left at the end.
func TestChangeKeys(t *testing.T) {
	content := []byte(knownKeyFile)
	oldKeys, err := secrets.ParseKeys("keys", content)
	if err != nil {
		t.Fatal(err)
	}
	before := oldKeys.Names()
	if before.Sealing != "5b448151" || before.Next() != "" || len(before.Old())+len(before.OldSessions()) > 0 {
		t.Fatalf("%+v", before)
	}
	known, _ := hex.DecodeString(knownSealed)

	content, added := changed(t, content, secrets.AddKeys)
	names := added.Names()
	fresh := names.Next()
	if names.Sealing != before.Sealing || fresh == "" || fresh == before.Sealing || names.Sessions[0] != before.Sessions[0] || len(names.Sessions) != 2 || len(names.OldSessions()) != 0 {
		t.Fatalf("added: %+v", names)
	}
	if sealed := seal(t, added, "x", home); !bytes.HasPrefix(sealed, known[:5]) {
		t.Error("the added key seals already")
	}
	content, used := changed(t, content, secrets.UseNewKeys)
	names = used.Names()
	if names.Sealing != fresh || names.Next() != "" || len(names.Old()) != 1 || names.OldSessions()[0] != before.Sessions[0] {
		t.Fatalf("used: %+v", names)
	}
	if bytes.Equal(used.SessionKeys()[0], oldKeys.SessionKeys()[0]) || !bytes.Equal(used.SessionKeys()[1], oldKeys.SessionKeys()[0]) {
		t.Error("the new session key does not sign, or the old one does not verify")
	}
	anew, err := used.Reseal(known, home)
	if err != nil || !bytes.HasPrefix(anew, secrets.SealPrefix(fresh)) {
		t.Fatalf("sealed anew as %x, %v", anew[:5], err)
	}
	if again, err := used.Reseal(anew, home); err != nil || again != nil {
		t.Error("what the new key sealed is sealed once more")
	}
	if got, err := added.Open(anew, home); err != nil || got.Reveal() != "lk_at_known" {
		t.Errorf("a process that knows the new key does not open with it: %v", err)
	}
	if _, err := used.Reseal(known, secrets.Place{Table: "tokens", Column: "sealed", Row: "elsewhere"}); !errors.Is(err, secrets.ErrSealed) { // K2
		t.Errorf("a value that was moved is sealed anew: %v", err)
	}
	content, last := changed(t, content, secrets.DropKeys(used.Names().Old(), used.Names().OldSessions()))
	if names = last.Names(); len(names.Seal) != 1 || len(names.Sessions) != 1 || names.Sealing != fresh {
		t.Fatalf("dropped: %+v", names)
	}
	if _, err := last.Open(known, home); !errors.Is(err, secrets.ErrSealed) { // K7
		t.Errorf("the old key still opens: %v", err)
	}
	if _, err := last.Open(anew, home); err != nil {
		t.Errorf("the new key does not: %v", err)
	}
	for _, key := range []string{"At4iqyvyIzRsvhZb3JUvCvAJRVg2s7dgKz36tDcT01qA", "/U+wPudKPFepb31fEZjvR0nrlDIOQH4Ce0GHHDeders"} {
		if !strings.Contains(knownKeyFile, key) || bytes.Contains(content, []byte(key)) {
			t.Error("an old key is still in the file")
		}
	}
}

// K5: a step that is done twice is done once, and none takes the keys in use.
func TestChangeKeysTwice(t *testing.T) {
	content := []byte(knownKeyFile)
	for name, change := range map[string]secrets.KeyChange{
		"use": secrets.UseNewKeys, "drop": secrets.DropKeys([]string{"5b448151"}, []string{"6005fdb0"}),
	} {
		if after, err := secrets.ChangeKeys(content, change); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s changed a file with one key of each kind: %v", name, err)
		}
	}
	content, _ = changed(t, content, secrets.AddKeys)
	if after, _ := changed(t, content, secrets.AddKeys); !bytes.Equal(after, content) {
		t.Error("two keys were added")
	}
	content, used := changed(t, content, secrets.UseNewKeys)
	if after, _ := changed(t, content, secrets.UseNewKeys); !bytes.Equal(after, content) {
		t.Error("the order was changed back")
	}
	names := used.Names()
	if _, kept := changed(t, content, secrets.DropKeys(names.Seal, names.Sessions)); kept.Names().Sealing != names.Sealing || kept.Names().Sessions[0] != names.Sessions[0] {
		t.Error("the keys in use were dropped")
	}
	// A second rotation while an old session key still waits.
	content, _ = changed(t, content, secrets.DropKeys(names.Old(), nil))
	content, _ = changed(t, content, secrets.AddKeys)
	_, second := changed(t, content, secrets.UseNewKeys)
	if got := second.Names().Sessions; len(got) != 3 || got[1] != names.Sessions[0] || got[2] != names.Sessions[1] {
		t.Errorf("sessions %v after %v", got, names.Sessions)
	}
}

// K5: of many processes that change one file at once, each goes on from what the one
// before did: no key is lost that another has begun to use.
func TestChangeKeyFileTogether(t *testing.T) {
	path := writeKeyFile(t, knownKeyFile, 0o400)
	link := filepath.Join(t.TempDir(), "keys.json")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("half a file of a process that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealedBy := make([][]byte, 16)
	var group sync.WaitGroup
	for i := range sealedBy {
		group.Go(func() {
			for _, change := range []secrets.KeyChange{secrets.AddKeys, secrets.UseNewKeys} {
				if err := secrets.ChangeKeyFile(t.Context(), link, change); err != nil {
					t.Error(err)
				}
			}
			keys, err := secrets.LoadKeys(link)
			if err != nil {
				t.Error(err)
				return
			}
			sealedBy[i] = seal(t, keys, "x", home)
		})
	}
	group.Wait()
	keys, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, sealed := range sealedBy {
		if _, err := keys.Open(sealed, home); err != nil {
			t.Errorf("what process %d sealed does not open any more", i)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o400 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	onlyFileIn(t, path)
}

// K4 T3: what is wrong is told in one line without key material, and the file stays.
func TestChangeKeyFileThatCannotBe(t *testing.T) {
	damaged := writeKeyFile(t, `{"version":1,"seal":"CANARY"}`, 0o600)
	open := writeKeyFile(t, knownKeyFile, 0o640)
	for name, path := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "damaged": damaged, "readable by others": open} {
		before, _ := os.ReadFile(path)
		err := secrets.ChangeKeyFile(t.Context(), path, secrets.AddKeys)
		if err == nil || bytes.Contains([]byte(err.Error()), []byte("CANARY")) || !bytes.Contains([]byte(err.Error()), []byte(path)) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the file changed", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := secrets.ChangeKeys([]byte("{}"), secrets.AddKeys); err == nil {
		t.Error("no keys were changed")
	}
	if err := secrets.ChangeKeyFile(ctx, writeKeyFile(t, knownKeyFile, 0o600), secrets.AddKeys); err != nil {
		t.Errorf("a free file was waited for: %v", err)
	}
}

// K5: whoever holds the keys goes on while they are replaced.
func TestReplaceWhileInUse(t *testing.T) {
	content := []byte(knownKeyFile)
	_, keys := changed(t, content, secrets.UseNewKeys)
	added, _ := changed(t, content, secrets.AddKeys)
	_, used := changed(t, added, secrets.UseNewKeys)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 500 {
				sealed := seal(t, keys, "x", home)
				if _, err := used.Open(sealed, home); err != nil || len(keys.SessionKeys()) == 0 {
					t.Error("sealed by a key of neither")
				}
			}
		})
	}
	version := keys.Version()
	keys.Replace(used)
	group.Wait()
	if keys.Version() == version || !keys.Names().Equal(used.Names()) {
		t.Error("the keys were not replaced")
	}
	if got, err := keys.Open(seal(t, used, "lk_at_x", home), home); err != nil || got.Reveal() != "lk_at_x" {
		t.Errorf("%v", err)
	}
}

func FuzzChangeKeys(f *testing.F) {
	for _, seed := range []string{knownKeyFile, "", "{}", `{"version":1,"seal":{},"sessions":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := secrets.ParseKeys("keys", content); err != nil {
			if _, err := secrets.ChangeKeys(content, secrets.AddKeys); err == nil {
				t.Error("a file that cannot be used was changed")
			}
			return
		}
		content, keys := changed(t, content, secrets.AddKeys)
		if keys.Names().Next() == "" {
			t.Error("no key was added")
		}
		if _, keys = changed(t, content, secrets.UseNewKeys); keys.Names().Next() != "" {
			t.Error("the new key is not used")
		}
	})
}
