package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// C2: off this machine only a connection with a verified certificate will do.
func TestVerifiedConnections(t *testing.T) {
	for address, want := range map[string]bool{
		"postgres://u:p@localhost/x": true, "postgres://u:p@127.0.0.1:5432/x?sslmode=disable": true, "postgres://u:p@[::1]/x": true, "postgres:///x?host=/run/postgresql": true,
		"postgres://u:p@db.example.com/x": false, "postgres://u:p@db.example.com/x?sslmode=require": false, "postgres://u:p@localhost/x?host=db.example.com": false,
		"postgres://u:p@10.0.0.1/x?sslmode=verify-ca": false, "postgres://u:p@db.example.com/x?sslmode=verify-full": true,
	} {
		at, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := verified(at); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestDoctorOnPostgres(t *testing.T) {
	look := func(address string) string {
		d := doctor{config: Config{Database: address, Keys: filepath.Join(t.TempDir(), "none.json")}, now: clock()}
		var says strings.Builder
		checkPostgres(t.Context(), d, func(v verdict, text string) { says.WriteString(string(v) + ": " + text + "\n") })
		return says.String()
	}
	wants(t, look(pgtest.Empty(t)), "ok: PostgreSQL ", "warning: it is at version 0 and the next start")
	away := look("postgres://latchkey:canary@127.0.0.1:1/latchkey")
	wants(t, away, "wrong: postgres://latchkey:xxxxx@127.0.0.1:1/latchkey cannot be used: ")
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
