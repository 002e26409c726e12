package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// keysPast is a team in which Jonas has added public keys and seen nothing.
func keysPast(t *testing.T) past {
	t.Helper()
	p := past{DB: storetest.New(t)}
	p.ana = p.Member(t, "northwind", "ana", models.RoleOwner)
	p.jonas = p.Member(t, "northwind", "jonas", models.RoleDeveloper)
	p.bot, p.feed = p.Application(t, p.ana, "Bot"), p.Application(t, p.ana, "Feed")
	return p
}

// Who added a public key holds its private half: it is known, and told of, like a secret.
func TestSeenListsPublicKeys(t *testing.T) {
	p := keysPast(t)
	added := p.Now()
	key := p.Key(t, p.jonas, p.bot, "laptop")
	p.Key(t, p.ana, p.bot, "server")
	p.Wait(time.Minute)
	list := p.seen(t)
	want := models.Seen{Type: models.SightedKey, ID: key.ID, ApplicationID: p.bot.ID, AppName: "Bot", Name: "laptop", Description: "EC, P-256", LastAt: added}
	if list.Total != 1 || len(list.Rows) != 1 || list.Rows[0] != want {
		t.Fatalf("%+v", list)
	}
	eve := p.Member(t, "contoso", "eve", models.RoleOwner)
	if _, err := p.RemoveMember(t.Context(), p.ana, p.jonas.UserID); err != nil {
		t.Fatal(err)
	}
	if former, err := p.FormerMembers(t.Context(), p.ana.TeamID); err != nil || len(former) != 1 || former[0].UserID != p.jonas.UserID || former[0].Known != 1 {
		t.Errorf("%+v, %v", former, err)
	}
	if former, err := p.FormerMembers(t.Context(), eve.TeamID); err != nil || len(former) != 0 { // D3
		t.Errorf("another team's: %+v, %v", former, err)
	}
	if list, err := p.Seen(t.Context(), eve.TeamID, p.jonas.UserID); err == nil { // D3
		t.Errorf("from another team: %+v", list)
	}
	if _, err := p.DeleteApplication(t.Context(), p.ana, p.bot.ID); err != nil {
		t.Fatal(err)
	}
	if list := p.seen(t); list.Total != 0 {
		t.Errorf("of a deleted application: %+v", list)
	}
}

// A key is the only way where there is no secret that works and no key of anybody else.
func TestSeenTellsOfTheOnlyWay(t *testing.T) {
	p := keysPast(t)
	p.Key(t, p.jonas, p.bot, "laptop")
	wants := func(what string, want ...bool) {
		t.Helper()
		var got []bool
		for _, row := range p.seen(t).Rows {
			got = append(got, row.OnlyWay)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	wants("beside a secret", false)
	if err := p.RemoveSecret(t.Context(), p.ana, p.bot.ID); err != nil {
		t.Fatal(err)
	}
	wants("alone", true)
	p.Key(t, p.jonas, p.bot, "old laptop")
	wants("beside another one of theirs", true, true)
	p.Key(t, p.ana, p.feed, "elsewhere")
	wants("beside one of another application", true, true)
	p.Key(t, p.ana, p.bot, "server")
	wants("beside one of ana's", false, false)
}

// D7: a key ends with the rest, in one transaction, with an event of its own.
func TestEndSeenRemovesKeys(t *testing.T) {
	p := newPast(t)
	laptop, left := p.Key(t, p.jonas, p.feed, "laptop"), p.Key(t, p.jonas, p.bot, "left out")
	server := p.Key(t, p.ana, p.feed, "server")
	var told []models.Notice
	p.Subscribe(func(n models.Notice) { told = append(told, n) })
	before := len(p.Events(t, p.ana.TeamID))
	got := p.end(t, store.SeenEnding{Tokens: []string{p.made.ID}, Keys: []string{laptop.ID, server.ID, "nothing"}})
	if got != (store.SeenEnded{Tokens: 1, Keys: 1}) || got.String() != "1 token revoked, 1 public key removed" {
		t.Fatalf("%+v", got)
	}
	events := p.Events(t, p.ana.TeamID)
	events = events[:len(events)-before]
	at := slices.IndexFunc(events, func(e models.AuditEvent) bool { return e.Action == models.AuditKeyRemoved })
	if len(events) != 3 || at < 0 || events[at].TargetID != p.feed.ID || events[at].ActorID != p.ana.UserID || events[at].Detail != "laptop (EC, P-256), thumbprint thumbprint of laptop" {
		t.Errorf("recorded %+v", events)
	}
	if !slices.ContainsFunc(told, func(n models.Notice) bool { return n.ApplicationID == p.feed.ID && n.ClientID == p.feed.ClientID }) {
		t.Errorf("caches were told %+v", told)
	}
	if client, err := p.ClientByID(t.Context(), p.feed.ClientID); err != nil || len(client.Keys) != 1 || client.Keys[0].ID != server.ID {
		t.Errorf("the client has %+v, %v", client.Keys, err)
	}
	if ids := p.ids(t, models.SightedKey); !slices.Equal(ids, []string{left.ID}) {
		t.Errorf("left: %v", ids)
	}
	if got := p.end(t, store.SeenEnding{Keys: []string{laptop.ID}}); got != (store.SeenEnded{}) {
		t.Errorf("again: %+v", got)
	}
}

// The last way to get tokens may end; a fault ends nothing.
func TestEndSeenRemovesTheOnlyKeyOrNothing(t *testing.T) {
	p := newPast(t)
	key := p.Key(t, p.jonas, p.bot, "laptop")
	if err := p.RemoveSecret(t.Context(), p.ana, p.bot.ID); err != nil {
		t.Fatal(err)
	}
	ending := store.SeenEnding{Tokens: p.ids(t, models.SightedToken), Keys: []string{key.ID}}
	p.Fail(t, "DELETE", "client_keys", "")
	before := len(p.Events(t, ""))
	if _, err := p.EndSeen(t.Context(), p.ana, p.jonas.UserID, ending); err == nil {
		t.Fatal("no error")
	}
	if len(p.Events(t, "")) != before || p.seen(t).Total != 3 {
		t.Error("half of it was done")
	}
	p.Mend(t)
	if got := p.end(t, ending); got != (store.SeenEnded{Tokens: 2, Keys: 1}) {
		t.Errorf("%+v", got)
	}
	if client, err := p.ClientByID(t.Context(), p.bot.ClientID); err != nil || len(client.Keys)+len(client.Secrets) != 0 {
		t.Errorf("%+v, %v", client.Proofs, err)
	}
}
