package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

func TestDoctorOnPostgres(t *testing.T) {
	look := func(address string) string {
		d := doctor{config: Config{Database: store.ShownAddress(address), address: models.NewSecret(address), Keys: filepath.Join(t.TempDir(), "none.json")}, now: clock()}
		var says strings.Builder
		checkPostgres(t.Context(), d, func(v verdict, text string) { says.WriteString(string(v) + ": " + text + "\n") })
		return says.String()
	}
	wants(t, look(pgtest.Empty(t)), "ok: PostgreSQL ", "warning: it has no tables yet: the first start makes them")
	away := look("postgres://latchkey:canary@127.0.0.1:1/latchkey")
	wants(t, away, "wrong: the database postgres://latchkey@127.0.0.1:1/latchkey cannot be used, nothing listens there: start its server")
	if strings.Contains(away, "canary") {
		t.Error(away)
	}
}

func TestDoctorJudgesAServer(t *testing.T) {
	d := doctor{now: clock()}
	judge := func(found store.ServerExamination) string {
		var says strings.Builder
		d.judgeServer(found, func(v verdict, text string) { says.WriteString(string(v) + ": " + text + "\n") })
		return says.String()
	}
	now := models.At(d.now)
	if says := judge(store.ServerExamination{Number: 150004, Now: now, Listens: true}); says != "ok: PostgreSQL 15.4 answers\n" {
		t.Error(says)
	}
	wants(t, judge(store.ServerExamination{Number: 130001, Now: now - 10_000, Superuser: true, Risky: []string{"fsync"}}),
		"warning: PostgreSQL 13.1 is older", "wrong: fsync is off", "warning: Latchkey's role is a superuser", "wrong: notices do not come through", "wrong: the clocks of the server and of this machine differ by 10s")
	if says := judge(store.ServerExamination{Number: 150004, Now: now, Pooled: true}); !strings.Contains(says, "wrong: a pooler stands before it") || strings.Contains(says, "notices") {
		t.Error(says)
	}
	wants(t, judge(store.ServerExamination{Number: 150004, Now: now, Standby: true, Listens: true}), "wrong: PostgreSQL 15.4 is a standby")
}

// Both addresses have to work and to lead to one database.
func TestDoctorLooksAtBothAddresses(t *testing.T) {
	env := serverFolder(t)
	if code, _, stderr := call(t, env, "", "migrate"); code != exitDone {
		t.Fatal(stderr)
	}
	for direct, want := range map[string]string{
		env["LATCHKEY_DATABASE"]:                     "ok       database: the keys belong to it",
		pgtest.Empty(t):                              "wrong    database: LATCHKEY_DATABASE and LATCHKEY_DATABASE_DIRECT lead to different databases",
		"postgres://u@127.0.0.1:1/x?sslmode=disable": "wrong    database: LATCHKEY_DATABASE_DIRECT: the database postgres://u@127.0.0.1:1/x cannot be used, nothing listens there",
	} {
		env["LATCHKEY_DATABASE_DIRECT"] = direct
		_, says := consult(t, env)
		wants(t, says, want)
	}
}

// serverFolder has a PostgreSQL database without tables and a folder without a key file.
func serverFolder(t *testing.T) map[string]string {
	env := folder(t)
	env["LATCHKEY_DATABASE"] = pgtest.Empty(t)
	env["LATCHKEY_ADDR"] = freeAddr(t)
	return env
}

// A new database is not wrong, and only what begins with one makes its tables.
func TestNewDatabaseOfAServer(t *testing.T) {
	env := serverFolder(t)
	_, says := consult(t, env)
	wants(t, says, "warning  key file: there is no "+env["LATCHKEY_KEYS"]+" yet: the first start makes it.", "warning  database: it has no tables yet")
	for _, args := range [][]string{{"status"}, {"plan", "list"}, {"keys", "status"}, {"restore", "--finish"}, {"audit", "verify"}} {
		code, stdout, stderr := call(t, env, "", args...)
		if code != exitFailed || stdout != "" || !strings.Contains(stderr, " holds nothing yet: set LATCHKEY_DATABASE, or start the server") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d %q %q", args, code, stdout, stderr)
		}
	}
	if exists(env["LATCHKEY_KEYS"]) {
		t.Error("a key file was made")
	}
	code, _, stderr := call(t, env, "", "resource-server", "add", "--name", "API")
	if code != exitDone || !strings.HasPrefix(stderr, "There is no database ") {
		t.Errorf("exit %d %q", code, stderr)
	}
	if code, stdout, stderr := call(t, env, "", "status"); code != exitDone || stderr != "" || strings.Contains(stdout, "Write-ahead log") {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
}

// C1: one line says why a database cannot be reached and what to do.
func TestDatabaseOfAServerThatIsAway(t *testing.T) {
	env := folder(t)
	env["LATCHKEY_DATABASE"] = "postgres://latchkey:canary@127.0.0.1:1/latchkey"
	for _, args := range [][]string{{"migrate"}, {"status"}, {}} {
		code, _, stderr := call(t, env, "", args...)
		if code != exitFailed || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "\t") || strings.Contains(stderr, "canary") ||
			!strings.HasPrefix(stderr, "web: the database postgres://latchkey@127.0.0.1:1/latchkey cannot be used, nothing listens there: start its server, or correct host and port in LATCHKEY_DATABASE: ") {
			t.Errorf("%v: exit %d %q", args, code, stderr)
		}
	}
}
