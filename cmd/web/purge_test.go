package main

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// openFolder opens the database that the commands of a test work on.
func openFolder(t *testing.T, env map[string]string) *storetest.DB {
	t.Helper()
	if code, _, stderr := call(t, env, "", "migrate"); code != exitDone {
		t.Fatal(stderr)
	}
	db := &storetest.DB{Path: env["LATCHKEY_DATABASE"]}
	var err error
	if db.Store, err = store.Open(db.Path, clockMillis); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.Until(clockMillis())
	return db
}

// withTokens opens the database and stores tokens that expired so long ago: three
// of an application, and one active one.
func withTokens(t *testing.T, env map[string]string, ago ...time.Duration) *storetest.DB {
	t.Helper()
	db := openFolder(t, env)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Token(t, ana, app, models.KindManual, "active")
	for _, ago := range ago {
		db.Tokens(t, app, 3, models.Token{ExpiresAt: db.Now().Add(-ago)})
	}
	return db
}

func TestPurgeCommand(t *testing.T) { // T7
	env := folder(t)
	db := withTokens(t, env, 23*time.Hour, 25*time.Hour, time.Minute)
	for _, test := range []struct {
		name string
		args []string
		want string
		left int64
	}{
		{"nothing is due", []string{"--keep-issued-tokens", "100h", "purge"}, "0 tokens deleted.\n", 10},
		{"after a day", []string{"purge"}, "3 tokens deleted.\n", 7},
		{"again", []string{"purge"}, "0 tokens deleted.\n", 7},
		{"in a hurry", []string{"--keep-issued-tokens", "10m", "purge", "--hurry"}, "3 tokens deleted.\n", 4},
		{"kept no longer", []string{"--keep-issued-tokens", "0s", "--keep-manual-tokens", "0s", "purge"}, "3 tokens deleted.\n", 1},
	} {
		code, stdout, stderr := call(t, env, "", test.args...)
		if code != exitDone || stdout != test.want || stderr != "" {
			t.Errorf("%s: exit %d %q %q", test.name, code, stdout, stderr)
		}
		if left := db.Number(t, "SELECT COUNT(*) FROM tokens"); left != test.left {
			t.Errorf("%s: %d left, want %d", test.name, left, test.left)
		}
	}
	for _, args := range [][]string{{"purge", "all"}, {"purge", "--slow"}, {"status", "all"}} {
		if code, stdout, stderr := call(t, env, "", args...); code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d %q %q", args, code, stdout, stderr)
		}
	}
}

// One that was half done says how far it came and that it can be run again.
func TestPurgeCommandThatFails(t *testing.T) {
	env := folder(t)
	db := withTokens(t, env, 25*time.Hour)
	db.Fail(t, "DELETE", "tokens", "")
	code, stdout, stderr := call(t, env, "", "purge")
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "web: 0 tokens deleted, then it failed, run it again: ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
}

