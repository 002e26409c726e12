package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/store/storetest"
)

// withMember is a folder with a database that is closed, of one team with one application.
func withMember(t *testing.T) map[string]string {
	t.Helper()
	env := madeFolder(t)
	args := []string{"user", "add", "--email", "ana@example.com", "--name", "Ana Ruiz", "--team", "Northwind", "--password-stdin"}
	if code, _, stderr := call(t, env, "seven gulls over Brest", args...); code != exitDone {
		t.Fatal(stderr)
	}
	return env
}

func must(t *testing.T, env map[string]string, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := call(t, env, stdin, args...)
	if code != exitDone {
		t.Fatalf("%v: exit %d %q", args, code, stderr)
	}
	return stdout, stderr
}

// state is every file of a folder with its content.
func state(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			all[name] = "a folder"
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, name))
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantUnchanged(t *testing.T, folder string, before map[string]string) {
	t.Helper()
	for name, content := range state(t, folder) {
		if was, there := before[name]; !there || was != content {
			t.Errorf("%s was made or changed", name)
		}
		delete(before, name)
	}
	for name := range before {
		t.Errorf("%s is gone", name)
	}
}

func TestBackupCommand(t *testing.T) {
	env := withMember(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	stdout, stderr := must(t, env, "", "backup", path)
	if !strings.HasPrefix(stdout, "Backed up 0.") || !strings.Contains(stdout, " MB, 0 tokens and 1 application, as of 20") ||
		!strings.HasSuffix(stdout, ", to "+path+". The key file is not in it.\n") || stderr != "" {
		t.Errorf("%q %q", stdout, stderr)
	}
	content, err := os.ReadFile(path)
	info, failed := os.Stat(path)
	if err != nil || failed != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v, %v", info.Mode(), err, failed)
	}
	streamed, said := must(t, env, "", "backup", "-")
	if streamed != string(content) || !strings.HasSuffix(said, ", to standard output. The key file is not in it.\n") {
		t.Errorf("streamed %d bytes, want %d, and said %q", len(streamed), len(content), said)
	}
	if before := state(t, filepath.Dir(env["LATCHKEY_DATABASE"])); len(before) != 3 {
		t.Errorf("left beside the database: %d files", len(before))
	}
	must(t, env, "", "backup", "--force", path)
	elsewhere := folder(t)
	elsewhere["LATCHKEY_KEYS"] = env["LATCHKEY_KEYS"]
	if stdout, _ := must(t, elsewhere, streamed, "restore", "-"); !strings.HasPrefix(stdout, "Restored 0 tokens and 1 application to "+elsewhere["LATCHKEY_DATABASE"]) {
		t.Errorf("from standard input: %q", stdout)
	}
	must(t, elsewhere, "eight gulls over Brest", "user", "passwd", "--email", "ana@example.com", "--password-stdin")
}

