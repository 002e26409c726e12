package warnings_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/warnings"
)

const baseURL = "https://latchkey.example.com"

// post keeps what would be mailed.
type post struct {
	off  bool
	sent []mail.Message
}

func (p *post) Enabled() bool       { return !p.off }
func (p *post) Send(m mail.Message) { p.sent = append(p.sent, m) }

func token(t *testing.T, db *storetest.DB, actor models.Actor, app models.Application, name string, life time.Duration) models.Token {
	t.Helper()
	made := models.Token{
		ID: store.NewID(), ApplicationID: app.ID, Kind: models.KindManual, Name: name, Hash: []byte(store.NewID()), Last4: "Zk3Q",
		Scopes: "api", CreatedAt: db.Now(), ExpiresAt: db.Now().Add(life), Sealed: []byte("sealed"),
	}
	if _, err := db.CreateManualToken(t.Context(), actor, made, ""); err != nil {
		t.Fatal(err)
	}
	return made
}

// S23: one mail for each person and run, whatever ends in however many teams.
func TestOneMailForEachPerson(t *testing.T) {
	db, letters := storetest.New(t), &post{}
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	bot := db.Application(t, ana, "Trading bot")
	token(t, db, jonas, bot, "Backfill", 10*24*time.Hour)
	token(t, db, ana, bot, "", 10*24*time.Hour)
	teller := warnings.NewTeller(db.Store, letters, baseURL, db.Now)
	if told, err := teller.Run(t.Context()); told != 0 || err != nil || len(letters.sent) > 0 {
		t.Fatal(told, err, letters.sent)
	}
	db.Wait(4 * 24 * time.Hour)
	if told, err := teller.Run(t.Context()); told != 2 || err != nil {
		t.Fatal(told, err)
	}
	if len(letters.sent) != 2 || letters.sent[0].To != ana.Email || letters.sent[1].To != jonas.Email {
		t.Fatalf("%+v", letters.sent)
	}
	for i, want := range [][]string{
		{"2 tokens or secrets end soon", "Hello ana,", "- Token Backfill of Trading bot, ending in Zk3Q, team northwind\n  ends 3 Dec 2026, 16:00 UTC (in 6 days)\n  " + baseURL + "/user/api_v2/applications/" + bot.ID,
			"- Token of Trading bot, ending in Zk3Q", baseURL + "/user/api_v2/applications?ending=1"},
		{"An access token ends soon", "Hello jonas,", "Backfill"},
	} {
		text := letters.sent[i].Subject + "\n" + letters.sent[i].Text.Reveal()
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("mail %d: no %q in\n%s", i, part, text)
			}
		}
		if n := strings.Count(text, "\n- "); n != 2-i {
			t.Errorf("mail %d lists %d", i, n)
		}
	}
	letters.sent = nil
	if told, err := warnings.NewTeller(db.Store, letters, baseURL, db.Now).Run(t.Context()); told != 0 || err != nil || len(letters.sent) > 0 {
		t.Error("told again", told, err)
	}
}

// A mail lists fifty things and counts the others; without mail everything is told all the same.
func TestManyEndings(t *testing.T) {
	db, letters := storetest.New(t), &post{}
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	bot := db.Application(t, ana, "Bot")
	for i := range 120 {
		token(t, db, ana, bot, fmt.Sprint("Job ", i), 8*24*time.Hour)
	}
	db.Wait(2 * 24 * time.Hour)
	teller := warnings.NewTeller(db.Store, letters, baseURL, db.Now)
	if told, err := teller.Run(t.Context()); told != 120 || err != nil || len(letters.sent) != 1 {
		t.Fatal(told, err, len(letters.sent))
	}
	if text := letters.sent[0].Text.Reveal(); strings.Count(text, "\n- ") != 50 || !strings.Contains(text, "and 70 more.") || letters.sent[0].Subject != "120 tokens or secrets end soon" {
		t.Errorf("%s\n%s", letters.sent[0].Subject, text)
	}
	letters.off = true
	db.Wait(6 * 24 * time.Hour)
	token(t, db, ana, bot, "last", 8*24*time.Hour)
	db.Wait(2 * 24 * time.Hour)
	if told, err := teller.Run(t.Context()); told != 1 || err != nil || len(letters.sent) != 1 {
		t.Error(told, err, len(letters.sent))
	}
}

// What goes to webhooks holds names and times, and no value.
func TestEventsAreQueued(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	bot := db.Application(t, ana, "Bot")
	made := token(t, db, ana, bot, "Backfill", 8*24*time.Hour)
	if err := db.SetWebhook(t.Context(), ana, "https://example.com/", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	db.Wait(2 * 24 * time.Hour)
	if err := db.RotateSecret(t.Context(), ana, bot.ID, store.Rotation{Secret: models.ClientSecret{ID: "new", Hash: []byte("h"), Sealed: []byte("s")}, Overlap: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if told, err := warnings.NewTeller(db.Store, &post{off: true}, baseURL, db.Now).Run(t.Context()); told != 2 || err != nil {
		t.Fatal(told, err)
	}
	seen := map[string]map[string]any{}
	for range 2 {
		due, err := db.DueDeliveries(t.Context(), 8)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		var event struct {
			Type string
			Data map[string]any
		}
		if err := json.Unmarshal([]byte(due[0].Body), &event); err != nil || event.Type != string(due[0].Event) {
			t.Fatal(due[0].Body, err)
		}
		seen[event.Type] = event.Data
		if _, _, err := db.ClaimDelivery(t.Context(), due[0]); err != nil {
			t.Fatal(err)
		}
	}
	for kind, want := range map[string]map[string]any{
		"token.ending": {"token_id": made.ID, "name": "Backfill", "last4": "Zk3Q", "application": "Bot", "team": "northwind", "created_by": "ana",
			"expires_at": "2026-12-01T16:00:00Z", "seconds_left": float64(6 * 86400), "application_url": baseURL + "/user/api_v2/applications/" + bot.ID},
		"secret.ending": {"last4": "wxyz", "expires_at": "2026-11-25T17:00:00Z", "seconds_left": float64(3600)},
	} {
		for field, value := range want {
			if seen[kind][field] != value {
				t.Errorf("%s: %s is %v, want %v", kind, field, seen[kind][field], value)
			}
		}
	}
	if _, has := seen["secret.ending"]["token_id"]; has {
		t.Error("a secret is called a token")
	}
}
