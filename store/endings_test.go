package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

const oneDay = 24 * time.Hour

// living makes a manual token that lives so long.
func living(t *testing.T, db *storetest.DB, actor models.Actor, app models.Application, d time.Duration) models.Token {
	t.Helper()
	app.Lifespan = int64(d.Seconds())
	return db.Token(t, actor, app, models.KindManual, store.NewID())
}

func bodyOf(e models.Ending, _ models.Time) (string, error) { return "body of " + e.ID, nil }

// warned tells what is due and returns "name of the application: people", one line for each thing.
func warned(t *testing.T, db *store.Store) []string {
	t.Helper()
	var lines []string
	all, err := db.TellEnding(t.Context(), bodyOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		line := string(w.Kind) + " of " + w.ApplicationName + ":"
		for _, person := range w.People {
			line += " " + person.Name
		}
		lines = append(lines, line)
	}
	return lines
}

// S23: people are told 7 days and 1 day ahead, once each, also where the program starts anew.
func TestPeopleAreToldOnceAtEachMark(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	db.Member(t, "northwind", "vera", models.RoleViewer)
	token := living(t, db, jonas, db.Application(t, ana, "Bot"), 30*oneDay)
	again := func() *store.Store {
		other, err := store.Open(db.Path, db.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Close() })
		return other
	}
	for _, step := range []struct {
		before time.Duration
		want   int
	}{{30 * oneDay, 0}, {7*oneDay + 1*time.Millisecond, 0}, {7 * oneDay, 1}, {6 * oneDay, 0}, {oneDay + time.Millisecond, 0}, {oneDay, 1}, {time.Hour, 0}, {0, 0}, {-oneDay, 0}} {
		db.Until(token.ExpiresAt.Add(-step.before))
		got := warned(t, db.Store)
		if len(got) != step.want || step.want == 1 && got[0] != "token of Bot: ana jonas" {
			t.Errorf("%s before the end: told %q", step.before, got)
		}
		if more := append(warned(t, db.Store), warned(t, again())...); len(more) > 0 {
			t.Errorf("%s before the end: told again %q", step.before, more)
		}
		if err := db.Sweep(t.Context(), oneDay, oneDay); err != nil {
			t.Fatal(err)
		}
	}
	db.Until(token.ExpiresAt.Add(8 * oneDay))
	if err := db.Sweep(t.Context(), oneDay, oneDay); err != nil || db.Number(t, "SELECT COUNT(*) FROM warnings") != 0 {
		t.Errorf("marks of what ended stay: %v", err)
	}
}

