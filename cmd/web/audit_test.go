package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func TestAuditCommands(t *testing.T) { // A4
	env := folder(t)
	db := openFolder(t, env)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	db.Application(t, ana, "Bot")
	addServer(t, env, "API")
	head := func(args ...string) map[string]string {
		t.Helper()
		code, stdout, stderr := call(t, env, "", append([]string{"audit", "head"}, args...)...)
		if code != exitDone || stderr != "" || !strings.HasPrefix(stdout, "TEAM ") {
			t.Fatalf("exit %d %q %q", code, stdout, stderr)
		}
		heads := map[string]string{}
		for line := range strings.Lines(stdout) {
			fields := strings.Fields(line)
			heads[fields[0]] = fields[len(fields)-1]
		}
		return heads
	}
	heads := head()
	if len(heads) != 4 || !strings.HasPrefix(heads["northwind"], "2:") || !strings.HasPrefix(heads["Installation"], "1:") || len(head("--team", ana.TeamID)) != 2 || len(head("--installation")) != 2 {
		t.Errorf("heads %v", heads)
	}
	for _, test := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"verify"}, exitDone, "Installation: entries 1 to 1 are as they were written. Head " + heads["Installation"] + "\ncontoso: entries 1 to 1", ""},
		{[]string{"verify", "--installation"}, exitDone, "Installation: ", ""},
		{[]string{"verify", "--team", "NorthWind", "--head", heads["northwind"]}, exitDone, "northwind: entries 1 to 2", ""},
		{[]string{"verify", "--installation", "--head", heads["Installation"]}, exitDone, "Installation: ", ""},
		{[]string{"verify", "--team", "contoso", "--head", "1:" + heads["northwind"][2:]}, exitFailed, "", "web: contoso: entry 1 is not the one whose hash was kept"},
		{[]string{"verify", "--team", "contoso", "--head", "9:" + heads["northwind"][2:]}, exitFailed, "", "web: contoso: entry 2 was removed\n"},
		{[]string{"verify", "--team", "nobody"}, exitFailed, "", "web: no team called \"nobody\" has an audit log\n"},
		{[]string{"verify", "--head", heads["northwind"]}, exitUsage, "", "say whose it is with --team or --installation"},
		{[]string{"verify", "--team", "contoso", "--head", "x"}, exitUsage, "", "--head: write what web audit head printed"},
		{[]string{"verify", "--team", "contoso", "--head", "0:" + heads["northwind"][2:]}, exitUsage, "", "--head: write"},
		{[]string{"verify", "--team", "x", "--installation"}, exitUsage, "", "leave out --team"},
		{[]string{"verify", "all"}, exitUsage, "", "all"},
		{[]string{"head", "--head", "1"}, exitUsage, "", "head"},
		{nil, exitUsage, "", "say what to do: web audit verify or web audit head"},
		{[]string{"prune"}, exitUsage, "", "prune"},
	} {
		code, stdout, stderr := call(t, env, "", append([]string{"audit"}, test.args...)...)
		if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || (stderr == "") != (test.stderr == "") || test.code != exitDone && stdout != "" {
			t.Errorf("%v: exit %d %q %q", test.args, code, stdout, stderr)
		}
	}
	db.Tamper(t, "UPDATE audit_events SET action = 'x\x1b[2J' WHERE seq = 1 AND team_id <> ''")
	code, stdout, stderr := call(t, env, "", "audit", "verify")
	if code != exitFailed || !strings.HasPrefix(stdout, "Installation: ") || strings.Count(stderr, "was changed (ID ") != 2 || strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, `"x\x1b[2J"`) {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET name = 'northwind', name_key = (SELECT name_key FROM teams WHERE id = ?) WHERE id = ?", ana.TeamID, eve.TeamID); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t, env, "", "audit", "head", "--team", "northwind"); code != exitFailed || !strings.Contains(stderr, `several teams are called "northwind": write the ID of one, such as `) {
		t.Errorf("exit %d %q", code, stderr)
	}
}

func TestAuditOfANewDatabase(t *testing.T) {
	env := madeFolder(t)
	if code, stdout, stderr := call(t, env, "", "audit", "verify"); code != exitFailed || stdout != "" || !strings.Contains(stderr, "there is no audit log") {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
	if code, stdout, stderr := call(t, folder(t), "", "audit", "verify"); code != exitFailed || stdout != "" || !strings.Contains(stderr, "there is no database") {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
}

func TestKeepAuditSetting(t *testing.T) { // C1
	env := folder(t)
	for value, good := range map[string]bool{"24h": true, "8760h": true, "876000h": true, "23h59m": false, "0s": false, "-24h": false, "30d": false, "900000h": false, "": true} {
		env["LATCHKEY_KEEP_AUDIT"] = value
		code, _, stderr := call(t, env, "", "migrate")
		if good != (code == exitDone) || !good && stderr != "web: --keep-audit (LATCHKEY_KEEP_AUDIT): write a time of at least 24h, such as 8760h\n" {
			t.Errorf("%q: exit %d %q", value, code, stderr)
		}
	}
	if _, stdout, _ := call(t, madeFolder(t), "", "--keep-audit", "48h", "status"); !strings.Contains(stdout, "Audit entries are kept") || !strings.Contains(stdout, "48h0m0s") {
		t.Error(stdout)
	}
}

// T7: the hourly run and the command delete what was kept long enough, and both leave a chain.
func TestOldAuditEntriesGo(t *testing.T) {
	env := folder(t)
	db := openFolder(t, env)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Tamper(t, "UPDATE audit_events SET at = at - 100 * 3600000")
	var out bytes.Buffer
	config := Config{SessionIdle: time.Hour, SessionMax: time.Hour, Keep: store.Retention{Audit: 200 * time.Hour}}
	log, flush := newLog(config, &out)
	sweepAndLog(t.Context(), db.Store, config, &jobs{}, log)
	if out.String() != "" {
		t.Errorf("logged %q", out.String())
	}
	config.Keep.Audit = 99 * time.Hour
	sweepAndLog(t.Context(), db.Store, config, &jobs{}, log)
	flush()
	if !strings.Contains(out.String(), `msg="old audit entries deleted" entries=1`) {
		t.Errorf("logged %q", out.String())
	}
	db.Application(t, ana, "Bot")
	if verdict, err := db.VerifyAudit(t.Context(), ana.TeamID, models.AuditHead{}); err != nil || verdict.FirstSeq != 2 || verdict.LastSeq != 3 {
		t.Errorf("%+v, %v", verdict, err)
	}
	db.Tamper(t, "UPDATE audit_events SET at = at - 100 * 3600000")
	code, stdout, stderr := call(t, env, "", "--keep-audit", "99h", "purge", "--hurry")
	if code != exitDone || stdout != "0 tokens deleted.\nOld audit entries deleted: 2.\n" || stderr != "" {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
}
