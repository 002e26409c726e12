package secrets_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/secrets"
)

// Made for these tests, used nowhere else.
const (
	knownKeyFile = `{"version":1,"seal":{"primaryKeyId":1531216209,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","value":"GiAt4iqyvyIzRsvhZb3JUvCvAJRVg2s7dgKz36tDcT01qA==","keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":1531216209,"outputPrefixType":"TINK"}]},"sessions":[{"id":"6005fdb0","key":"/U+wPudKPFepb31fEZjvR0nrlDIOQH4Ce0GHHDeders="}]}`
	knownSealed  = "015b448151316f416535cc63d79c323fb1733adcfc9cbcb8d64c364cab842acc0c7872986e83d540fbe0d6bb"
)

func writeKeyFile(t testing.TB, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// K4: file 0600, missing directory 0700, what was made is what loads.
func TestCreateKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keys.json")
	made, err := secrets.CreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	loaded, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made.SessionKeys()[0], loaded.SessionKeys()[0]) {
		t.Error("loaded session key differs from the one made")
	}
	onlyFileIn(t, path)
}

func onlyFileIn(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("directory holds %v, %v, want the key file alone", entries, err)
	}
}

// K4: nothing is re-made beside existing data, be it a key file or not.
func TestCreateKeysNeverOverwrites(t *testing.T) {
	for _, content := range []string{"", "{}", knownKeyFile} {
		path := writeKeyFile(t, content, 0o600)
		_, err := secrets.CreateKeys(path)
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one that names the file and wraps fs.ErrExist", err)
		}
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("the file was changed to %d bytes", len(got))
		}
		onlyFileIn(t, path)
	}
	dangling := filepath.Join(t.TempDir(), "keys.json")
	if err := os.Symlink("elsewhere", dangling); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.CreateKeys(dangling); !errors.Is(err, fs.ErrExist) {
		t.Errorf("dangling link: error %v, want fs.ErrExist", err)
	}
}

// K4: of many who create at once one wins, and its keys are those in the file.
func TestCreateKeysOneWinner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "keys.json")
	results := make([]*secrets.Keys, 24)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			keys, err := secrets.CreateKeys(path)
			if err != nil && !errors.Is(err, fs.ErrExist) {
				t.Errorf("loser's error is %v", err)
			}
			results[i] = keys
		})
	}
	group.Wait()

	loaded, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	winners := 0
	for _, keys := range results {
		if keys == nil {
			continue
		}
		winners++
		if _, err := loaded.Open(seal(t, keys, "x", home), home); err != nil {
			t.Errorf("the winner's keys are not those of the file: %v", err)
		}
	}
	if winners != 1 {
		t.Errorf("%d winners", winners)
	}
	onlyFileIn(t, path)
}

func TestCreateKeysWhereItCannot(t *testing.T) {
	file := writeKeyFile(t, "", 0o600)
	_, err := secrets.CreateKeys(filepath.Join(file, "keys.json"))
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v, want one that names the file", err)
	}
}

// K4: others who can read or write the file stop the start.
func TestLoadKeysRefusesOpenModes(t *testing.T) {
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o620, 0o602, 0o601, 0o610, 0o666} {
		path := writeKeyFile(t, knownKeyFile, mode)
		_, err := secrets.LoadKeys(path)
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: error %v, want chmod advice", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		if _, err := secrets.LoadKeys(writeKeyFile(t, knownKeyFile, mode)); err != nil {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestLoadKeysMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	_, err := secrets.LoadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path+" is missing") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made")
	}
}

// K4: a mounted secret is a link.
func TestLoadKeysFollowsLinks(t *testing.T) {
	link := filepath.Join(t.TempDir(), "keys.json")
	if err := os.Symlink(writeKeyFile(t, knownKeyFile, 0o400), link); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.LoadKeys(link); err != nil {
		t.Error(err)
	}
}

// K4 T3: damage is told in one line that names the file and quotes none of it.
func TestLoadKeysDamaged(t *testing.T) {
	const canary = "CANARYcanaryCANARYcanaryCANARYcanaryCANARYc="
	session := func(key string) string {
		head, _, _ := strings.Cut(knownKeyFile, `"sessions"`)
		return head + `"sessions":[{"id":"a","key":"` + key + `"}]}`
	}
	replace := func(old, with string) string {
		if !strings.Contains(knownKeyFile, old) {
			t.Fatalf("nothing to replace: %s", old)
		}
		return strings.Replace(knownKeyFile, old, with, 1)
	}
	withSeal := func(seal string) string {
		return `{"version":1,"seal":` + seal + `,"sessions":[{"id":"a","key":"` + canary + `"}]}`
	}
	for _, tt := range []struct{ name, content, want string }{
		{"empty", "", "empty"},
		{"blank", " \n", "empty"},
		{"no fields", "{}", "version is 0"},
		{"null", "null", "version is 0"},
		{"list", "[]", "damaged"},
		{"not JSON", canary, "damaged"},
		{"half", knownKeyFile[:len(knownKeyFile)/2], "damaged"},
		{"last brace missing", strings.TrimRight(knownKeyFile, "}\n"), "damaged"},
		{"newer", replace(`"version":1`, `"version":2,"`+canary+`":1`), "version is 2"},
		{"version as text", replace(`"version":1`, `"version":"`+canary+`"`), "damaged"},
		{"unknown field", replace(`"version":1`, `"version":1,"`+canary+`":1`), "does not know"},
		{"unknown session field", replace(`"id":`, `"`+canary+`":1,"id":`), "does not know"},
		{"twice", knownKeyFile + knownKeyFile, "damaged"},
		{"no seal", `{"version":1,"sessions":[{"id":"a","key":"` + canary + `"}]}`, "sealing keys"},
		{"seal null", withSeal("null"), "sealing keys"},
		{"seal empty", withSeal("{}"), "sealing keys"},
		{"seal text", withSeal(`"` + canary + `"`), "sealing keys"},
		{"seal unknown field", withSeal(`{"` + canary + `":1}`), "sealing keys"},
		{"seal not base64", replace(`"value":"`, `"value":"!`), "sealing keys"},
		{"seal short key", replace(`"value":"GiA`, `"value":"GhA`), "sealing keys"},
		{"seal other kind", replace("AesGcmKey", "AesSivKey"), "sealing keys"},
		{"seal no primary", replace(`"primaryKeyId":`, `"primaryKeyId":1`), "sealing keys"},
		{"no sessions", session("x")[:strings.Index(session("x"), `,"sessions"`)] + "}", "session keys"},
		{"session key short", session(base64.StdEncoding.EncodeToString(make([]byte, 31))), "session key 1"},
		{"session key long", session(base64.StdEncoding.EncodeToString(make([]byte, 33))), "session key 1"},
		{"session key empty", session(""), "session key 1"},
		{"session key not base64", session(canary + "!"), "damaged"},
		{"session without id", strings.Replace(session(canary), `"a"`, `""`, 1), "session key 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeKeyFile(t, tt.content, 0o600)
			keys, err := secrets.LoadKeys(path)
			if err == nil || keys != nil {
				t.Fatalf("loaded, error %v", err)
			}
			checkMessage(t, err, path, tt.want)
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("error quotes the file: %v", err)
			}
		})
	}
}