// Of two processes that look at the same moment, one tells (D8).
func TestOneOfManyTells(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.SetWebhook(t.Context(), ana, "https://example.com/", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	living(t, db, ana, db.Application(t, ana, "Bot"), 30*oneDay)
	other, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i, wait := range []time.Duration{23 * oneDay, 6 * oneDay} {
		db.Wait(wait)
		var total atomic.Int64
		var all sync.WaitGroup
		for n := range 50 {
			all.Go(func() {
				got, err := []*store.Store{db.Store, other}[n%2].TellEnding(t.Context(), bodyOf)
				if err != nil {
					t.Error(err)
				}
				total.Add(int64(len(got)))
			})
		}
		all.Wait()
		if total.Load() != 1 {
			t.Errorf("told %d times", total.Load())
		}
		if n := db.Number(t, "SELECT COUNT(*) FROM webhook_deliveries"); n != int64(i+1) {
			t.Errorf("%d deliveries after mark %d", n, i)
		}
	}
}

// What is told, and what is not: each case has a team of its own.
func TestWhatIsTold(t *testing.T) {
	rotation := func(overlap time.Duration) store.Rotation {
		return store.Rotation{Secret: models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: []byte("s"), Last4: "new1"}, Overlap: overlap}
	}
	for name, c := range map[string]struct {
		act  func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application)
		want int
	}{
		"both marks have passed at once": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			db.Until(living(t, db, ana, app, 30*oneDay).ExpiresAt.Add(-time.Hour))
		}, 1},
		"lives no longer than a mark": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			living(t, db, ana, app, oneDay)
			living(t, db, ana, app, 7*oneDay)
			living(t, db, ana, app, time.Hour)
		}, 0},
		"lives longer than one mark": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			db.Until(living(t, db, ana, app, 7*oneDay).ExpiresAt.Add(-oneDay))
		}, 1},
		"revoked": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			token := living(t, db, ana, app, 30*oneDay)
			if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
				t.Fatal(err)
			}
			db.Until(token.ExpiresAt.Add(-time.Hour))
		}, 0},
		"all revoked": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			token := living(t, db, ana, app, 30*oneDay)
			if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
				t.Fatal(err)
			}
			db.Until(token.ExpiresAt.Add(-time.Hour))
		}, 0},
		"of a deleted application": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			token := living(t, db, ana, app, 30*oneDay)
			if _, err := db.DeleteApplication(t.Context(), ana, app.ID); err != nil {
				t.Fatal(err)
			}
			db.Until(token.ExpiresAt.Add(-time.Hour))
		}, 0},
		"a program's own": {func(t *testing.T, db *storetest.DB, _ models.Actor, app models.Application) {
			db.Tokens(t, app, 3, models.Token{ExpiresAt: db.Now().Add(30 * oneDay)})
			db.Wait(29 * oneDay)
		}, 0},
		"switched off, then on": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			db.Until(living(t, db, ana, app, 30*oneDay).ExpiresAt.Add(-oneDay))
			for _, on := range []bool{false, true} {
				if err := db.SwitchApplication(t.Context(), ana, app.ID, on); err != nil {
					t.Fatal(err)
				}
				if got := warned(t, db.Store); !on && len(got) > 0 {
					t.Errorf("told %q while switched off", got)
				} else if on && len(got) != 1 {
					t.Errorf("told %q once switched on", got)
				}
			}
		}, 0},
		"of a suspended team": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			db.Until(living(t, db, ana, app, 30*oneDay).ExpiresAt.Add(-oneDay))
			exec(t, db, "UPDATE teams SET suspended_at = 1 WHERE id = ?", ana.TeamID)
		}, 0},
		"an old secret": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			if err := db.RotateSecret(t.Context(), ana, app.ID, rotation(oneDay)); err != nil {
				t.Fatal(err)
			}
		}, 1},
		"a secret that was replaced at once": {func(t *testing.T, db *storetest.DB, ana models.Actor, app models.Application) {
			if err := db.RotateSecret(t.Context(), ana, app.ID, rotation(0)); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.New(t)
			ana := db.Member(t, "northwind", "ana", models.RoleOwner)
			c.act(t, db, ana, db.Application(t, ana, "Bot"))
			if got := warned(t, db.Store); len(got) != c.want {
				t.Errorf("told %q, want %d", got, c.want)
			}
			if got := warned(t, db.Store); len(got) > 0 {
				t.Errorf("told again %q", got)
			}
		})
	}
}

