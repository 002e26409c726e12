package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// past is a team in which Jonas has seen and generated values.
type past struct {
	*storetest.DB
	ana, jonas         models.Actor
	bot, feed          models.Application
	shown, made, other models.Token
}

func newPast(t *testing.T) past {
	t.Helper()
	p := past{DB: storetest.New(t)}
	p.ana = p.Member(t, "northwind", "ana", models.RoleOwner)
	p.jonas = p.Member(t, "northwind", "jonas", models.RoleDeveloper)
	p.bot, p.feed = p.Application(t, p.ana, "Bot"), p.Application(t, p.ana, "Feed")
	p.shown = p.Token(t, p.ana, p.bot, models.KindManual, "shown")
	p.made = p.Token(t, p.jonas, p.feed, models.KindManual, "made")
	p.other = p.Token(t, p.ana, p.feed, models.KindManual, "other")
	p.Token(t, p.ana, p.feed, models.KindClientCredentials, "issued")
	for range 2 {
		if _, err := p.RevealToken(t.Context(), p.jonas, p.bot.ID, p.shown.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.RevealSecret(t.Context(), p.jonas, p.bot.ID); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p past) seen(t *testing.T) models.SeenList {
	t.Helper()
	list, err := p.Seen(t.Context(), p.ana.TeamID, p.jonas.UserID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		t.Fatal(err)
	}
	return list
}

func (p past) ids(t *testing.T, kind models.SightedType) (ids []string) {
	t.Helper()
	for _, row := range p.seen(t).Rows {
		if row.Type == kind {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

func secret(name string) models.ClientSecret {
	return models.ClientSecret{ID: store.NewID(), Hash: []byte(name), Sealed: []byte("sealed"), Last4: "nnnn"}
}

func (p past) end(t *testing.T, ending store.SeenEnding) store.SeenEnded {
	t.Helper()
	ended, err := p.EndSeen(t.Context(), p.ana, p.jonas.UserID, ending)
	if err != nil {
		t.Fatal(err)
	}
	return ended
}

func TestSeen(t *testing.T) {
	p := newPast(t)
	list := p.seen(t)
	if list.Name != "jonas" || !list.Member || list.Total != 3 || len(list.Rows) != 3 {
		t.Fatalf("%+v", list)
	}
	theSecret, theShown, theMade := list.Rows[0], list.Rows[1], list.Rows[2]
	if theSecret.Type != models.SightedSecret || theSecret.AppName != "Bot" || !theSecret.ExpiresAt.IsZero() || theSecret.Times != 1 || theSecret.Last4 != "wxyz" {
		t.Errorf("%+v", theSecret)
	}
	if theShown.ID != p.shown.ID || theShown.Times != 2 || theShown.LastAt != p.Now() || theShown.ExpiresAt != p.shown.ExpiresAt {
		t.Errorf("%+v", theShown)
	}
	if theMade.ID != p.made.ID || theMade.Times != 0 || theMade.AppName != "Feed" {
		t.Errorf("%+v", theMade)
	}
	if _, err := p.Seen(t.Context(), p.ana.TeamID, store.NewID()); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	eve := p.Member(t, "contoso", "eve", models.RoleOwner)
	if _, err := p.Seen(t.Context(), eve.TeamID, p.jonas.UserID); !errors.Is(err, models.ErrNotFound) { // D3
		t.Errorf("from another team: %v", err)
	}
	if former, err := p.FormerMembers(t.Context(), p.ana.TeamID); err != nil || len(former) != 0 {
		t.Errorf("%+v, %v", former, err)
	}
	if _, err := p.RemoveMember(t.Context(), p.ana, p.jonas.UserID); err != nil {
		t.Fatal(err)
	}
	former, err := p.FormerMembers(t.Context(), p.ana.TeamID)
	if err != nil || len(former) != 1 || former[0].UserID != p.jonas.UserID || former[0].Known != 3 || former[0].Name != "jonas" {
		t.Errorf("%+v, %v", former, err)
	}
	if former, err := p.FormerMembers(t.Context(), eve.TeamID); err != nil || len(former) != 0 {
		t.Errorf("another team's: %+v, %v", former, err)
	}
	if list := p.seen(t); list.Member || list.Total != 3 {
		t.Errorf("after the removal: %+v", list)
	}
}

// What has ended by itself needs no mending.
func TestSeenLeavesOutWhatHasEnded(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, p past) error{
		"revoked": func(t *testing.T, p past) error {
			_, _, err := p.RevokeToken(t.Context(), p.ana, p.bot.ID, p.shown.ID)
			return err
		},
		"all":     func(t *testing.T, p past) error { _, err := p.RevokeTokens(t.Context(), p.ana, p.bot.ID); return err },
		"expired": func(_ *testing.T, p past) error { p.Wait(time.Hour); return nil },
		"rotated": func(t *testing.T, p past) error {
			return p.RotateSecret(t.Context(), p.ana, p.bot.ID, store.Rotation{Secret: secret("x")})
		},
		"deleted": func(t *testing.T, p past) error {
			_, err := p.DeleteApplication(t.Context(), p.ana, p.bot.ID)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t)
			if err := end(t, p); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"revoked": 2, "all": 2, "expired": 1, "rotated": 2, "deleted": 1}[name]
			if list := p.seen(t); len(list.Rows) != want {
				t.Errorf("%d rows, want %d: %+v", len(list.Rows), want, list.Rows)
			}
		})
	}
}

// D7: ending what was seen is one transaction with an event for each value.
func TestEndSeen(t *testing.T) {
	p := newPast(t)
	var told []models.Notice
	p.Subscribe(func(n models.Notice) { told = append(told, n) })
	secrets := map[string]models.ClientSecret{}
	for _, id := range p.ids(t, models.SightedSecret) {
		secrets[id] = secret("new")
	}
	tokens := append(p.ids(t, models.SightedToken), p.other.ID, "nothing", p.shown.ID)
	before := len(p.Events(t, p.ana.TeamID))
	if got := p.end(t, store.SeenEnding{Tokens: tokens, Secrets: secrets, Overlap: time.Hour}); got != (store.SeenEnded{Tokens: 2, Rotated: 1}) {
		t.Fatalf("%+v", got)
	}
	var actions []models.AuditAction
	events := p.Events(t, p.ana.TeamID)
	for _, event := range events[:len(events)-before] {
		actions = append(actions, event.Action)
		if event.ActorID != p.ana.UserID {
			t.Errorf("%+v", event)
		}
	}
	slices.Sort(actions)
	if want := []models.AuditAction{models.AuditSecretRotated, models.AuditSeenEnded, models.AuditTokenRevoked, models.AuditTokenRevoked}; !slices.Equal(actions, want) {
		t.Errorf("recorded %v", actions)
	}
	if !slices.ContainsFunc(told, func(n models.Notice) bool { return string(n.TokenHash) == "made" }) || !slices.ContainsFunc(told, func(n models.Notice) bool { return n.ApplicationID == p.bot.ID }) {
		t.Errorf("caches were told %+v", told)
	}
	for hash, want := range map[string]models.Status{"shown": models.StatusRevoked, "made": models.StatusRevoked, "other": models.StatusActive, "issued": models.StatusActive} {
		if got, err := p.TokenByHash(t.Context(), []byte(hash)); err != nil || got.Status(p.Now()) != want {
			t.Errorf("%s is %s, %v", hash, got.Status(p.Now()), err)
		}
	}
	// The secret that Jonas saw goes on for an hour and can be ended before.
	old := p.seen(t).Rows
	if len(old) != 1 || old[0].ExpiresAt != p.Now().Add(time.Hour) {
		t.Fatalf("left: %+v", old)
	}
	if got := p.end(t, store.SeenEnding{Secrets: map[string]models.ClientSecret{old[0].ID: secret("unused")}}); got != (store.SeenEnded{Retired: 1}) || got.String() != "1 old secret ended" {
		t.Errorf("%+v", got)
	}
	detail, err := p.Store.Application(t.Context(), p.ana.TeamID, p.bot.ID)
	if err != nil || len(detail.Secrets) != 1 || detail.Secrets[0].Last4 != "nnnn" {
		t.Errorf("%+v, %v", detail.Secrets, err)
	}
	before = len(p.Events(t, ""))
	if got := p.end(t, store.SeenEnding{Tokens: tokens}); got != (store.SeenEnded{}) || len(p.Events(t, "")) != before {
		t.Errorf("again: %+v, or an event", got)
	}
	if _, err := p.EndSeen(t.Context(), p.jonas, p.jonas.UserID, store.SeenEnding{}); !errors.Is(err, models.ErrConflict) {
		t.Errorf("by a developer: %v", err)
	}
}

// A fault in the middle undoes all of it.
func TestEndSeenIsAllOrNothing(t *testing.T) {
	p := newPast(t)
	p.Fail(t, "INSERT", "client_secrets", "")
	before := len(p.Events(t, ""))
	ending := store.SeenEnding{Tokens: p.ids(t, models.SightedToken), Secrets: map[string]models.ClientSecret{p.ids(t, models.SightedSecret)[0]: secret("new")}}
	if _, err := p.EndSeen(t.Context(), p.ana, p.jonas.UserID, ending); err == nil {
		t.Fatal("no error")
	}
	if len(p.Events(t, "")) != before || p.seen(t).Total != 3 {
		t.Error("half of it was done")
	}
}

// R1: the list and one deed are bounded; what is left follows.
func TestSeenIsBounded(t *testing.T) {
	p := newPast(t)
	for i := range models.MaxSeen {
		p.Token(t, p.jonas, p.feed, models.KindManual, fmt.Sprintf("many %d", i))
	}
	list := p.seen(t)
	if len(list.Rows) != models.MaxSeen || list.Total != models.MaxSeen+3 {
		t.Fatalf("%d rows of %d", len(list.Rows), list.Total)
	}
	if got := p.end(t, store.SeenEnding{Tokens: p.ids(t, models.SightedToken)}); got.Tokens != models.MaxSeen-1 {
		t.Errorf("%+v", got)
	}
	if list := p.seen(t); list.Total != 4 {
		t.Errorf("%d are left", list.Total)
	}
}

// D3: what a team does about the values that somebody has seen is not told to them: they
// may have left for it.
func TestWhoHasSeenIsNotToldOfTheEnd(t *testing.T) {
	db := storetest.New(t)
	ana, bob := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "bob", models.RoleDeveloper)
	app := db.Application(t, bob, "Bot")
	token := models.Token{ID: store.NewID(), ApplicationID: app.ID, Kind: models.KindManual, Hash: []byte("h"), Last4: "Zk3Q", Sealed: []byte("s"), CreatedAt: db.Now(), ExpiresAt: db.Now().Add(time.Hour)}
	if _, err := db.CreateManualToken(t.Context(), bob, token, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := db.RemoveMember(t.Context(), ana, bob.UserID); err != nil {
		t.Fatal(err)
	}
	if ended, err := db.EndSeen(t.Context(), ana, bob.UserID, store.SeenEnding{Tokens: []string{token.ID}}); err != nil || ended.Tokens != 1 {
		t.Fatal(ended, err)
	}
	events, err := db.AccountEvents(t.Context(), bob.UserID, 10)
	if err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	for _, event := range events {
		if event.Action == models.AuditSeenEnded {
			t.Errorf("bob reads %+v", event)
		}
	}
}