func checkMessage(t *testing.T, err error, path, want string) {
	t.Helper()
	message := err.Error()
	if !strings.Contains(message, path) || !strings.Contains(message, want) || strings.Contains(message, "\n") {
		t.Errorf("error %q, want one line with the path and %q", message, want)
	}
	if !strings.Contains(message, "restore it from your backup") {
		t.Errorf("error %q does not say what to do", message)
	}
}

func TestLoadKeysNotAKeyFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.LoadKeys(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("directory: %v", err)
	}
	huge := writeKeyFile(t, knownKeyFile+strings.Repeat(" ", 1<<20), 0o600)
	if _, err := secrets.LoadKeys(huge); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("huge file: %v", err)
	}
}

// K4: session keys are not sealing keys; the newest is first, the copy is the caller's.
func TestSessionKeys(t *testing.T) {
	newest := strings.Repeat("n", 32)
	older := `"sessions":[`
	content := strings.Replace(knownKeyFile, older,
		older+`{"id":"new","key":"`+base64.StdEncoding.EncodeToString([]byte(newest))+`"},`, 1)
	path := writeKeyFile(t, content, 0o600)
	keys, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	got := keys.SessionKeys()
	if len(got) != 2 || string(got[0]) != newest || len(got[1]) != 32 {
		t.Fatalf("%d keys, or not the newest first", len(got))
	}
	if bytes.Equal(got[1], rawSealKey(t, path)) {
		t.Error("one key serves two purposes")
	}
	clear(got[0])
	if string(keys.SessionKeys()[0]) != newest {
		t.Error("the caller's copy changed the keys")
	}
}

// K4: keys are never logged.
func TestKeysDoNotPrint(t *testing.T) {
	keys, _ := newKeys(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, keys); got != "[keys]" {
			t.Errorf("%s prints %d bytes of the keys", verb, len(got))
		}
	}
}

func FuzzLoadKeys(f *testing.F) {
	for _, seed := range []string{knownKeyFile, "", "{}", `{"version":1,"seal":{},"sessions":[]}`} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "keys.json")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := secrets.LoadKeys(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
			return
		}
		for _, key := range keys.SessionKeys() {
			if len(key) != 32 {
				t.Errorf("session key of %d bytes", len(key))
			}
		}
		got, err := keys.Open(seal(t, keys, "x", home), home)
		if err != nil || got.Reveal() != "x" {
			t.Errorf("accepted keys do not open what they sealed: %v", err)
		}
	})
}

// K4: a copy is as private as the file, whole or not there, and overwrites nothing.
func TestCopyKeys(t *testing.T) {
	path := writeKeyFile(t, knownKeyFile, 0o600)
	to := filepath.Join(t.TempDir(), "copies", "keys.json")
	for range 2 { // the same keys are there already
		if err := secrets.CopyKeys(path, to); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(to)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if content, err := os.ReadFile(to); err != nil || string(content) != knownKeyFile {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	onlyFileIn(t, to)
	other := filepath.Join(t.TempDir(), "other.json")
	if _, err := secrets.CreateKeys(other); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		from, to string
		want     error
	}{
		"over other keys": {path, other, fs.ErrExist},
		"no keys":         {filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "copy"), fs.ErrNotExist},
		"not keys":        {writeKeyFile(t, "{}", 0o600), filepath.Join(t.TempDir(), "copy"), nil},
		"open to others":  {writeKeyFile(t, knownKeyFile, 0o644), filepath.Join(t.TempDir(), "copy"), nil},
		"below a file":    {path, filepath.Join(path, "copy"), nil},
	} {
		err := secrets.CopyKeys(test.from, test.to)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || strings.Contains(err.Error(), "GiAt4iqyvyIzRs") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := secrets.CopyKeys(path, other); err == nil || !strings.Contains(err.Error(), "left as it is") {
		t.Error(err)
	}
}
