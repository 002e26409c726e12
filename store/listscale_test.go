package store_test

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// Of an application with many manual tokens, the rows of one page are read, and of the
// others an index.
func TestManualTokensAreSortedByIndex(t *testing.T) {
	db := storetest.New(t)
	count, list := db.ManualTexts()
	plan := db.Explain(t, count, 1, 1, 1, 1, 1, "app", "team")
	if !strings.Contains(plan, "COVERING INDEX tokens_manual_listed") && !strings.Contains(plan, "Index Only Scan using tokens_manual_listed") {
		t.Errorf("counting them:\n%s", plan)
	}
	plan = db.Explain(t, list, "app", "team", true, 1, true, 1, 1, 1, 1, 25, 0, "team", 1)
	if !strings.Contains(plan, "COVERING INDEX tokens_manual_listed") && !strings.Contains(plan, "Index Only Scan using tokens_manual_listed") {
		t.Errorf("sorting them:\n%s", plan)
	}
}

// Beyond so many, active tokens are not counted: a page, a sorted list and revoking them
// all take as long as with so many.
func TestActiveTokensAreCountedToALimit(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	few, many := db.Application(t, ana, "Few"), db.Application(t, ana, "Many")
	db.Tokens(t, few, 3, models.Token{})
	db.Tokens(t, many, models.CountedTokens, models.Token{})
	active := func(app models.Application) int64 {
		t.Helper()
		detail, err := db.Store.Application(t.Context(), ana.TeamID, app.ID)
		if err != nil {
			t.Fatal(err)
		}
		return detail.ActiveTokens
	}
	if active(few) != 3 || active(many) != models.CountedTokens {
		t.Errorf("%d and %d are active", active(few), active(many))
	}
	db.Tokens(t, many, 2, models.Token{})
	if n := active(many); n != models.CountedTokens+1 {
		t.Errorf("%d are counted", n)
	}
	list, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{Sort: models.SortActive, Desc: true})
	if err != nil || list.Rows[0].ActiveTokens != models.CountedTokens || !list.Rows[0].MoreTokens || list.Rows[1].ActiveTokens != 3 || list.Rows[1].MoreTokens {
		t.Errorf("%+v, %v", list.Rows, err)
	}
	if n, err := db.RevokeTokens(t.Context(), ana, many.ID); n != models.CountedTokens+1 || err != nil || active(many) != 0 || active(few) != 3 {
		t.Errorf("%d revoked, %v; %d and %d are active", n, err, active(many), active(few))
	}
	if detail := db.Events(t, ana.TeamID)[0].Detail; detail != "10,000+ tokens" {
		t.Errorf("the log says %q", detail)
	}
}

// The list for the Explorer is read in its order, and no further than it goes.
func TestUsableTokensAreReadInOrder(t *testing.T) {
	db := storetest.SQLite(t)
	plan := db.Explain(t, db.UsableText(), "team", "team", 1, 201)
	if !strings.Contains(plan, "applications_by_name") || !strings.Contains(plan, "tokens_manual") || strings.Contains(plan, "B-TREE FOR ORDER BY") {
		t.Error(plan)
	}
}
