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
	"github.com/latchkey/latchkey/store/storetest"
)

func TestAddingPoints(t *testing.T) {
	db := storetest.New(t)
	op := operator(t, db, db.Member(t, "operations", "op", models.RoleOwner))
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	bought := models.PointsChange{TeamID: ana.TeamID, Points: 1000, Reference: "INV-1", Note: "Invoice 1"}
	first := db.Now()
	if got, err := db.AddPoints(t.Context(), op, bought, ""); err != nil || got != (models.Receipt{Balance: 1000, At: first}) {
		t.Errorf("%+v %v", got, err)
	}
	db.Wait(time.Hour)
	if got, err := db.AddPoints(t.Context(), models.Shop, bought, ""); err != nil || got != (models.Receipt{Balance: 1000, Duplicate: true, At: first}) {
		t.Errorf("again: %+v %v", got, err)
	}
	for _, other := range []models.PointsChange{
		{TeamID: ana.TeamID, Points: 1, Reference: "INV-1", Note: "Invoice 1"}, {TeamID: eve.TeamID, Points: 1000, Reference: "INV-1", Note: "Invoice 1"},
		{TeamID: ana.TeamID, Points: 1000, Reference: "INV-1"},
	} {
		_, err := db.AddPoints(t.Context(), op, other, "")
		wantFieldError(t, err, "reference")
	}
	for range 2 { // without a reference each is one of its own
		if _, err := db.AddPoints(t.Context(), op, models.PointsChange{TeamID: ana.TeamID, Points: 1}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if st := standing(t, db, ana.TeamID); st.Balance != 1002 || st.Bought != 1002 || st.HasPlan {
		t.Errorf("%+v", st)
	}
	if _, err := db.AddPoints(t.Context(), op, models.PointsChange{TeamID: "x", Points: 1}, ""); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	event := db.Log(t, ana.TeamID, models.AuditQuery{})[2]
	if event.Action != models.AuditPointsAdded || event.Detail != "1,000 points, INV-1, Invoice 1" || event.ActorID != op.UserID || event.ActorRole != models.RoleOperator ||
		event.Changes != `[{"field":"Balance","before":"0","after":"1,000"}]` {
		t.Errorf("%+v", event)
	}
	if events := db.Events(t, eve.TeamID); len(events) != 1 {
		t.Errorf("the other team's log: %+v", events)
	}
	wantBooks(t, db, ana.TeamID)
}

// A form that is posted twice takes effect once, purchase or correction.
func TestPointsFormsTakeEffectOnce(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	var wg sync.WaitGroup
	for range 25 {
		wg.Go(func() {
			_, err := db.AddPoints(context.Background(), models.CommandLine, models.PointsChange{TeamID: ana.TeamID, Points: 10}, "form 1")
			_, other := db.CorrectPoints(context.Background(), models.CommandLine, models.PointsChange{TeamID: ana.TeamID, Points: -3, Note: "why"}, "form 2")
			if err := errors.Join(err, other); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if st := standing(t, db, ana.TeamID); st.Balance != 7 || st.Bought != 10 {
		t.Errorf("%+v", st)
	}
	wantBooks(t, db, ana.TeamID)
}

// D6, D8: a balance goes below zero by a correction, and past its bounds by nothing.
func TestCorrectingPoints(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	correct := func(points int64) error {
		_, err := db.CorrectPoints(t.Context(), models.CommandLine, models.PointsChange{TeamID: ana.TeamID, Points: points, Note: "Refund of order 7"}, "")
		return err
	}
	if err := correct(-5); err != nil || standing(t, db, ana.TeamID).Balance != -5 {
		t.Error(err, standing(t, db, ana.TeamID))
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditPointsCorrected || event.Detail != "-5 points, Refund of order 7" {
		t.Errorf("%+v", event)
	}
	for _, bound := range []int64{models.MaxBalance, -models.MaxBalance} {
		if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE team_points SET balance = ? WHERE team_id = ?", bound, ana.TeamID); err != nil {
			t.Fatal(err)
		}
		wantFieldError(t, correct(bound/models.MaxBalance), "points")
		wantFieldError(t, correct(bound/1000), "points")
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM ledger_entries"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// use writes entries of use behind the store's back: one a second from at on.
func use(t testing.TB, db *storetest.DB, team string, at models.Time, n int) {
	t.Helper()
	_, err := db.Raw(t).ExecContext(t.Context(), `INSERT INTO ledger_entries (id, team_id, at, kind, points, balance_after, reference)
		WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
		SELECT ?2 || '/' || ?3 || '-' || i, ?2, ?3 + i * 1000, 'use', -1, -1 - i, ?3 || '-' || i FROM n`, n, team, at)
	if err != nil {
		t.Fatal(err)
	}
}

// The ledger shows what is not use one by one and use by UTC day, newest first.
func TestLedger(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	midnight := db.Now().Add(8 * time.Hour)
	use(t, db, ana.TeamID, midnight.Add(-3*time.Second), 5) // three on one day, two on the next
	use(t, db, eve.TeamID, midnight, 50)
	db.Until(midnight.Add(time.Minute))
	if _, err := db.AddPoints(t.Context(), models.CommandLine, models.PointsChange{TeamID: ana.TeamID, Points: 9, Reference: "r", Note: "n"}, ""); err != nil {
		t.Fatal(err)
	}
	use(t, db, ana.TeamID, midnight.Add(2*time.Minute), 1)
	list, err := db.Ledger(t.Context(), ana.TeamID, 1)
	if err != nil || list.Total != 3 || len(list.Rows) != 3 {
		t.Fatalf("%+v %v", list, err)
	}
	today, added, yesterday := list.Rows[0], list.Rows[1], list.Rows[2]
	if today.Kind != models.LedgerUse || today.Points != -3 || today.At != midnight.Add(2*time.Minute) || today.ID+today.Reference != "" || today.BalanceAfter != -1 {
		t.Errorf("today %+v", today)
	}
	if added.Kind != models.LedgerPurchase || added.Points != 9 || added.Reference != "r" || added.Note != "n" || added.ActorName != "Command line" || added.ID == "" {
		t.Errorf("added %+v", added)
	}
	if yesterday.Points != -3 || yesterday.At != midnight.Add(-time.Second) || yesterday.BalanceAfter != -3 {
		t.Errorf("yesterday %+v", yesterday)
	}
	if list, err := db.Ledger(t.Context(), "x", 1); err != nil || list.Total != 0 || len(list.Rows) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestLedgerPages(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 30 { // two lines a day, those of a day at the same moment
		use(t, db, ana.TeamID, db.Now(), 1)
		if _, err := db.AddPoints(t.Context(), models.CommandLine, models.PointsChange{TeamID: ana.TeamID, Points: int64(i) + 1}, ""); err != nil {
			t.Fatal(err)
		}
		db.Wait(24 * time.Hour)
	}
	seen := map[string]bool{}
	last := db.Now()
	for page := 1; page <= 4; page++ {
		list, err := db.Ledger(t.Context(), ana.TeamID, page)
		if err != nil || list.Total != 60 || len(list.Rows) != []int{25, 25, 10, 0}[page-1] {
			t.Fatalf("page %d: %d of %d, %v", page, len(list.Rows), list.Total, err)
		}
		for _, row := range list.Rows {
			key := fmt.Sprint(row.At, row.Kind)
			if seen[key] || row.At > last {
				t.Errorf("page %d: %+v comes again or late", page, row)
			}
			seen[key], last = true, row.At
		}
	}
}

// A page of the ledger is found by indexes, however many entries of use there are.
func TestLedgerOfABusyTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for day := range 3 {
		use(t, db, ana.TeamID, db.Now().Add(time.Duration(day-3)*24*time.Hour).Add(-16*time.Hour), 86_400)
	}
	begin := time.Now()
	list, err := db.Ledger(t.Context(), ana.TeamID, 1)
	if err != nil || list.Total != 3 || list.Rows[0].Points != -86_400 || list.Rows[2].Points != -86_400 {
		t.Errorf("%+v %v", list, err)
	}
	t.Logf("a page of %d entries took %s", 3*86_400, time.Since(begin))
	plan, index := db.Explain(t, "SELECT SUM(points) FROM ledger_entries WHERE team_id = 'x' AND kind = 'use' AND at >= 1 AND at <= 2"), "COVERING INDEX ledger_entries_used"
	if db.OnPostgres() {
		index = "Index Only Scan using ledger_entries_used"
	}
	if !strings.Contains(plan, index) {
		t.Error(plan)
	}
}
