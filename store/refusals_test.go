package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func hashOf(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// refusedCall is one of a team at the moment of the clock.
func refusedCall(db *storetest.DB, team, value string, reason models.Refusal) models.RefusedCall {
	return models.RefusedCall{TeamID: team, ValueHash: hashOf(value), Reason: reason, Route: "/v1", Address: "192.0.2.7", Agent: "curl/8", FirstAt: db.Now(), LastAt: db.Now(), Times: 1}
}

func save(t *testing.T, db *storetest.DB, calls ...models.RefusedCall) {
	t.Helper()
	if err := db.SaveRefusedCalls(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
}

func refusedOf(t *testing.T, db *storetest.DB, team string, query models.RefusedQuery) models.RefusedList {
	t.Helper()
	list, err := db.RefusedCalls(t.Context(), team, query)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// issued stores a token of an application that is good for an hour and returns its ID.
func issued(t *testing.T, db *storetest.DB, app models.Application, value string) string {
	t.Helper()
	token := models.Token{
		ID: store.NewID(), ApplicationID: app.ID, TeamID: app.TeamID, Kind: models.KindClientCredentials, Hash: hashOf(value), Last4: "wxyz",
		Scopes: "api", Epoch: app.Epoch, CreatedAt: db.Now(), ExpiresAt: db.Now().Add(time.Hour),
	}
	if err := db.InsertTokens(t.Context(), []models.Token{token}); err != nil {
		t.Fatal(err)
	}
	return token.ID
}

func checked(t *testing.T, db *storetest.DB, team, value string) models.TokenVerdict {
	t.Helper()
	verdict, err := db.CheckToken(t.Context(), team, hashOf(value))
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func TestRefusedCallsAreAddedUp(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	first := refusedCall(db, ana.TeamID, "a", models.RefusedRevoked)
	db.Wait(time.Minute)
	later := refusedCall(db, ana.TeamID, "a", models.RefusedRevoked)
	later.Times, later.Agent, later.Scope = 4, "curl/9", "trade"
	elsewhere := later
	elsewhere.Address = "192.0.2.8"
	save(t, db, later, elsewhere)
	save(t, db, first) // another node writes late
	list := refusedOf(t, db, ana.TeamID, models.RefusedQuery{})
	if list.Total != 2 || len(list.Rows) != 2 {
		t.Fatalf("%d rows of %d", len(list.Rows), list.Total)
	}
	for _, row := range list.Rows {
		if row.Address == "192.0.2.7" && (row.Times != 5 || row.FirstAt != first.FirstAt || row.LastAt != later.LastAt) || row.Address == "192.0.2.8" && row.Times != 4 {
			t.Errorf("%+v", row.RefusedCall)
		}
	}
}

// D3: a team sees its own, by application and page by page, and nobody sees those of none.
func TestRefusedCallsOfOneTeam(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	bot := db.Application(t, ana, "Bot")
	for i := range models.PageSize + 3 {
		db.Wait(time.Second)
		call := refusedCall(db, ana.TeamID, fmt.Sprint(i), models.RefusedExpired)
		if i < 2 {
			call.ApplicationID = bot.ID
		}
		save(t, db, call, refusedCall(db, "", fmt.Sprint(i), models.RefusedUnknown))
	}
	for _, test := range []struct {
		team  string
		query models.RefusedQuery
		rows  int
		total int64
	}{
		{ana.TeamID, models.RefusedQuery{}, models.PageSize, models.PageSize + 3},
		{ana.TeamID, models.RefusedQuery{Page: 2}, 3, models.PageSize + 3},
		{ana.TeamID, models.RefusedQuery{Page: 3}, 0, models.PageSize + 3},
		{ana.TeamID, models.RefusedQuery{Application: bot.ID}, 2, 2},
		{eve.TeamID, models.RefusedQuery{}, 0, 0},
		{eve.TeamID, models.RefusedQuery{Application: bot.ID}, 0, 0},
	} {
		list := refusedOf(t, db, test.team, test.query)
		if len(list.Rows) != test.rows || list.Total != test.total {
			t.Errorf("%+v: %d of %d", test.query, len(list.Rows), list.Total)
		}
		for i := 1; i < len(list.Rows); i++ {
			if list.Rows[i].LastAt > list.Rows[i-1].LastAt {
				t.Error("not the newest first")
			}
		}
	}
	if rows, err := db.LastRefused(t.Context(), eve.TeamID, bot.ID, 5); err != nil || len(rows) != 0 {
		t.Errorf("%d rows of a neighbour, %v", len(rows), err)
	}
	if rows, err := db.LastRefused(t.Context(), ana.TeamID, bot.ID, 1); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if _, err := db.RefusedCalls(t.Context(), "", models.RefusedQuery{}); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("without a team: %v", err)
	}
}

// R1, R3: the newest of each team stay, and a flood of one moves none of another.
func TestRefusedCallsAreBounded(t *testing.T) {
	db := storetest.New(t)
	save(t, db, refusedCall(db, "north", "first", models.RefusedExpired))
	for batch := range 12 {
		var calls []models.RefusedCall
		for i := range 100 {
			db.Wait(time.Second)
			name := fmt.Sprint(batch*100 + i)
			calls = append(calls, refusedCall(db, "south", name, models.RefusedExpired), refusedCall(db, "", name, models.RefusedUnknown))
		}
		save(t, db, calls...)
	}
	for team, want := range map[string]int64{"north": 1, "south": models.MaxRefused, "": models.MaxRefusedUnknown} {
		if n := db.Number(t, "SELECT COUNT(*) FROM refused_calls WHERE team_id = ?", team); n != want {
			t.Errorf("team %q: %d rows, want %d", team, n, want)
		}
		if team != "north" && db.Number(t, "SELECT COUNT(*) FROM refused_calls WHERE team_id = ? AND value_hash = ?", team, hashOf("1199")) != 1 {
			t.Errorf("team %q: the newest is gone", team)
		}
	}
	kept := func(days int) (of, without int64) {
		db.Wait(time.Duration(days)*24*time.Hour + time.Second)
		if err := db.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
			t.Fatal(err)
		}
		return db.Number(t, "SELECT COUNT(*) FROM refused_calls WHERE team_id = 'south'"), db.Number(t, "SELECT COUNT(*) FROM refused_calls WHERE team_id = ''")
	}
	if of, without := kept(7); of != models.MaxRefused || without != 0 {
		t.Errorf("after a week: %d and %d", of, without)
	}
	if of, _ := kept(23); of != 0 {
		t.Errorf("after 30 days: %d", of)
	}
}

func TestFateOfARefusedToken(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	app.TeamID = ana.TeamID
	byHand, byProgram, byAll, lapsed := issued(t, db, app, "hand"), issued(t, db, app, "program"), issued(t, db, app, "all"), issued(t, db, app, "lapsed")
	revoke := func(id, who, name string) {
		t.Helper()
		actor := ana
		actor.UserID, actor.UserName = who, name
		if _, _, err := db.RevokeToken(t.Context(), actor, app.ID, id); err != nil {
			t.Fatal(err)
		}
	}
	revoke(byHand, ana.UserID, "ana")
	revoke(byProgram, app.ID, "Bot") // as POST /oauth2/revoke does
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE tokens SET expires_at = ? WHERE id = ?", db.Now().Add(time.Minute), lapsed); err != nil {
		t.Fatal(err)
	}
	db.Wait(2 * time.Minute)
	if _, err := db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	for value, id := range map[string]string{"hand": byHand, "program": byProgram, "all": byAll, "lapsed": lapsed, "gone": "no such token"} {
		call := refusedCall(db, ana.TeamID, value, models.RefusedRevoked)
		call.TokenID, call.ApplicationID = id, app.ID
		save(t, db, call)
	}
	fates := map[string]models.RefusedRow{}
	for _, row := range refusedOf(t, db, ana.TeamID, models.RefusedQuery{}).Rows {
		fates[row.TokenID] = row
	}
	began := storetest.Start
	for id, want := range map[string]models.TokenFate{
		byHand:    {RevokedAt: began, RevokedByName: "ana"},
		byProgram: {RevokedAt: began, RevokedByName: "Bot", ByProgram: true},
		byAll:     {RevokedAt: began.Add(2 * time.Minute), RevokedByName: "ana"},
	} {
		got := fates[id].Fate
		if got.RevokedAt != want.RevokedAt || got.RevokedByName != want.RevokedByName || got.ByProgram != want.ByProgram || got.TokenID != id || got.ApplicationName != "Bot" || got.Last4 != "wxyz" || fates[id].Why() != models.RefusedRevoked {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if row := fates[lapsed]; row.Why() != models.RefusedExpired {
		t.Errorf("it had expired before: %+v", row)
	}
	if row := fates["no such token"]; row.Fate.TokenID != "" || row.Fate.ApplicationName != "Bot" || row.Why() != models.RefusedRevoked {
		t.Errorf("deleted since: %+v", row)
	}
}

// A value of the team is known with its fate; D3: a value of another team looks like one
// of nobody, also to somebody who has it refused again and again and watches the count.
func TestCheckToken(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	app.TeamID = ana.TeamID
	id := issued(t, db, app, "known")
	if got := checked(t, db, ana.TeamID, "known"); !got.Known || got.Deleted || got.Fate.TokenID != id || got.Fate.ApplicationID != app.ID || got.Refused.Times != 0 {
		t.Errorf("%+v", got)
	}
	if _, refused := checked(t, db, ana.TeamID, "known").Fate.Refused(db.Now()); refused {
		t.Error("a good token is refused")
	}
	same := func(what string) {
		t.Helper()
		if known, unknown := checked(t, db, eve.TeamID, "known"), checked(t, db, eve.TeamID, "unknown"); known != unknown || known.Known || known.Deleted {
			t.Errorf("%s: a neighbour is told %+v of a token, %+v of none", what, known, unknown)
		}
	}
	same("good")
	db.Wait(2 * time.Hour)
	call := refusedCall(db, ana.TeamID, "known", models.RefusedExpired)
	call.TokenID, call.ApplicationID = id, app.ID
	// What Refusals writes of a call with either.
	save(t, db, call, refusedCall(db, "", "known", models.RefusedUnknown), refusedCall(db, "", "unknown", models.RefusedUnknown))
	same("refused")
	if got := checked(t, db, eve.TeamID, "known"); got.Refused != (models.RefusedTally{Times: 1, LastAt: db.Now()}) {
		t.Errorf("counted %+v", got.Refused)
	}
	var flood []models.RefusedCall
	db.Wait(time.Second)
	for i := range models.MaxRefusedUnknown {
		flood = append(flood, refusedCall(db, "", fmt.Sprint(i), models.RefusedUnknown))
	}
	save(t, db, flood...)
	same("after a flood")
	if got := checked(t, db, ana.TeamID, "known"); got.Refused.Times != 1 {
		t.Errorf("the team's own count: %+v", got.Refused)
	}
	if reason, _ := checked(t, db, ana.TeamID, "known").Fate.Refused(db.Now()); reason != models.RefusedExpired {
		t.Errorf("refused as %q", reason)
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "DELETE FROM tokens WHERE id = ?", id); err != nil {
		t.Fatal(err)
	}
	if got := checked(t, db, ana.TeamID, "known"); got.Known || !got.Deleted || got.Refused.Times != 1 {
		t.Errorf("deleted since: %+v", got)
	}
	same("deleted")
}