// A running server purges as it starts, and stops in the middle when told to.
func TestSweepPurges(t *testing.T) {
	db := withTokens(t, folder(t), 25*time.Hour)
	config := Config{SessionIdle: time.Hour, SessionMax: time.Hour, Keep: store.Retention{Manual: 720 * time.Hour, Issued: 24 * time.Hour, Audit: 8760 * time.Hour}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged := &lineWriter{onLine: stop}
	log, flush := newLog(config, logged)
	sweep(ctx, db.Store, config, &jobs{}, log)() // it ends when the first line is logged
	flush()
	if !strings.Contains(logged.text, `msg="ended tokens deleted" tokens=3`) || db.Number(t, "SELECT COUNT(*) FROM tokens") != 1 {
		t.Errorf("logged %q", logged.text)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log, flush = newLog(config, &out)
	purgeAndLog(t.Context(), db.Store, config.Keep, &job{}, log)
	if !strings.Contains(out.String(), "level=WARN") || !strings.Contains(out.String(), "not all ended tokens were deleted, the next run is in an hour") {
		t.Errorf("logged %q", out.String()) // A6
	}
	out.Reset()
	purgeAndLog(ctx, db.Store, config.Keep, &job{}, log)
	flush()
	if out.String() != "" {
		t.Errorf("a stop is logged as a failure: %q", out.String())
	}
}

// T7: by a clock that was set ahead, nothing is deleted.
func TestSweepWaitsForTheClock(t *testing.T) {
	db := withTokens(t, folder(t), 25*time.Hour)
	_, passed := system.read()
	system.jumped.Store(passed)
	system.jump.Store(int64(49 * time.Hour))
	t.Cleanup(func() { system.jump.Store(0) })
	config := Config{Keep: store.Retention{Manual: time.Hour, Issued: time.Hour, Audit: time.Hour}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged := &lineWriter{onLine: stop}
	log, flush := newLog(config, logged)
	sweep(ctx, db.Store, config, &jobs{}, log)() // until the clock is logged
	flush()
	if !strings.Contains(logged.text, "set ahead: nothing is deleted for a day") || strings.Count(logged.text, "\n") != 1 || db.Number(t, "SELECT COUNT(*) FROM tokens") != 4 {
		t.Errorf("logged %q", logged.text)
	}
}

func TestStatusCommand(t *testing.T) {
	env := folder(t)
	withTokens(t, env, time.Minute, 2*time.Minute)
	addServer(t, env, "API")
	code, stdout, stderr := call(t, env, "", "--keep-manual-tokens", "48h", "status")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit %d %q", code, stderr)
	}
	rows := map[string]string{}
	for line := range strings.Lines(stdout) {
		name, value, _ := strings.Cut(line, "  ")
		rows[name] = strings.TrimSpace(value)
	}
	for name, want := range map[string]string{
		"Database": env["LATCHKEY_DATABASE"], "Users": "1", "Teams": "1", "Applications": "2", "Resource servers": "1", "Sessions": "0", "Audit events": "4",
		"Tokens, client_credentials": "0 active, 6 expired, 0 revoked", "Tokens, manual": "1 active, 0 expired, 0 revoked",
		"Kept after they end": "48h0m0s manual, 24h0m0s client_credentials and temporary", "Version": version(),
	} {
		if rows[name] != want {
			t.Errorf("%s: %q, want %q", name, rows[name], want)
		}
	}
	if size := rows["Size"]; !strings.Contains(size, " MB, of which ") || strings.HasPrefix(size, "0.0") || !strings.HasSuffix(rows["Write-ahead log"], " MB") {
		t.Errorf("size %q, log %q", size, rows["Write-ahead log"])
	}
	if _, stdout, _ = call(t, env, "", "status"); !strings.Contains(stdout, "720h0m0s manual, 24h0m0s client_credentials and temporary") {
		t.Errorf("without settings:\n%s", stdout)
	}
}

func TestRetentionSettings(t *testing.T) { // C1
	data := folder(t)
	for _, name := range []string{"keep-manual-tokens", "keep-issued-tokens"} {
		variable := "LATCHKEY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		for value, good := range map[string]bool{"0s": true, "1500ms": true, "8760h": true, "-1s": false, "30": false, "30d": false, "forever": false, "900000h": false} {
			for _, flag := range []bool{true, false} {
				env, args := maps.Clone(data), []string{"migrate"}
				if flag {
					args = []string{"--" + name, value, "migrate"}
				} else {
					env[variable] = value
				}
				code, stdout, stderr := call(t, env, "", args...)
				if good && (code != exitDone || stderr != "") {
					t.Errorf("%s %s: exit %d %q", name, value, code, stderr)
				}
				if !good && (code != exitUsage || stdout != "" || stderr != "web: --"+name+" ("+variable+"): write a time of 0s or more, such as 24h\n") {
					t.Errorf("%s %s: exit %d %q", name, value, code, stderr)
				}
			}
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{[]string{"--help"}, []string{"serve", "migrate", "user", "resource-server", "purge", "audit", "status", "version", "--keep-audit", "--keep-manual-tokens", "--keep-issued-tokens"}},
		{[]string{"resource-server", "--help"}, []string{"add", "list", "remove"}},
		{[]string{"resource-server", "add", "--help"}, []string{"--name"}},
		{[]string{"purge", "--help"}, []string{"--hurry"}},
		{[]string{"audit", "--help"}, []string{"verify", "head"}},
		{[]string{"audit", "verify", "--help"}, []string{"--head", "--team", "--installation"}},
		{[]string{"status", "--help"}, []string{"show how much the database holds"}},
	} {
		code, stdout, stderr := call(t, nil, "", test.args...)
		for _, want := range test.want {
			if code != exitDone || stderr != "" || !strings.Contains(stdout, want) {
				t.Errorf("%v: exit %d, no %q in\n%s%s", test.args, code, want, stdout, stderr)
			}
		}
	}
}

// R4: a purge holds the database for less than a tenth of the time, and for a quarter
// once it falls behind.
func TestPurgeRests(t *testing.T) {
	for _, test := range []struct {
		running time.Duration
		hurry   bool
		least   float64
		most    float64
	}{
		{0, false, 9, 20}, {time.Hour, false, 9, 20}, {time.Hour + 1, false, 2, 4}, {100 * time.Hour, false, 2, 4}, {0, true, 0, 0}, {2 * time.Hour, true, 0, 0},
	} {
		if got := rest(time.Second, test.running, test.hurry).Seconds(); got < test.least || got > test.most {
			t.Errorf("after %s, in a hurry %v: %v times as long", test.running, test.hurry, got)
		}
	}
}
