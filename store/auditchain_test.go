package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func verify(t *testing.T, db *storetest.DB, team string, kept models.AuditHead) models.ChainVerdict {
	t.Helper()
	verdict, err := db.VerifyAudit(t.Context(), team, kept)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func wantWhole(t *testing.T, db *storetest.DB, team string) models.AuditChain {
	t.Helper()
	verdict := verify(t, db, team, models.AuditHead{})
	if verdict.Break != nil {
		t.Fatalf("the chain is broken: %+v", verdict.Break)
	}
	return verdict.AuditChain
}

// logged is a team with eleven events in its log.
func logged(t *testing.T) (*storetest.DB, models.Actor) {
	t.Helper()
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 10 {
		db.Wait(time.Minute)
		db.Application(t, ana, fmt.Sprint("Bot ", i))
	}
	return db, ana
}

// D7: of changes at once, each has its event with a number of its own and the one before it.
func TestEventsFormAChain(t *testing.T) {
	db, ana := logged(t)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	var all sync.WaitGroup
	for i := range 50 {
		for _, actor := range []models.Actor{ana, eve} {
			all.Go(func() {
				_, err := db.CreateApplication(t.Context(), actor, models.Application{ID: store.NewID(), Type: models.TypeService, Name: fmt.Sprint("At once ", i), ClientID: store.NewID(), Lifespan: 60, Scopes: "api"},
					models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: []byte("s")}, "")
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if chain := wantWhole(t, db, ana.TeamID); chain.Kept() != 61 || chain.FirstSeq != 1 || chain.LastSeq != 61 {
		t.Errorf("%+v", chain)
	}
	if chain := wantWhole(t, db, eve.TeamID); chain.Kept() != 51 {
		t.Errorf("%+v", chain)
	}
	if err := db.AddResourceServer(t.Context(), models.CommandLine, models.ResourceServer{ID: "s", Name: "API", ClientID: "c", Hash: []byte("h")}); err != nil {
		t.Fatal(err)
	}
	chains, err := db.AuditChains(t.Context())
	if err != nil || len(chains) != 3 || chains[0].TeamID != "" || chains[0].LastSeq != 1 || chains[1].Name != "contoso" || chains[2].Name != "northwind" {
		t.Errorf("%+v, %v", chains, err)
	}
	if verdict := verify(t, db, "nobody", models.AuditHead{}); verdict.Break != nil || verdict.Kept() != 0 {
		t.Errorf("a team without events: %+v", verdict)
	}
}

// A change that fails leaves no gap.
func TestAFailedChangeLeavesNoGap(t *testing.T) {
	db, ana := logged(t)
	if err := db.ChangeApplication(t.Context(), ana, "nothing", models.ApplicationValues{Name: "x", Lifespan: 60}, 0); !errors.Is(err, models.ErrNotFound) {
		t.Fatal(err)
	}
	if chain := wantWhole(t, db, ana.TeamID); chain.LastSeq != 11 {
		t.Errorf("%+v", chain)
	}
}

// A4: every column of an event is bound by its hash, also those that come later.
func TestEveryColumnIsBound(t *testing.T) {
	db, ana := logged(t)
	table := "SELECT name, type FROM pragma_table_info('audit_events')"
	if db.OnPostgres() {
		table = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'audit_events'"
	}
	rows, err := db.Raw(t).QueryContext(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		columns[name] = kind
	}
	if err := rows.Err(); err != nil || len(columns) < 20 {
		t.Fatal(len(columns), err)
	}
	for column, kind := range columns {
		changed := column + " || 'x'"
		if kind == "INTEGER" || kind == "bigint" {
			changed = column + " + 1000"
		}
		if column == "hash" {
			changed = "replace(hash, substr(hash, 1, 1), 'g')"
		}
		db.Tamper(t, "UPDATE audit_events SET "+column+" = "+changed+" WHERE team_id = '"+ana.TeamID+"' AND seq = 5")
		if broken := verify(t, db, ana.TeamID, models.AuditHead{}).Break; broken == nil || broken.Seq != 5 {
			t.Errorf("%s: %+v", column, broken)
		}
		db, ana = logged(t)
	}
}

// Each way to tamper is found, with the first event that it touched.
func TestTamperingIsFound(t *testing.T) {
	const aside = "UPDATE audit_events SET seq = seq + 1000 WHERE seq > 5"
	const copyOf5 = `INSERT INTO audit_events SELECT 'new', team_id, %s, version, at, actor_id, 'Mallory', actor_role, action, target_type, target_id, target, application_id,
		detail, changes, address, user_agent, request_id, search, hash FROM audit_events WHERE seq = 5`
	for name, test := range map[string]struct {
		statements []string
		kind       models.BreakKind
		seq        int64
	}{
		"changed":                        {[]string{"UPDATE audit_events SET actor_name = 'Mallory' WHERE seq = 5"}, models.BreakChanged, 5},
		"the last one changed":           {[]string{"UPDATE audit_events SET actor_name = 'Mallory' WHERE seq = 11"}, models.BreakChanged, 11},
		"moved between two fields":       {[]string{"UPDATE audit_events SET target = substr(target, 2), target_id = target_id || substr(target, 1, 1) WHERE seq = 5"}, models.BreakChanged, 5},
		"removed":                        {[]string{"DELETE FROM audit_events WHERE seq = 5"}, models.BreakRemoved, 5},
		"the first one removed":          {[]string{"DELETE FROM audit_events WHERE seq = 1"}, models.BreakRemoved, 1},
		"the last ones removed":          {[]string{"DELETE FROM audit_events WHERE seq > 9"}, models.BreakRemoved, 10},
		"removed, the others moved up":   {[]string{"DELETE FROM audit_events WHERE seq = 5", aside, "UPDATE audit_events SET seq = seq - 1001 WHERE seq > 1000"}, models.BreakRemoved, 5},
		"inserted, the others moved on":  {[]string{aside, "UPDATE audit_events SET seq = seq - 999 WHERE seq > 1000", fmt.Sprintf(copyOf5, "6")}, models.BreakInserted, 6},
		"inserted after the end":         {[]string{fmt.Sprintf(copyOf5, "12")}, models.BreakInserted, 12},
		"inserted with a number that is": {[]string{"DROP INDEX audit_events_by_number", fmt.Sprintf(copyOf5, "5")}, models.BreakInserted, 5},
		"all removed":                    {[]string{"DELETE FROM audit_events"}, models.BreakRemoved, 1},
		"the end moved back":             {[]string{"UPDATE audit_chains SET last_seq = 9, last_hash = (SELECT hash FROM audit_events WHERE seq = 9)"}, models.BreakInserted, 10},
		"the end gone":                   {[]string{"DELETE FROM audit_chains"}, models.BreakInserted, 1},
		"another hash at the end":        {[]string{"UPDATE audit_chains SET last_hash = before_hash"}, models.BreakChanged, 11},
		"a beginning that nobody noted":  {[]string{"UPDATE audit_chains SET first_seq = 4, before_hash = (SELECT hash FROM audit_events WHERE seq = 3)", "DELETE FROM audit_events WHERE seq < 4"}, models.BreakRemoved, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, ana := logged(t)
			db.Tamper(t, test.statements...)
			broken := verify(t, db, ana.TeamID, models.AuditHead{}).Break
			if broken == nil || broken.Kind != test.kind || broken.Seq != test.seq {
				t.Errorf("%+v, want %d %s", broken, test.seq, test.kind)
			}
		})
	}
}

// Whoever rewrites the chain to its end is found by the head that was kept elsewhere.
func TestAKeptHeadFindsWhatWasRewritten(t *testing.T) {
	db, ana := logged(t)
	kept := wantWhole(t, db, ana.TeamID).Head()
	older := models.AuditHead{Seq: 5, Hash: db.Log(t, ana.TeamID, models.AuditQuery{})[6].Hash}
	db.Application(t, ana, "Later")
	for _, head := range []models.AuditHead{kept, older} {
		if broken := verify(t, db, ana.TeamID, head).Break; broken != nil {
			t.Errorf("%s: %+v", head, broken)
		}
	}
	if broken := verify(t, db, ana.TeamID, models.AuditHead{Seq: 20, Hash: kept.Hash}).Break; broken == nil || broken.Kind != models.BreakRemoved || broken.Seq != 13 {
		t.Errorf("a head beyond the end: %+v", broken)
	}
	rewrite(t, db, ana.TeamID, 7)
	wantWhole(t, db, ana.TeamID)
	if broken := verify(t, db, ana.TeamID, kept).Break; broken == nil || broken.Kind != models.BreakRewritten || broken.Seq != kept.Seq {
		t.Errorf("%+v", broken)
	}
	if broken := verify(t, db, ana.TeamID, older).Break; broken != nil {
		t.Errorf("what stands before it: %+v", broken)
	}
}

// rewrite changes who did what from a number on, with hashes that fit.
func rewrite(t *testing.T, db *storetest.DB, team string, from int64) {
	t.Helper()
	events := db.Log(t, team, models.AuditQuery{})
	var statements []string
	hash := ""
	for i := len(events) - 1; i >= 0; i-- {
		if e := &events[i]; e.Seq >= from {
			e.ActorName = "Mallory"
			e.Link(e.Seq, hash)
			statements = append(statements, fmt.Sprintf("UPDATE audit_events SET actor_name = 'Mallory', search = '%s', hash = '%s' WHERE seq = %d", e.Search, e.Hash, e.Seq))
		}
		hash = events[i].Hash
	}
	db.Tamper(t, append(statements, "UPDATE audit_chains SET last_hash = '"+hash+"'")...)
}

// A4: the triggers let through what the retention job does, and nothing else.
func TestTheChainOnlyGrows(t *testing.T) {
	db, _ := logged(t)
	raw := db.Raw(t)
	statements := []string{
		"UPDATE audit_events SET hash = hash", "DELETE FROM audit_events WHERE seq = 11", "DELETE FROM audit_chains",
		"UPDATE audit_chains SET last_seq = 10, last_hash = (SELECT hash FROM audit_events WHERE seq = 10)",
		"UPDATE audit_chains SET first_seq = 3", "UPDATE audit_chains SET first_seq = 13, before_hash = last_hash",
		"UPDATE audit_chains SET before_hash = last_hash", "UPDATE audit_chains SET team_id = 'x'", "UPDATE audit_chains SET last_hash = before_hash",
	}
	if db.OnPostgres() {
		statements = append(statements, "TRUNCATE audit_events", "TRUNCATE audit_chains")
	}
	for _, statement := range statements {
		if _, err := raw.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "only ever") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func pruned(t *testing.T, db *storetest.DB, keep time.Duration) int64 {
	t.Helper()
	p, err := db.PurgeAudit(t.Context(), keep)
	if err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		if done, err = p.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p.Deleted
}

// T7, A4: what was kept long enough goes, the job leaves an event of its own, and the rest
// is still a chain.
func TestRetention(t *testing.T) {
	db, ana := logged(t) // the first event is as old as the team, then one a minute
	kept := wantWhole(t, db, ana.TeamID)
	fifth := models.AuditHead{Seq: 5, Hash: db.Log(t, ana.TeamID, models.AuditQuery{})[6].Hash}
	if n := pruned(t, db, 11*time.Minute); n != 0 {
		t.Errorf("%d deleted too early", n)
	}
	if n := pruned(t, db, 5*time.Minute); n != 5 {
		t.Errorf("%d deleted", n)
	}
	chain := wantWhole(t, db, ana.TeamID)
	if chain.FirstSeq != 6 || chain.LastSeq != 12 || chain.Kept() != 7 {
		t.Errorf("%+v", chain)
	}
	event := db.Log(t, ana.TeamID, models.AuditQuery{})[0]
	if event.Action != models.AuditEntriesDeleted || event.ActorName != "Latchkey" || event.Detail != "5 entries, up to 2026-11-23" || len(event.Changed()) != 2 {
		t.Errorf("%+v", event)
	}
	if n := pruned(t, db, 5*time.Minute); n != 0 {
		t.Errorf("%d deleted again", n)
	}
	for head, want := range map[models.AuditHead]error{kept.Head(): nil, fifth: nil, {Seq: 4, Hash: fifth.Hash}: models.ErrNotFound} {
		if verdict, err := db.VerifyAudit(t.Context(), ana.TeamID, head); !errors.Is(err, want) || verdict.Break != nil {
			t.Errorf("%s: %+v, %v", head, verdict, err)
		}
	}
	if broken := verify(t, db, ana.TeamID, models.AuditHead{Seq: 5, Hash: kept.LastHash}).Break; broken == nil || broken.Kind != models.BreakRewritten {
		t.Errorf("another hash before the beginning: %+v", broken)
	}
	db.Wait(time.Hour)
	if n := pruned(t, db, time.Minute); n != 7 {
		t.Errorf("%d deleted of a chain that is all old", n)
	}
	for range 3 {
		if chain = wantWhole(t, db, ana.TeamID); chain.FirstSeq != 13 || chain.LastSeq != 13 {
			t.Errorf("%+v", chain)
		}
		db.Wait(time.Hour)
		if n := pruned(t, db, time.Minute); n != 0 { // it comes to rest
			t.Errorf("%d deleted where there was nothing but what the job noted", n)
		}
	}
	db.Application(t, ana, "Goes on")
	wantWhole(t, db, ana.TeamID)
}

// The chain holds at every moment of a purge, and one that was broken off is gone on with.
func TestRetentionInSteps(t *testing.T) {
	db, ana := logged(t)
	for i := range 1200 {
		if err := db.Refused(t.Context(), ana, fmt.Sprint("GET /", i), "forbidden"); err != nil {
			t.Fatal(err)
		}
	}
	db.Wait(time.Hour)
	first, err := db.PurgeAudit(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for want := range []int{0, 1} { // the cut, then the first rows
		if done, err := first.Step(t.Context()); done || err != nil || first.Deleted != int64(want*atOnce) {
			t.Fatal(done, err, first.Deleted)
		}
		if chain := wantWhole(t, db, ana.TeamID); chain.FirstSeq != 1212 || chain.LastSeq != 1212 {
			t.Errorf("%+v", chain)
		}
		if shown := db.Log(t, ana.TeamID, models.AuditQuery{}); len(shown) != 1 {
			t.Errorf("%d events are shown", len(shown))
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, err := first.Step(ended); err == nil {
		t.Error("a step goes on without its context")
	}
	if n := pruned(t, db, time.Minute); n != 1211-atOnce {
		t.Errorf("%d deleted by the next one", n)
	}
	if rows := db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE team_id = ?", ana.TeamID); rows != 1 {
		t.Errorf("%d rows left", rows)
	}
	wantWhole(t, db, ana.TeamID)
}
