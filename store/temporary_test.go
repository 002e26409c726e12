package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// builtIn is the built-in application of the actor's team.
func builtIn(t testing.TB, db *storetest.DB, actor models.Actor) models.ApplicationDetail {
	t.Helper()
	list, err := db.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{Search: "temporary (ide)"})
	if err != nil || len(list.Rows) != 1 || list.Rows[0].Type != models.TypeBuiltIn {
		t.Fatalf("%+v, %v", list, err)
	}
	app, err := db.Store.Application(t.Context(), actor.TeamID, list.Rows[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

var bg = context.Background()

func ends(db *storetest.DB) models.Time { return models.NewRotation(365 * 86400).Ends(db.Now()) }

func ask(db *storetest.DB, actor models.Actor, hash, scopes string) (models.Token, error) {
	return db.CreateTemporaryToken(bg, actor, models.Token{
		ID: store.NewID(), Hash: []byte(hash), Last4: "nB2e", Sealed: []byte("sealed " + hash), Scopes: scopes, CreatedAt: db.Now(), ExpiresAt: ends(db),
	})
}

// temporary makes the actor's token of now.
func temporary(t testing.TB, db *storetest.DB, actor models.Actor, hash string) models.Token {
	t.Helper()
	token, err := ask(db, actor, hash, "api")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// run purges to the end.
func run(t *testing.T, p *store.Purge) {
	t.Helper()
	for done := false; !done; {
		var err error
		if done, err = p.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func rows(t testing.TB, db *storetest.DB) int64 {
	t.Helper()
	return db.Number(t, "SELECT COUNT(*) FROM tokens WHERE kind = 'temporary'")
}

// Every way to make a team gives it the built-in application.
func TestEachTeamHasTheBuiltInApplication(t *testing.T) {
	db := storetest.New(t)
	first, err := db.Setup(t.Context(), models.Actor{}, store.Account{Name: "Ana", Email: "ana@one.example", PasswordHash: "-", Team: "One"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.SignUp(t.Context(), models.Actor{}, store.Account{Name: "Eve", Email: "eve@two.example", PasswordHash: "-", Team: "Two"}); err != nil {
		t.Fatal(err)
	}
	db.Member(t, "three", "jon", models.RoleOwner)
	db.Member(t, "three", "vic", models.RoleViewer) // joins
	operator := models.Actor{UserID: first.ID, UserName: "Ana", Operator: true}
	if _, err := db.AddTeam(t.Context(), operator, models.TeamInput{Team: "Four", Name: "Kim", Email: "kim@four.example"}); err != nil {
		t.Fatal(err)
	}
	if got := db.Number(t, `SELECT COUNT(*) FROM teams t JOIN applications a ON a.team_id = t.id WHERE a.type = 'built-in' AND a.name = 'Temporary (IDE)'
		AND a.name_key = ? AND a.client_id <> '' AND a.created_by = '' AND NOT EXISTS (SELECT 1 FROM client_secrets s WHERE s.application_id = a.id)`,
		models.FoldName(models.BuiltInName)); got != 4 || db.Number(t, "SELECT COUNT(*) FROM teams") != 4 {
		t.Errorf("%d of 4 teams have it", got)
	}
}

// A team that lost it, or never had it, gets it with its first token.
func TestTheBuiltInApplicationIsMadeWhereItIsMissing(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	exec(t, db, "DELETE FROM applications")
	if found, err := db.Temporary(t.Context(), ana.TeamID, ana.UserID, ends(db)); err != nil || found.ApplicationID != "" || found.Token.ID != "" {
		t.Errorf("%+v, %v", found, err)
	}
	token := temporary(t, db, ana, "h")
	if app := builtIn(t, db, ana); app.ID != token.ApplicationID || refusal(t, db, "h") != "" {
		t.Errorf("%+v", app)
	}
}

func TestTemporaryToken(t *testing.T) {
	db := storetest.New(t)
	ana, jon := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "jon", models.RoleDeveloper)
	app := builtIn(t, db, ana)
	if _, err := db.TemporaryToken(t.Context(), ana.TeamID, ana.UserID, ends(db)); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("before it is made: %v", err)
	}
	made, err := ask(db, ana, "first", "api admin")
	if err != nil || made.ApplicationID != app.ID || made.CreatedBy != ana.UserID || made.Kind != models.KindTemporary || made.Scopes != "api admin" {
		t.Fatalf("%+v, %v", made, err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditTemporaryMade || event.TargetID != made.ID || event.Target != "Temporary (IDE), token ending in nB2e" || event.ActorID != ana.UserID {
		t.Errorf("%+v", event)
	}
	if bearer, err := db.TokenByHash(t.Context(), []byte("first")); err != nil || bearer.AppScopes != "api admin" || bearer.ClientID != app.ClientID {
		t.Errorf("%+v, %v", bearer, err)
	}
	db.Wait(time.Hour)
	again, err := ask(db, ana, "second", "api")
	if err != nil || again.ID != made.ID || string(again.Sealed) != "sealed first" {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	found, err := db.TemporaryToken(t.Context(), ana.TeamID, ana.UserID, ends(db))
	if err != nil || found.ID != made.ID || string(found.Sealed) != "sealed first" || found.ApplicationID != app.ID {
		t.Errorf("found: %+v, %v", found, err)
	}
	if shown, err := db.Temporary(t.Context(), ana.TeamID, ana.UserID, ends(db)); err != nil || shown.Token.ID != made.ID || shown.Token.Last4 != "nB2e" || shown.Token.Sealed != nil || shown.ApplicationID != app.ID || shown.Off {
		t.Errorf("the page: %+v, %v", shown, err)
	}
	if other := temporary(t, db, jon, "jon's"); other.ID == made.ID || rows(t, db) != 2 {
		t.Errorf("%+v", other)
	}
}

// T4: however many ask at once, a member has one token in a window.
func TestManyAskAtOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	var wg sync.WaitGroup
	got := make([]models.Token, 50)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = ask(db, ana, fmt.Sprint("value ", i), "api"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, token := range got {
		if token.ID != got[0].ID || string(token.Sealed) != string(got[0].Sealed) {
			t.Fatalf("%+v and %+v", token, got[0])
		}
	}
	if rows(t, db) != 1 {
		t.Errorf("%d rows", rows(t, db))
	}
	made := slices.DeleteFunc(db.Events(t, ana.TeamID), func(e models.AuditEvent) bool { return e.Action != models.AuditTemporaryMade })
	if len(made) != 1 {
		t.Errorf("%d events", len(made))
	}
}

// The token changes at noon and at midnight UTC; the one before is good for 5 minutes more.
func TestTemporaryTokensFollowEachOther(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	first := temporary(t, db, ana, "first")
	midnight := models.At(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	db.Until(midnight - 1)
	if again := temporary(t, db, ana, "x"); again.ID != first.ID {
		t.Error("it changes too early")
	}
	db.Until(midnight)
	second := temporary(t, db, ana, "second")
	if second.ID == first.ID || second.ExpiresAt != midnight.Add(12*time.Hour+5*time.Minute) {
		t.Errorf("%+v", second)
	}
	db.Until(midnight.Add(5*time.Minute) - 1)
	if refusal(t, db, "first") != "" || refusal(t, db, "second") != "" {
		t.Errorf("%q, %q", refusal(t, db, "first"), refusal(t, db, "second"))
	}
	if list, err := db.TemporaryTokens(t.Context(), ana.TeamID); err != nil || len(list) != 2 || list[0].ID != second.ID || list[0].CreatedByName != "ana" {
		t.Errorf("%+v, %v", list, err)
	}
	db.Until(midnight.Add(5 * time.Minute))
	if refusal(t, db, "first") != models.RefusedExpired || refusal(t, db, "second") != "" {
		t.Errorf("%q, %q", refusal(t, db, "first"), refusal(t, db, "second"))
	}
	if list, err := db.TemporaryTokens(t.Context(), ana.TeamID); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// T4: a temporary token ends with what its member may; caches hear of it.
func TestTemporaryTokensEndWithTheMember(t *testing.T) {
	for name, test := range map[string]struct {
		do    func(db *storetest.DB, ana, jon models.Actor) error
		ends  bool
		after error // of asking again
	}{
		"removed": {func(db *storetest.DB, ana, jon models.Actor) error {
			_, err := db.RemoveMember(bg, ana, jon.UserID)
			return err
		}, true, models.ErrForbidden},
		"left":          {func(db *storetest.DB, _, jon models.Actor) error { return db.LeaveTeam(bg, jon, []byte("x")) }, true, models.ErrForbidden},
		"made a viewer": {func(db *storetest.DB, ana, jon models.Actor) error { return role(db, ana, jon, models.RoleViewer) }, true, models.ErrForbidden},
		"made an owner": {func(db *storetest.DB, ana, jon models.Actor) error { return role(db, ana, jon, models.RoleOwner) }, false, nil},
		"disabled": {func(db *storetest.DB, _, jon models.Actor) error {
			return db.DisableUser(bg, models.CommandLine, jon.UserID)
		}, true, models.ErrForbidden},
		"replaced": {func(db *storetest.DB, _, jon models.Actor) error {
			was, err := db.ReplaceTemporaryToken(bg, jon)
			if err == nil && !was {
				err = errors.New("nothing replaced")
			}
			return err
		}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.New(t)
			ana, jon := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "jon", models.RoleDeveloper)
			db.Until(models.At(time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)))
			temporary(t, db, jon, "before")
			db.Wait(2 * time.Minute)
			temporary(t, db, jon, "now")
			temporary(t, db, ana, "ana's")
			var heard []string
			db.Subscribe(func(n models.Notice) { heard = append(heard, string(n.TokenHash)) })
			if err := test.do(db, ana, jon); err != nil {
				t.Fatal(err)
			}
			want, hear := models.Refusal(""), false
			if test.ends {
				want, hear = models.RefusedRevoked, true
			}
			for _, hash := range []string{"before", "now"} {
				if got := refusal(t, db, hash); got != want || slices.Contains(heard, hash) != hear {
					t.Errorf("%s: %q, heard %q", hash, got, heard)
				}
			}
			if test.ends && db.Number(t, "SELECT COUNT(*) FROM tokens WHERE revoked_at <> 0 AND sealed IS NOT NULL") != 0 { // T7
				t.Error("a sealed value is left")
			}
			if refusal(t, db, "ana's") != "" {
				t.Error("another member's ended too")
			}
			if _, err := ask(db, jon, "again", "api"); !errors.Is(err, test.after) {
				t.Errorf("asking again: %v", err)
			}
		})
	}
}

func role(db *storetest.DB, ana, jon models.Actor, to models.Role) error {
	_, err := db.ChangeRole(bg, ana, jon.UserID, to)
	return err
}

// A viewer has none, and so has somebody who asks in a team that they are not in.
func TestWhoHasATemporaryToken(t *testing.T) {
	db := storetest.New(t)
	ana, vic := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "vic", models.RoleViewer)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	intruder := eve
	intruder.TeamID = ana.TeamID
	for name, actor := range map[string]models.Actor{"a viewer": vic, "another team's": intruder, "nobody": {TeamID: ana.TeamID}} {
		if _, err := ask(db, actor, name, "api"); !errors.Is(err, models.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rows(t, db) != 0 {
		t.Errorf("%d rows", rows(t, db))
	}
	if err := db.SwitchApplication(t.Context(), ana, builtIn(t, db, ana).ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(db, ana, "off", "api"); !errors.Is(err, models.ErrConflict) {
		t.Errorf("switched off: %v", err)
	}
}

// Nobody but its owner is shown a temporary token, whatever route they try.
func TestShowingATemporaryToken(t *testing.T) {
	db := storetest.New(t)
	ana, jon := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "jon", models.RoleDeveloper)
	token := temporary(t, db, ana, "h")
	for _, actor := range []models.Actor{ana, jon} {
		if _, err := db.RevealToken(t.Context(), actor, token.ApplicationID, token.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s, as a manual one: %v", actor.UserName, err)
		}
	}
	if err := db.RevealTemporaryToken(t.Context(), jon, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("jon: %v", err)
	}
	if err := db.RevealTemporaryToken(t.Context(), ana, token.ID); err != nil {
		t.Fatal(err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditTokenShown || event.ActorID != ana.UserID || event.TargetID != token.ID {
		t.Errorf("%+v", event)
	}
	seen, err := db.Witnesses(t.Context(), ana.TeamID, token.ApplicationID, []string{token.ID})
	if err != nil || len(seen.Sightings[token.ID]) != 1 || seen.Sightings[token.ID][0].UserID != ana.UserID {
		t.Errorf("%+v, %v", seen, err)
	}
	db.Wait(24 * time.Hour)
	if err := db.RevealTemporaryToken(t.Context(), ana, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
}

// Revoke on the built-in application ends every member's at once; each gets another.
func TestRevokingAllTemporaryTokens(t *testing.T) {
	db := storetest.New(t)
	ana, jon := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "northwind", "jon", models.RoleDeveloper)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	temporary(t, db, ana, "ana's")
	temporary(t, db, jon, "jon's")
	temporary(t, db, eve, "eve's")
	var heard []models.Notice
	db.Subscribe(func(n models.Notice) { heard = append(heard, n) })
	app := builtIn(t, db, ana)
	if n, err := db.RevokeTokens(t.Context(), jon, app.ID); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	if !slices.ContainsFunc(heard, func(n models.Notice) bool { return n.ApplicationID == app.ID }) {
		t.Errorf("heard %+v", heard)
	}
	if refusal(t, db, "ana's") != models.RefusedRevoked || refusal(t, db, "jon's") != models.RefusedRevoked || refusal(t, db, "eve's") != "" {
		t.Errorf("%q %q %q", refusal(t, db, "ana's"), refusal(t, db, "jon's"), refusal(t, db, "eve's"))
	}
	if db.Number(t, "SELECT COUNT(*) FROM tokens WHERE revoked_at <> 0 AND sealed IS NULL AND revoked_by = ?", jon.UserID) != 2 {
		t.Error("the rows are not marked")
	}
	if found, err := db.Temporary(t.Context(), ana.TeamID, ana.UserID, ends(db)); err != nil || found.Token.ID != "" {
		t.Errorf("the page: %+v, %v", found, err)
	}
	temporary(t, db, ana, "another")
	if refusal(t, db, "another") != "" || builtIn(t, db, ana).ActiveTokens != 1 {
		t.Errorf("%q", refusal(t, db, "another"))
	}
}

// T7: an expired one loses its value at the next sweep, and goes with those of programs;
// no warning, calendar or list of what people know names it.
func TestTemporaryTokensGo(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	token := temporary(t, db, ana, "h")
	if err := db.RevealTemporaryToken(t.Context(), ana, token.ID); err != nil {
		t.Fatal(err)
	}
	if told, err := db.TellEnding(t.Context(), func(models.Ending, models.Time) (string, error) { return "", nil }); err != nil || len(told) != 0 {
		t.Errorf("told of %+v, %v", told, err)
	}
	if all, err := db.CalendarEndings(t.Context(), ana.TeamID); err != nil || len(all) != 0 {
		t.Errorf("in the calendar %+v, %v", all, err)
	}
	if seen, err := db.Seen(t.Context(), ana.TeamID, ana.UserID); err != nil || len(seen.Rows) != 0 {
		t.Errorf("seen %+v, %v", seen, err)
	}
	if list, err := db.Hygiene(t.Context(), ana.TeamID, 1); err != nil || list.Total != 0 {
		t.Errorf("findings %+v, %v", list, err)
	}
	db.Until(token.ExpiresAt - 1)
	run(t, db.PurgeLeftovers())
	if db.Number(t, "SELECT COUNT(*) FROM tokens WHERE sealed IS NOT NULL") != 1 {
		t.Error("the value went too early")
	}
	db.Until(token.ExpiresAt)
	run(t, db.PurgeLeftovers())
	if db.Number(t, "SELECT COUNT(*) FROM tokens WHERE sealed IS NOT NULL") != 0 {
		t.Error("the value is left")
	}
	keep := store.Retention{Manual: 720 * time.Hour, Issued: 24 * time.Hour}
	for _, step := range []struct {
		wait time.Duration
		left int64
	}{{24 * time.Hour, 1}, {time.Millisecond, 0}} {
		db.Wait(step.wait)
		purge, err := db.Purge(t.Context(), keep)
		if err != nil {
			t.Fatal(err)
		}
		run(t, purge)
		if rows(t, db) != step.left {
			t.Errorf("after %s: %d rows, want %d", step.wait, rows(t, db), step.left)
		}
	}
	db.Wait(models.NeverUsedAfter)
	if list, err := db.Hygiene(t.Context(), ana.TeamID, 1); err != nil || list.Total != 0 {
		t.Errorf("findings %+v, %v", list, err)
	}
}