// What a backup may not be written to stays as it is, and so does the database.
func TestBackupRefusals(t *testing.T) {
	env := withMember(t)
	data, out := filepath.Dir(env["LATCHKEY_DATABASE"]), t.TempDir()
	taken, link := filepath.Join(out, "taken"), filepath.Join(out, "link")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(env["LATCHKEY_DATABASE"], link); err != nil {
		t.Fatal(err)
	}
	dataBefore, outBefore := state(t, data), state(t, out)
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		"there already":       {[]string{taken}, nil, exitFailed, taken + " is there already and is left as it is: choose another name, or write --force"},
		"a folder":            {[]string{out, "--force"}, nil, exitFailed, out + " is a folder: name a file in it"},
		"a device":            {[]string{"/dev/null", "--force"}, nil, exitFailed, "/dev/null is not a file"},
		"the database":        {[]string{env["LATCHKEY_DATABASE"], "--force"}, nil, exitFailed, "is what the server works with"},
		"a link to it":        {[]string{link, "--force"}, nil, exitFailed, "is what the server works with"},
		"its log":             {[]string{env["LATCHKEY_DATABASE"] + "-wal", "--force"}, nil, exitFailed, "is what the server works with"},
		"the key file":        {[]string{env["LATCHKEY_KEYS"], "--force"}, nil, exitFailed, "is what the server works with"},
		"no such folder":      {[]string{filepath.Join(out, "missing", "b.db")}, nil, exitFailed, "nothing can be written beside " + filepath.Join(out, "missing", "b.db") + ", check its folder"},
		"no file":             {nil, nil, exitUsage, "write one file, such as: web backup latchkey-backup.db"},
		"two files":           {[]string{"a", "b"}, nil, exitUsage, "write one file"},
		"no database":         {[]string{"b.db"}, map[string]string{"LATCHKEY_DATABASE": filepath.Join(out, "none.db")}, exitFailed, "there is no database " + filepath.Join(out, "none.db")},
		"not a database":      {[]string{filepath.Join(out, "b.db")}, map[string]string{"LATCHKEY_DATABASE": taken}, exitFailed, "the file is not a SQLite database"},
		"PostgreSQL":          {[]string{"b.db"}, map[string]string{"LATCHKEY_DATABASE": "postgres://u:secret@db/latchkey"}, exitFailed, `pg_dump --format=custom --file=FILE "$LATCHKEY_DATABASE"`},
		"keys over something": {[]string{filepath.Join(out, "b.db"), "--with-keys", taken}, nil, exitFailed, taken + " is there already, does not hold these keys and is left as it is"},
		"keys of another":     {[]string{filepath.Join(out, "b.db"), "--with-keys", filepath.Join(out, "k.json")}, map[string]string{"LATCHKEY_KEYS": madeFolder(t)["LATCHKEY_KEYS"]}, exitFailed, "does not belong to the database"},
	} {
		env := changedIn(env, test.env)
		code, stdout, stderr := call(t, env, "", append([]string{"backup"}, test.args...)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "secret@") {
			t.Errorf("%s: exit %d %q %q, want %q", name, code, stdout, stderr, test.want)
		}
	}
	wantUnchanged(t, data, dataBefore)
	wantUnchanged(t, out, outBefore)
}

// changedIn is env with some variables changed.
func changedIn(env, changed map[string]string) map[string]string {
	all := map[string]string{}
	for _, from := range []map[string]string{env, changed} {
		for name, value := range from {
			all[name] = value
		}
	}
	return all
}

// K4: the key file is not in a backup unless asked for by name, and then in a file of its own.
func TestBackupAndKeys(t *testing.T) {
	env := withMember(t)
	keys, err := os.ReadFile(env["LATCHKEY_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	path, copied := filepath.Join(out, "backup.db"), filepath.Join(out, "keys.json")
	must(t, env, "", "backup", path)
	key := keys[bytes.LastIndex(keys, []byte(`"key":"`))+7:][:40]
	if content, err := os.ReadFile(path); err != nil || bytes.Contains(content, key) || bytes.Contains(content, []byte("primaryKeyId")) {
		t.Errorf("the key is in the backup, %v", err)
	}
	for range 2 { // as a nightly job does
		if stdout, _ := must(t, env, "", "backup", "--force", "--with-keys", copied, path); !strings.HasSuffix(stdout, "The key file was copied to "+copied+".\n") {
			t.Errorf("%q", stdout)
		}
	}
	info, err := os.Stat(copied)
	content, failed := os.ReadFile(copied)
	if err != nil || failed != nil || info.Mode() != 0o600 || !bytes.Equal(content, keys) {
		t.Errorf("%v, %v, %v", info.Mode(), err, failed)
	}
}

// What could not be written out is an error, and nothing of it stays.
func TestBackupStreamFails(t *testing.T) {
	env := withMember(t)
	data := filepath.Dir(env["LATCHKEY_DATABASE"])
	before := state(t, data)
	var stderr strings.Builder
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	reader, writer := io.Pipe()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"web", "backup", "-"}, look, strings.NewReader(""), writer, &stderr); code != exitFailed || !strings.Contains(stderr.String(), "could not be written to standard output") {
		t.Errorf("exit %d %q", code, stderr.String())
	}
	wantUnchanged(t, data, before)
}

// A backup is made before a newer program brings the database up to date.
func TestBackupDoesNotMigrate(t *testing.T) {
	env := madeFolder(t)
	db := &storetest.DB{Path: env["LATCHKEY_DATABASE"]}
	if _, err := db.Raw(t).ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id > 10; DROP TABLE tickets"); err != nil {
		t.Fatal(err)
	}
	must(t, env, "", "backup", filepath.Join(t.TempDir(), "backup.db"))
	if got := db.Number(t, "SELECT MAX(version_id) FROM goose_db_version"); got != 10 {
		t.Errorf("the database is at version %d", got)
	}
}
