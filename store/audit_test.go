package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func actionsOf(events []models.AuditEvent) (actions []string) {
	for _, event := range events {
		actions = append(actions, string(event.Action))
	}
	return actions
}

// D1, D3: each filter by itself and together, in one team.
func TestAuditFilters(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	jon := db.Member(t, "northwind", "jon", models.RoleDeveloper)
	bot, other := db.Application(t, ana, "Bot"), db.Application(t, eve, "Bot")
	db.Wait(time.Hour)
	began := db.Now()
	token := db.Token(t, jon, bot, models.KindManual, "h1")
	if _, err := db.RevealToken(t.Context(), jon, bot.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	db.Wait(time.Hour)
	if err := db.ChangeApplication(t.Context(), ana, bot.ID, models.ApplicationValues{Name: `50% "Große"_\ Börse`, Lifespan: 3600}, 0); err != nil {
		t.Fatal(err)
	}
	added, created, made, shown, changed := "User added", "Application created", "Token created", "Token shown", "Application changed"
	for name, test := range map[string]struct {
		query models.AuditQuery
		want  []string
	}{
		"all":                      {models.AuditQuery{}, []string{changed, shown, made, created, added, added}},
		"action":                   {models.AuditQuery{Action: shown}, []string{shown}},
		"group":                    {models.AuditQuery{Action: "tokens"}, []string{shown, made}},
		"group without an event":   {models.AuditQuery{Action: "secrets"}, nil},
		"no such action":           {models.AuditQuery{Action: "' OR 1=1 --"}, nil},
		"person":                   {models.AuditQuery{Person: ana.UserID}, []string{changed, created}},
		"person of another team":   {models.AuditQuery{Person: eve.UserID}, nil},
		"nobody":                   {models.AuditQuery{Person: models.NoPerson}, []string{added, added}},
		"application":              {models.AuditQuery{Application: bot.ID}, []string{changed, shown, made, created}},
		"application of another":   {models.AuditQuery{Application: other.ID}, nil},
		"from":                     {models.AuditQuery{From: began}, []string{changed, shown, made}},
		"to":                       {models.AuditQuery{To: began}, []string{created, added, added}},
		"from and to":              {models.AuditQuery{From: began, To: began + 1}, []string{shown, made}},
		"text in the target":       {models.AuditQuery{Text: "ENDING IN zk3q"}, []string{shown, made}},
		"text in what was before":  {models.AuditQuery{Text: "bot"}, []string{changed, shown, made, created}},
		"any case in any script":   {models.AuditQuery{Text: "gROSSE"}, nil}, // ß is no SS here
		"umlaut":                   {models.AuditQuery{Text: "BÖRSE"}, []string{changed}},
		"percent is no wildcard":   {models.AuditQuery{Text: "50%"}, []string{changed}},
		"percent alone":            {models.AuditQuery{Text: "5%b"}, nil},
		"underscore":               {models.AuditQuery{Text: `"_`}, []string{changed}},
		"underscore is no letter":  {models.AuditQuery{Text: "b_t"}, nil},
		"backslash":                {models.AuditQuery{Text: `\ b`}, []string{changed}},
		"address":                  {models.AuditQuery{Text: "192.0.2.7", Person: jon.UserID, Action: made}, []string{made}},
		"everything, and no match": {models.AuditQuery{Text: "bot", Person: jon.UserID, Application: bot.ID, Action: "tokens", From: began, To: began}, nil},
	} {
		if got := actionsOf(db.Log(t, ana.TeamID, test.query)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		list, err := db.AuditPage(t.Context(), ana.TeamID, test.query)
		if err != nil || list.Total != int64(len(test.want)) || list.More || list.Newer || list.Older {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	event := db.Log(t, ana.TeamID, models.AuditQuery{})[0]
	if got := event.Changed(); len(got) != 1 || got[0] != (models.AuditChange{Field: "Name", Before: "Bot", After: `50% "Große"_\ Börse`}) || event.Detail != "" {
		t.Errorf("%+v", event)
	}
}

func TestAuditPages(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 119 { // and the event of the member
		if i%4 == 0 { // some share their moment
			db.Wait(time.Second)
		}
		if err := db.Refused(t.Context(), ana, fmt.Sprint("GET /", i), "forbidden"); err != nil {
			t.Fatal(err)
		}
	}
	page := func(query models.AuditQuery) models.AuditList {
		t.Helper()
		list, err := db.AuditPage(t.Context(), ana.TeamID, query)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := db.Log(t, ana.TeamID, models.AuditQuery{})
	for _, filter := range []models.AuditQuery{{}, {Text: "a"}} { // both count their way
		var got []models.AuditEvent
		query := filter
		for skipped := int64(0); ; {
			list := page(query)
			if list.Skipped != skipped || list.Total != 120 || list.Newer != (skipped > 0) || list.Older != (skipped < 100) || list.More {
				t.Fatalf("after %d: %d of %d, newer %v, older %v", skipped, list.Skipped, list.Total, list.Newer, list.Older)
			}
			got = append(got, list.Events...)
			skipped += int64(len(list.Events))
			if !list.Older {
				break
			}
			query.Before = list.Events[len(list.Events)-1].Place()
		}
		if !slices.Equal(got, want) {
			t.Errorf("the pages hold %d events, the log %d", len(got), len(want))
		}
	}
	back := page(models.AuditQuery{After: want[100].Place()})
	if !slices.Equal(back.Events, want[50:100]) || back.Skipped != 50 || !back.Newer || !back.Older {
		t.Errorf("back from the last page: %d skipped, newer %v, older %v", back.Skipped, back.Newer, back.Older)
	}
	for _, place := range []models.AuditPlace{want[50].Place(), want[30].Place(), {At: db.Now() + 1000, Seq: 1}} {
		if first := page(models.AuditQuery{After: place}); !slices.Equal(first.Events, want[:50]) || first.Newer || !first.Older {
			t.Errorf("back to the first page from %s: skipped %d", place, first.Skipped)
		}
	}
	if end := page(models.AuditQuery{Before: models.AuditPlace{At: 1, Seq: 1}}); len(end.Events) != 0 || end.Total != 120 || end.Older {
		t.Errorf("beyond the end: %+v", end)
	}
}

// Beyond a bound, what matches a filter is not counted to its end.
func TestManyEventsAreCountedUpToABound(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.FillLog(t, ana, models.CountedEvents+100)
	list, err := db.AuditPage(t.Context(), ana.TeamID, models.AuditQuery{Text: "token"})
	if err != nil || !list.More || list.Total != models.CountedEvents+1 {
		t.Errorf("%d, %v, %v", list.Total, list.More, err)
	}
	if list, err = db.AuditPage(t.Context(), ana.TeamID, models.AuditQuery{}); err != nil || list.More || list.Total != models.CountedEvents+101 {
		t.Errorf("without a filter: %d, %v, %v", list.Total, list.More, err)
	}
}

// No filter but one by text goes through events that do not match, however many there are.
func TestAuditFiltersHaveIndexes(t *testing.T) {
	db := storetest.New(t)
	for condition, index := range map[string]string{
		"": "audit_events_by_time", "AND at >= 1 AND at < 2": "audit_events_by_time", "AND (at, seq) < (1, 2)": "audit_events_by_time",
		"AND action = 'x'": "audit_events_by_action", "AND action = 'x' AND at > 1": "audit_events_by_action",
		"AND actor_id = 'x'": "audit_events_by_person", "AND application_id <> '' AND application_id = 'x'": "audit_events_by_application",
	} {
		row, uses, sorts := "rowid", "SEARCH audit_events USING COVERING INDEX "+index+" ", "TEMP B-TREE"
		if db.OnPostgres() {
			row, uses, sorts = "ctid", "Index Scan Backward using "+index+" ", "Sort"
		}
		plan := db.Explain(t, "SELECT "+row+` FROM audit_events
			WHERE team_id = ? AND +seq >= (SELECT first_seq FROM audit_chains WHERE team_id = ?) `+condition+" ORDER BY at DESC, seq DESC LIMIT 51", "t", "t")
		if !strings.Contains(plan, uses) || strings.Contains(plan, sorts) {
			t.Errorf("%q:\n%s", condition, plan)
		}
	}
}

func TestAuditChoices(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	bot, gone := db.Application(t, ana, "Bot"), db.Application(t, ana, "Gone")
	db.Application(t, eve, "Theirs")
	renamed := ana
	renamed.UserName = "Ana Ruiz"
	if _, err := db.DeleteApplication(t.Context(), renamed, gone.ID); err != nil {
		t.Fatal(err)
	}
	got, err := db.AuditChoices(t.Context(), ana.TeamID, 10)
	if err != nil || !slices.Equal(got.Actions, []models.AuditAction{"Application created", "Application deleted", "User added"}) ||
		!slices.Equal(got.Persons, []models.AuditPerson{{ID: ana.UserID, Name: "Ana Ruiz"}}) || got.MorePersons || got.MoreApplications ||
		len(got.Applications) != 3 || got.Applications[0].ID != bot.ID || got.Applications[1].DeletedAt.IsZero() || got.Applications[2].Name != models.BuiltInName {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = db.AuditChoices(t.Context(), ana.TeamID, 1); err != nil || !got.MoreApplications || len(got.Applications) != 1 || got.MorePersons {
		t.Errorf("%+v, %v", got, err)
	}
	if app, err := db.LoggedApplication(t.Context(), ana.TeamID, gone.ID); err != nil || app.Name != "Gone" {
		t.Errorf("%+v, %v", app, err)
	}
	for _, id := range []string{bot.ID, store.NewID()} { // D3
		if _, err := db.LoggedApplication(t.Context(), eve.TeamID, id); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// Who has seen a value is known for as long as the value is there.
func TestWitnesses(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	jon := db.Member(t, "northwind", "jon", models.RoleDeveloper)
	bot := db.Application(t, ana, "Bot")
	token, unseen := db.Token(t, ana, bot, models.KindManual, "h1"), db.Token(t, ana, bot, models.KindManual, "h2")
	for _, actor := range []models.Actor{ana, jon, ana} {
		db.Wait(time.Minute)
		if _, err := db.RevealToken(t.Context(), actor, bot.ID, token.ID); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := db.RevealSecret(t.Context(), jon, bot.ID)
	if err != nil {
		t.Fatal(err)
	}
	objects := []string{token.ID, unseen.ID, secret.ID}
	seen, err := db.Witnesses(t.Context(), ana.TeamID, bot.ID, objects)
	if err != nil {
		t.Fatal(err)
	}
	of := seen.Sightings[token.ID]
	if len(of) != 2 || of[0].UserName != "ana" || of[0].Times != 2 || of[0].LastAt != db.Now() || of[0].FirstAt != db.Now()-120_000 || of[1].UserName != "jon" || of[1].Times != 1 {
		t.Errorf("%+v", of)
	}
	if len(seen.Sightings[unseen.ID]) != 0 || len(seen.Sightings[secret.ID]) != 1 || seen.Makers[secret.ID] != "ana" {
		t.Errorf("%+v", seen)
	}
	if theirs, err := db.Witnesses(t.Context(), eve.TeamID, bot.ID, objects); err != nil || len(theirs.Sightings) != 0 || len(theirs.Makers) != 0 { // D3
		t.Errorf("another team: %+v, %v", theirs, err)
	}
	if err := db.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM sightings"); n != 3 {
		t.Errorf("%d sightings of values that are there", n)
	}
	if err := db.RotateSecret(t.Context(), ana, bot.ID, store.Rotation{Secret: models.ClientSecret{ID: "s2", Hash: []byte("2"), Sealed: []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	db.Tamper(t, "DELETE FROM tokens WHERE id = '"+token.ID+"'")
	if err := db.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM sightings"); n != 0 { // T7
		t.Errorf("%d sightings of values that are gone", n)
	}
}
