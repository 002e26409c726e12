package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/store/storetest"
)

// altered is a copy of a backup after a statement. See storetest.Tamper for the audit log.
func altered(t *testing.T, backup string, change func(db *storetest.DB)) string {
	t.Helper()
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "altered.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	change(&storetest.DB{Path: path})
	return path
}

func fileOf(t *testing.T, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever is refused leaves everything as it is, says so in one line, and what to do.
func TestRestoreRefusals(t *testing.T) { // K4
	source := withMember(t)
	good := filepath.Join(t.TempDir(), "backup.db")
	must(t, source, "", "backup", good)
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := fileOf(t, content[:len(content)/2], 0o600)
	newer := altered(t, good, func(db *storetest.DB) {
		db.Tamper(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	})
	tampered := altered(t, good, func(db *storetest.DB) { db.Tamper(t, "UPDATE audit_events SET actor_name = 'Nobody'") })
	orphans := altered(t, good, func(db *storetest.DB) { db.Tamper(t, "DELETE FROM teams") })
	logged := fileOf(t, content, 0o600)
	if err := os.WriteFile(logged+"-wal", []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(source["LATCHKEY_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	target := withMember(t) // of another installation
	data := filepath.Dir(target["LATCHKEY_DATABASE"])
	before := state(t, data)
	for name, test := range map[string]struct {
		args []string
		keys string
		code int
		want string
	}{
		"a database is there":  {[]string{good}, source["LATCHKEY_KEYS"], exitFailed, "there is a database " + target["LATCHKEY_DATABASE"] + " already and it is left as it is: set LATCHKEY_DATABASE to another place, or write --force"},
		"no file":              {[]string{"--force"}, "", exitUsage, "write one file, such as: web restore latchkey-backup.db"},
		"finish with a file":   {[]string{"--finish", good}, source["LATCHKEY_KEYS"], exitUsage, "--finish: write it alone or with --revoke-tokens"},
		"missing":              {[]string{"--force", filepath.Join(t.TempDir(), "none")}, source["LATCHKEY_KEYS"], exitFailed, "cannot be read"},
		"a folder":             {[]string{"--force", t.TempDir()}, source["LATCHKEY_KEYS"], exitFailed, "is a directory"},
		"not a database":       {[]string{"--force", source["LATCHKEY_KEYS"]}, source["LATCHKEY_KEYS"], exitFailed, "is no sound backup: the file is not a SQLite database"},
		"empty":                {[]string{"--force", fileOf(t, nil, 0o600)}, source["LATCHKEY_KEYS"], exitFailed, "but none of Latchkey"},
		"cut":                  {[]string{"--force", cut}, source["LATCHKEY_KEYS"], exitFailed, "is no sound backup: the database is damaged"},
		"rows without a team":  {[]string{"--force", orphans}, source["LATCHKEY_KEYS"], exitFailed, "belongs to one of teams that is not there"},
		"copied while served":  {[]string{"--force", logged}, source["LATCHKEY_KEYS"], exitFailed, "is not whole: what was written last is in " + logged + "-wal"},
		"of a newer program":   {[]string{"--force", newer}, source["LATCHKEY_KEYS"], exitFailed, "start the newer program that migrated it"},
		"audit log changed":    {[]string{"--force", tampered}, source["LATCHKEY_KEYS"], exitFailed, "is not as it was written: entry 1 was changed"},
		"keys of another":      {[]string{"--force", good}, target["LATCHKEY_KEYS"], exitFailed, "the key file " + target["LATCHKEY_KEYS"] + " does not belong to the backup " + good + ": put the one there that the server used at that time"},
		"no keys":              {[]string{"--force", good}, filepath.Join(data, "none.json"), exitFailed, "is of no use without its key file: put that to " + filepath.Join(data, "none.json")},
		"keys open to others":  {[]string{"--force", good}, fileOf(t, keys, 0o644), exitFailed, "run: chmod 600"},
		"damaged keys":         {[]string{"--force", good}, fileOf(t, []byte("{}"), 0o600), exitFailed, "cannot be used"},
		"its own log as input": {[]string{"--force", target["LATCHKEY_DATABASE"] + "-wal"}, source["LATCHKEY_KEYS"], exitFailed, "cannot be read"},
	} {
		env := changedIn(target, map[string]string{"LATCHKEY_KEYS": test.keys})
		code, stdout, stderr := call(t, env, "", append([]string{"restore"}, test.args...)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d %q %q, want %q", name, code, stdout, stderr, test.want)
		}
	}
	postgres := changedIn(target, map[string]string{"LATCHKEY_DATABASE": "postgresql://u:secret@db/latchkey"})
	if code, _, stderr := call(t, postgres, "", "restore", good); code != exitFailed || !strings.Contains(stderr, `pg_restore --clean --if-exists --single-transaction --no-owner --dbname="$LATCHKEY_DATABASE" FILE`) || strings.Contains(stderr, "secret@") {
		t.Errorf("PostgreSQL: exit %d %q", code, stderr)
	}
	wantUnchanged(t, data, before)
	// Without keys that fit, the place is not even begun.
	nowhere := folder(t)
	if code, _, _ := call(t, nowhere, "", "restore", good); code != exitFailed {
		t.Errorf("without keys: exit %d", code)
	}
	if left := state(t, filepath.Dir(nowhere["LATCHKEY_DATABASE"])); len(left) != 1 {
		t.Errorf("left: %d files", len(left)-1)
	}
}

// A broken audit log must not keep an installation down for ever.
func TestRestoreWithBrokenAudit(t *testing.T) {
	env := withMember(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	must(t, env, "", "backup", path)
	tampered := altered(t, path, func(db *storetest.DB) { db.Tamper(t, "UPDATE audit_events SET actor_name = 'Nobody'") })
	must(t, env, "", "restore", "--force", "--with-broken-audit", tampered)
	if code, _, stderr := call(t, env, "", "audit", "verify"); code != exitFailed || !strings.Contains(stderr, "entry 1 was changed") {
		t.Errorf("exit %d %q", code, stderr)
	}
}

// The database of before is kept, whole, and the line says where; the backup itself stays as it is.
func TestRestoreOver(t *testing.T) {
	env := withMember(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	must(t, env, "", "backup", path)
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	must(t, env, "eight gulls over Brest", "user", "add", "--email", "jon@example.com", "--name", "Jon Dahl", "--team", "Northwind", "--password-stdin")
	stdout, stderr := must(t, env, "", "restore", "--force", path)
	_, after, _ := strings.Cut(stdout, "The database of before is kept as ")
	kept, _, found := strings.Cut(after, ".\n")
	if !found || !strings.HasPrefix(kept, env["LATCHKEY_DATABASE"]+".before-") || !strings.Contains(stderr, "Tokens that the database of before still knows to be revoked stay so.") {
		t.Fatalf("%q %q", stdout, stderr)
	}
	for database, users := range map[string]int64{env["LATCHKEY_DATABASE"]: 1, kept: 2} {
		if got := (&storetest.DB{Path: database}).Number(t, "SELECT COUNT(*) FROM users"); got != users {
			t.Errorf("%s has %d users, want %d", database, got, users)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, backup) {
		t.Errorf("the backup was changed, %v", err)
	}
	must(t, changedIn(env, map[string]string{"LATCHKEY_DATABASE": kept}), "", "audit", "verify")
	must(t, env, "", "audit", "verify")
	// And back again: what is kept is a backup like any other.
	must(t, env, "", "restore", "--force", kept)
	if got := (&storetest.DB{Path: env["LATCHKEY_DATABASE"]}).Number(t, "SELECT COUNT(*) FROM users"); got != 2 {
		t.Errorf("%d users", got)
	}
}

// A link in place of the database goes on leading to it.
func TestRestoreThroughALink(t *testing.T) {
	env := withMember(t)
	path, link := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "link.db")
	must(t, env, "", "backup", path)
	if err := os.Symlink(env["LATCHKEY_DATABASE"], link); err != nil {
		t.Fatal(err)
	}
	must(t, changedIn(env, map[string]string{"LATCHKEY_DATABASE": link}), "", "restore", "--force", path)
	if to, err := os.Readlink(link); err != nil || to != env["LATCHKEY_DATABASE"] {
		t.Errorf("%q, %v", to, err)
	}
	must(t, env, "", "audit", "verify")
}

// A backup of an earlier version is brought up to date, in the copy.
func TestRestoreOfAnEarlierVersion(t *testing.T) {
	env := withMember(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	must(t, env, "", "backup", path)
	earlier := altered(t, path, func(db *storetest.DB) {
		statements := []string{"DELETE FROM goose_db_version WHERE version_id > 10"}
		for _, table := range []string{"refused_calls", "usage_days", "usage_hours", "usage_batches", "point_alerts", "point_leases", "team_points", "ledger_entries", "team_plans", "plans", "tickets", "schema_compatibility", "acme_state", "key_nodes", "key_states", "revocations", "revocation_head"} {
			statements = append(statements, "DROP TABLE "+table)
		}
		db.Tamper(t, append(statements, "DELETE FROM applications WHERE type = 'built-in'", "DROP INDEX applications_built_in", "DROP INDEX tokens_temporary", "DROP INDEX tokens_by_key", "ALTER TABLE applications DROP COLUMN points_per_day")...)
	})
	before := (&storetest.DB{Path: earlier}).Number(t, "SELECT MAX(version_id) FROM goose_db_version")
	must(t, env, "", "restore", "--force", earlier)
	if before != 10 || (&storetest.DB{Path: env["LATCHKEY_DATABASE"]}).Number(t, "SELECT COUNT(*) FROM tickets") != 0 {
		t.Errorf("the backup was at version %d", before)
	}
}

// A restore that is told to stop changes nothing.
func TestRestoreInterrupted(t *testing.T) {
	env := withMember(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	must(t, env, "", "backup", path)
	data := filepath.Dir(env["LATCHKEY_DATABASE"])
	before := state(t, data)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	look := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	for args, want := range map[string]string{"backup " + path + "2": "the backup was interrupted, and nothing of it is left", "restore --force " + path: "the restore was interrupted, and nothing was changed"} {
		var out, errs bytes.Buffer
		code := run(ctx, append([]string{"web"}, strings.Fields(args)...), look, strings.NewReader(""), &out, &errs)
		if code != exitFailed || errs.String() != "web: "+want+"\n" {
			t.Errorf("%s: exit %d %q", args, code, errs.String())
		}
	}
	wantUnchanged(t, data, before)
}

// K5: a database that another program brought back from before a rotation of keys, beside keys
// from after it: that is said at once, and what must not be good once more ends all the same.
func TestFinishBesideOtherKeys(t *testing.T) {
	env := withMember(t)
	altered := &storetest.DB{Path: env["LATCHKEY_DATABASE"]}
	altered.Tamper(t, "INSERT INTO acme_state (name, sealed, expires_at) VALUES ('account', x'01deadbeef00', 0)")
	code, stdout, stderr := call(t, env, "", "restore", "--finish")
	if code != exitFailed || !strings.Contains(stdout, "Ended: ") || !strings.Contains(stderr, "1 value is sealed with a key that the key file "+env["LATCHKEY_KEYS"]+" does not hold") {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
}
