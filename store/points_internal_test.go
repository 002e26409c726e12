package store

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

var noon = models.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

// purse is a database with a team in it, and a clock that the test moves.
type purse struct {
	*Store
	path  string
	clock *atomic.Int64
	ana   models.Actor
	app   models.Application
}

func newPurse(t testing.TB) purse {
	t.Helper()
	p := purse{clock: &atomic.Int64{}}
	p.clock.Store(int64(noon))
	p.path = migratedPath(t)
	p.Store = p.open(t, p.path)
	p.ana = p.team(t, "Northwind")
	p.app = models.Application{ID: NewID(), Type: models.TypeService, Name: "App", ClientID: NewID(), Lifespan: 60, Scopes: "api"}
	if _, err := p.CreateApplication(t.Context(), p.ana, p.app, models.ClientSecret{ID: NewID(), Hash: []byte("h"), Sealed: []byte("s")}, ""); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p purse) open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, func() models.Time { return models.Time(p.clock.Load()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (p purse) team(t testing.TB, name string) models.Actor {
	t.Helper()
	user, err := p.AddUser(t.Context(), models.CommandLine, Account{Name: "Ana", Email: "ana@" + name + ".example", Team: name, Role: models.RoleOwner, PasswordHash: "-"})
	if err != nil {
		t.Fatal(err)
	}
	var member models.Member
	if err := p.reads.Where("user_id = ?", user.ID).Take(&member).Error; err != nil {
		t.Fatal(err)
	}
	return models.Actor{UserID: user.ID, UserName: "Ana", TeamID: member.TeamID, Role: models.RoleOwner}
}

func (p purse) wait(d time.Duration) { p.clock.Add(d.Milliseconds()) }

func (p purse) until(at time.Time) { p.clock.Store(at.UnixMilli()) }

// plan makes a plan and gives it to a team, until endsAt.
func (p purse) plan(t testing.TB, team string, plan models.Plan, endsAt models.Time) models.Plan {
	t.Helper()
	plan.ID, plan.CreatedAt, plan.Version = NewID(), p.now(), 1
	plan.NameKey = models.FoldName(plan.Name) + plan.ID
	err := p.write(t.Context(), p.ana, models.AuditTeamAdded, func(c change) error {
		if err := c.Create(&plan).Error; err != nil {
			return err
		}
		return c.grantPlan(team, plan, endsAt)
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (p purse) add(t testing.TB, team string, kind models.LedgerKind, points int64) {
	t.Helper()
	err := p.write(t.Context(), p.ana, models.AuditTeamAdded, func(c change) error {
		var before int64
		if err := c.Raw("SELECT balance FROM team_points WHERE team_id = ?", team).Scan(&before).Error; err != nil {
			return err
		}
		after, err := addEntry(c.DB, models.LedgerEntry{TeamID: team, At: c.now, Kind: kind, Points: points})
		if after != before+points {
			t.Errorf("balance %d after %d and %d", after, before, points)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spend is a batch with one call that cost points.
func (p purse) spend(team string, points int64) models.UsageBatch {
	key := models.UsageKey{TeamID: team, Hour: p.now().Hour(), ApplicationID: p.app.ID, TokenID: "token", Route: "/v1", API: "v1", Status: 200}
	return models.UsageBatch{
		ID: NewID(), Node: "a", Charged: map[string]int64{team: points},
		Counts: map[models.UsageKey]models.UsageCount{key: {Requests: 1, Points: points}},
	}
}

func (p purse) save(t testing.TB, batch models.UsageBatch) []models.PointAlert {
	t.Helper()
	alerts, err := p.SaveUsage(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return alerts
}

func (p purse) stands(t testing.TB, team string, balance, used int64) models.Standing {
	t.Helper()
	st, err := p.Standing(t.Context(), team)
	if err != nil || st.Balance != balance || st.Used != used {
		t.Helper()
		t.Errorf("balance %d, used %d (%v), want %d and %d", st.Balance, st.Used, err, balance, used)
	}
	return st
}

func (p purse) number(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	if err := p.reads.Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// balances says what is wrong with the books: the entries of each team, one after the
// other, add up to each balance that they name, and to the team's.
func balances(t testing.TB, s *Store) {
	t.Helper()
	var entries []models.LedgerEntry
	if err := s.reads.Raw("SELECT * FROM ledger_entries ORDER BY " + s.sql.written()).Scan(&entries).Error; err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, e := range entries {
		if sums[e.TeamID] += e.Points; sums[e.TeamID] != e.BalanceAfter {
			t.Fatalf("%s of %d: balance %d, the sum is %d", e.Kind, e.Points, e.BalanceAfter, sums[e.TeamID])
		}
	}
	var points []struct {
		TeamID  string
		Balance int64
	}
	if err := s.reads.Raw("SELECT team_id, balance FROM team_points").Scan(&points).Error; err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if sums[p.TeamID] != p.Balance {
			t.Errorf("balance %d, the sum is %d", p.Balance, sums[p.TeamID])
		}
		delete(sums, p.TeamID)
	}
	for team := range sums {
		t.Errorf("entries of team %s, and no balance", team)
	}
}

// kinds lists a team's entries in order, such as "plan 100".
func (p purse) kinds(t testing.TB, team string) (list []string) {
	t.Helper()
	var entries []models.LedgerEntry
	if err := p.reads.Raw("SELECT * FROM ledger_entries WHERE team_id = ? ORDER BY "+p.sql.written(), team).Scan(&entries).Error; err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, fmt.Sprint(e.Kind, " ", e.Points))
	}
	return list
}

// D7: a batch is stored whole, and once, however often it is sent.
func TestSaveUsageCountsOnce(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.plan(t, team, models.Plan{Name: "Starter", Points: 100}, 0)
	batch := p.spend(team, 7)
	for range 3 {
		p.save(t, batch)
	}
	more := p.spend(team, 5)
	p.save(t, more)
	p.stands(t, team, 88, 12)
	for query, want := range map[string]int64{
		"SELECT SUM(requests) FROM usage_hours": 2, "SELECT SUM(points) FROM usage_hours": 12, "SELECT COUNT(*) FROM usage_hours": 1,
		"SELECT SUM(requests) FROM usage_days": 2, "SELECT SUM(points) FROM usage_days": 12,
		"SELECT COUNT(*) FROM ledger_entries WHERE kind = 'use'": 2, "SELECT COUNT(*) FROM ledger_entries WHERE reference = '" + batch.ID + "'": 1,
		"SELECT hour FROM usage_hours": int64(noon), "SELECT day FROM usage_days": int64(noon.Day()),
	} {
		if got := p.number(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	balances(t, p.Store)
}

// D7: where one part cannot be stored, nothing is.
func TestSaveUsageIsAllOrNothing(t *testing.T) {
	p := newPurse(t)
	batch := p.spend(p.ana.TeamID, 7)
	batch.Charged["nobody"] = 1
	if _, err := p.SaveUsage(t.Context(), batch); err == nil {
		t.Error("a team that does not exist is charged")
	}
	batch = p.spend(p.ana.TeamID, 7)
	batch.Charged[p.ana.TeamID] = -7
	if _, err := p.SaveUsage(t.Context(), batch); !errors.Is(err, errNegativeCharge) {
		t.Error(err)
	}
	if n := p.number(t, "SELECT (SELECT COUNT(*) FROM usage_batches) + (SELECT COUNT(*) FROM usage_hours) + (SELECT COUNT(*) FROM ledger_entries) + (SELECT COUNT(*) FROM team_points)"); n != 0 {
		t.Errorf("%d rows of batches that failed", n)
	}
}

// D6: a balance that does not fit is refused, and nothing changes.
func TestBalanceDoesNotOverflow(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.add(t, team, models.LedgerPurchase, 1<<62)
	p.add(t, team, models.LedgerPurchase, 1<<62-1)
	err := p.touch(t.Context(), func(tx *gorm.DB) error {
		_, err := addEntry(tx, models.LedgerEntry{TeamID: team, At: p.now(), Kind: models.LedgerCorrection, Points: 1 << 62})
		return err
	})
	if err == nil {
		t.Error("the balance overflows")
	}
	p.stands(t, team, 1<<63-1, 0)
	balances(t, p.Store)
}

// The ledger only grows.
func TestLedgerIsNeverChanged(t *testing.T) {
	p := newPurse(t)
	p.add(t, p.ana.TeamID, models.LedgerPurchase, 5)
	queries := []string{"UPDATE ledger_entries SET points = 9", "DELETE FROM ledger_entries"}
	if p.sql == onPostgres {
		queries = append(queries, "TRUNCATE ledger_entries")
	}
	for _, query := range queries {
		if err := p.writes.Exec(query).Error; err == nil {
			t.Error(query)
		}
	}
}

func TestAlertsAreToldOnce(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	p.plan(t, team, models.Plan{Name: "Starter", Points: 80}, 0)
	p.add(t, team, models.LedgerPurchase, 20)
	marks := func(alerts []models.PointAlert) (list string) {
		for _, a := range alerts {
			list += fmt.Sprint(a.TeamName, " ", a.PlanName, " ", a.Mark, " ", a.Used, "/", a.Total, " ")
		}
		return list
	}
	eighty := p.spend(team, 1)
	for _, step := range []struct {
		batch models.UsageBatch
		want  string
	}{
		{p.spend(team, 79), ""},
		{eighty, "Northwind Starter 80 80/100 "},
		{eighty, "Northwind Starter 80 80/100 "}, // whoever sends it again was not told
		{p.spend(team, 19), ""},
		{p.spend(team, 1), "Northwind Starter 100 100/100 "},
		{p.spend(team, 50), ""},
	} {
		p.wait(time.Second)
		if got := marks(p.save(t, step.batch)); got != step.want {
			t.Errorf("told %q, want %q", got, step.want)
		}
	}
	// Another period, another alert; 100 at once is not 80 as well.
	p.until(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	p.stands(t, team, 30, 0) // 50 beyond the balance, then 80 more
	if got := marks(p.save(t, p.spend(team, 90))); got != "Northwind Starter 100 90/80 " {
		t.Errorf("told %q", got)
	}
	// Without a plan nobody is told.
	other := p.team(t, "Contoso")
	p.add(t, other.TeamID, models.LedgerPurchase, 10)
	if got := marks(p.save(t, p.spend(other.TeamID, 10))); got != "" {
		t.Errorf("told %q", got)
	}
	balances(t, p.Store)
}

func TestUsedToday(t *testing.T) {
	p := newPurse(t)
	team := p.ana.TeamID
	other := p.team(t, "Contoso")
	used := func(team string, want, wantLimit int64) {
		t.Helper()
		used, limit, err := p.UsedToday(t.Context(), team, p.app.ID)
		if err != nil || used != want || limit != wantLimit {
			t.Errorf("%d of %d, %v", used, limit, err)
		}
	}
	p.save(t, p.spend(team, 7))
	used(team, 0, 0) // no cap, nothing to look up
	if err := p.writes.Exec("UPDATE applications SET points_per_day = 500").Error; err != nil {
		t.Fatal(err)
	}
	used(team, 7, 500)
	p.until(time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC))
	p.save(t, p.spend(team, 1))
	used(team, 8, 500)
	p.wait(time.Second)
	used(team, 0, 500)
	// D3: of another team there is no such application.
	if _, _, err := p.UsedToday(t.Context(), other.TeamID, p.app.ID); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	if _, err := p.Standing(t.Context(), "nobody"); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
}

// T7: counts, batches and leases go when they are old.
func TestOldUsageGoes(t *testing.T) {
	p := newPurse(t)
	p.plan(t, p.ana.TeamID, models.Plan{Name: "Starter", Points: 100}, 0)
	for range 3 {
		p.save(t, p.spend(p.ana.TeamID, 1))
		if _, err := p.LeasePoints(t.Context(), "a", p.ana.TeamID, 5); err != nil {
			t.Fatal(err)
		}
		p.wait(24 * time.Hour)
	}
	rows := func(want string) {
		t.Helper()
		purge := p.PurgeLeftovers()
		for done := false; !done; {
			var err error
			if done, err = purge.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var got string
		for _, table := range []string{"usage_hours", "usage_days", "usage_batches", "point_leases", "ledger_entries"} {
			got += fmt.Sprint(p.number(t, "SELECT COUNT(*) FROM "+table), " ")
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	rows("3 3 1 0 4 ")
	p.wait(90 * 24 * time.Hour) // the first is 93 days old
	rows("2 3 0 0 4 ")
	p.wait(708 * 24 * time.Hour)
	rows("0 2 0 0 4 ")
}

// No statement that runs each second, or over millions of rows, looks at all of a table.
func TestUsageStatementsUseIndexes(t *testing.T) {
	p := newPurse(t)
	d := p.sql
	for query, args := range map[string][]any{
		deleteHours(d): {1, 1}, deleteDays(d): {1, 1}, deleteBatches(d): {1, 1}, addHours(d): {"[]"}, addDays(d): {"[]"}, moveBalances(d): {"[]"}, insertUses(d): {1, "", "[]"},
		spendLeases(d): {1, 1, "[]", ""}, crossed(d): {"[]", 80, 100}, told(d): {"[]", ""}, takeLease: {"", 1, 1, 1, "", 1, "", ""}, standingOfTeam: {""}, usedToday: {1, "", ""},
	} {
		if d == onPostgres {
			p.scansNothing(t, query, args)
			continue
		}
		var plan []struct{ Detail string }
		if err := p.writes.Raw("EXPLAIN QUERY PLAN "+query, args...).Scan(&plan).Error; err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			if strings.HasPrefix(step.Detail, "SCAN") && !strings.Contains(step.Detail, "json_each") && !strings.Contains(step.Detail, "SCAN j ") && !strings.Contains(step.Detail, "CONSTANT") {
				t.Errorf("%s\n%v", query, plan)
			}
		}
	}
}

// scansNothing wants a plan that does not read all of a table. PostgreSQL does so where a
// table is small, unless it is told not to.
func (p purse) scansNothing(t *testing.T, query string, args []any) {
	t.Helper()
	err := p.writes.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
			return err
		}
		var plan []string
		err := tx.Raw("EXPLAIN (COSTS OFF) "+strings.ReplaceAll(query, "(SELECT ?)", "?"), args...).Scan(&plan).Error
		if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan") {
			t.Errorf("%s\n%s", query, text)
		}
		return err
	})
	if err != nil {
		t.Errorf("%s\n%v", query, err)
	}
}