func exec(t *testing.T, db *storetest.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Raw(t).ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// Who is gone is not told, and who took the application over is.
func TestWhoIsTold(t *testing.T) {
	db := storetest.New(t)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	olga := db.Member(t, "northwind", "olga", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	kai := db.Member(t, "northwind", "kai", models.RoleDeveloper)
	db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, jonas, "Bot")
	token := living(t, db, jonas, app, 30*oneDay)
	exec(t, db, "UPDATE users SET disabled_at = 1 WHERE id = ?", olga.UserID)
	exec(t, db, "DELETE FROM members WHERE user_id = ?", jonas.UserID)
	db.Until(token.ExpiresAt.Add(-7 * oneDay))
	if got := warned(t, db.Store); !slices.Equal(got, []string{"token of Bot: ana"}) {
		t.Errorf("told %q", got)
	}
	if _, taken, err := db.TakeOver(t.Context(), kai, app.ID); err != nil || !taken {
		t.Fatal(taken, err)
	}
	db.Until(token.ExpiresAt.Add(-oneDay))
	if got := warned(t, db.Store); !slices.Equal(got, []string{"token of Bot: ana kai"}) {
		t.Errorf("told %q", got)
	}
}

// A run takes bounded steps, and a team's queue has an end (R1).
func TestTellingIsBounded(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	if err := db.SetWebhook(t.Context(), ana, "https://example.com/", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, created_at, created_by, expires_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 650)
		SELECT 't' || (1000 + i), ?1, ?2, 'manual', CAST('h' || i AS `+db.Binary()+`), 'abcd', 'api', ?3, ?4, ?3 + ?5 FROM n`,
		app.ID, ana.TeamID, int64(db.Now()), ana.UserID, 30*oneDay.Milliseconds())
	db.Wait(25 * oneDay)
	var steps []int
	for {
		n := len(warned(t, db.Store))
		if n == 0 {
			break
		}
		steps = append(steps, n)
	}
	if want := []int{100, 100, 100, 100, 100, 100, 50}; !slices.Equal(steps, want) {
		t.Errorf("steps of %v", steps)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM webhook_deliveries WHERE next_at <> 0"); n != models.MaxWaiting {
		t.Errorf("%d deliveries wait", n)
	}
	err := db.TestWebhook(t.Context(), ana, func(models.Time) (string, error) { return "{}", nil })
	if fmt.Sprint(err) != models.ErrBusy.Error() {
		t.Errorf("one more: %v", err)
	}
	db.Wait(31 * oneDay)
	if err := db.Sweep(t.Context(), oneDay, oneDay); err != nil || db.Number(t, "SELECT COUNT(*) FROM webhook_deliveries") != 0 {
		t.Errorf("deliveries stay: %v", err)
	}
}

// The filters of the lists say what the badges say.
func TestListsOfWhatEndsSoon(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	soon, later, rotated, foreign := db.Application(t, ana, "Soon"), db.Application(t, ana, "Later"), db.Application(t, ana, "Rotated"), db.Application(t, eve, "Foreign")
	ends := living(t, db, ana, soon, 8*oneDay)
	living(t, db, ana, soon, 5*oneDay)
	living(t, db, ana, later, 90*oneDay)
	living(t, db, eve, foreign, 8*oneDay)
	db.Wait(2 * oneDay)
	if err := db.RotateSecret(t.Context(), ana, rotated.ID, store.Rotation{Secret: models.ClientSecret{ID: "new", Hash: []byte("h"), Sealed: []byte("s")}, Overlap: oneDay}); err != nil {
		t.Fatal(err)
	}
	list, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{Ending: true})
	if err != nil || list.Total != 2 || list.Rows[0].Name != "Rotated" || list.Rows[1].Name != "Soon" {
		t.Errorf("%+v %v", list, err)
	}
	if list, err = db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{Ending: true, Search: "soo", Sort: models.SortActive, Desc: true}); err != nil || list.Total != 1 {
		t.Errorf("searched: %+v %v", list, err)
	}
	tokens, err := db.ManualTokens(t.Context(), ana.TeamID, soon.ID, models.TokenQuery{Ending: true})
	if err != nil || tokens.Total != 1 || tokens.EndingTotal != 1 || tokens.Rows[0].ID != ends.ID || !tokens.Rows[0].EndsSoon(db.Now()) {
		t.Errorf("%+v %v", tokens, err)
	}
	if tokens, err = db.ManualTokens(t.Context(), ana.TeamID, soon.ID, models.TokenQuery{}); err != nil || tokens.Total != 2 || tokens.EndingTotal != 1 {
		t.Errorf("%+v %v", tokens, err)
	}
	calendar, err := db.CalendarEndings(t.Context(), ana.TeamID)
	if err != nil || len(calendar) != 4 || calendar[0].Kind != models.EndingSecret || calendar[1].ApplicationName != "Soon" {
		t.Errorf("%+v %v", calendar, err)
	}
}

func TestAttentionIsRememberedAndForgotten(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := living(t, db, ana, app, 8*oneDay)
	wants := func(when string, ending, findings int64) {
		t.Helper()
		got, err := db.Attention(t.Context(), ana.TeamID)
		if err != nil || got.Ending != ending || got.EndingOf[app.ID] != ending || got.Findings != findings {
			t.Errorf("%s: %+v %v, want %d and %d", when, got, err, ending, findings)
		}
	}
	wants("at first", 0, 0)
	db.Wait(oneDay)
	wants("a day later", 1, 0)
	exec(t, db, "UPDATE tokens SET revoked_at = 1") // another process
	wants("within the minute", 1, 0)
	db.Wait(time.Minute)
	wants("after a minute", 0, 0)
	exec(t, db, "UPDATE tokens SET revoked_at = 0")
	db.Wait(time.Minute)
	wants("again", 1, 0)
	if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	wants("revoked here", 0, 0)
	db.Wait(7 * oneDay)
	wants("never used", 0, 1)
}
