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
	wants(t, look(pgtest.Empty(t)), "ok: PostgreSQL ", "warning: it is at version 0 and the next start")
	away := look("postgres://latchkey:canary@127.0.0.1:1/latchkey")
	wants(t, away, "wrong: postgres://latchkey@127.0.0.1:1/latchkey cannot be used: ")
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
	wants(t, judge(store.ServerExamination{Number: 150004, Now: now, Standby: true, Listens: true}), "wrong: PostgreSQL 15.4 is a standby")
}
