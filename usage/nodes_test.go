package usage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/usage"
)

// bank is a real database file with a team on a plan, by the real clock.
type bank struct {
	*storetest.DB
	team string
	call usage.Call
}

func newBank(t testing.TB, points int64) *bank {
	t.Helper()
	db := storetest.New(t)
	db.Until(clock())
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "App")
	raw := db.Raw(t)
	for _, query := range []string{
		"INSERT INTO plans (id, name, name_key, points, period_days, rate_limit, streams, members, created_at) VALUES ('plan', 'Starter', 'starter', ?1, 365, 0, 0, 0, ?2)",
		"INSERT INTO team_plans (team_id, plan_id, since, period_started_at, period_ends_at, granted) VALUES (?3, 'plan', ?2, ?2, ?2 + 86400000, ?1)",
		"INSERT INTO ledger_entries (id, team_id, at, kind, points, balance_after) VALUES ('first', ?3, ?2, 'plan', ?1, ?1)",
		"INSERT INTO team_points (team_id, balance) VALUES (?3, ?1)",
	} {
		if _, err := raw.ExecContext(t.Context(), query, points, clock(), ana.TeamID); err != nil {
			t.Fatal(err)
		}
	}
	return &bank{db, ana.TeamID, usage.Call{TeamID: ana.TeamID, ApplicationID: app.ID, TokenID: "token", Route: "/v1", API: "v1", Cost: 1}}
}

// node is one process's meter, with a store of its own on the file.
func node(t testing.TB, path string) *usage.Meter {
	t.Helper()
	s, err := store.Open(path, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return usage.New(context.WithoutCancel(t.Context()), s, slog.New(slog.DiscardHandler), clock, nil)
}

// balances checks the books: each entry's balance is the sum so far, and the team's is that
// of all.
func (b *bank) balances(t testing.TB) (balance int64) {
	t.Helper()
	rows, err := b.Raw(t).QueryContext(t.Context(), "SELECT points, balance_after FROM ledger_entries WHERE team_id = ? ORDER BY "+b.Written(), b.team)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var points, after int64
		if err := rows.Scan(&points, &after); err != nil {
			t.Fatal(err)
		}
		if balance += points; balance != after {
			t.Fatalf("the sum is %d, the entry says %d", balance, after)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if got := b.Number(t, "SELECT balance FROM team_points WHERE team_id = ?", b.team); got != balance {
		t.Errorf("the balance is %d, the sum %d", got, balance)
	}
	for _, table := range []string{"usage_hours", "usage_days"} {
		if got, used := b.Number(t, "SELECT COALESCE(SUM(points), 0) FROM "+table), -b.Number(t, "SELECT COALESCE(SUM(points), 0) FROM ledger_entries WHERE kind = 'use'"); got != used {
			t.Errorf("%d points in %s, %d in the ledger", got, table, used)
		}
	}
	return balance
}

// insist makes a call, again where the database had no answer in time: that is said of no
// call which was charged.
func insist(t *testing.T, m *usage.Meter, c usage.Call) usage.Limit {
	t.Helper()
	for {
		permit, err := m.Admit(t.Context(), c)
		var refused usage.RefusedError
		switch {
		case err == nil:
			permit.Done(200, usage.CostOfRoute)
			return ""
		case errors.As(err, &refused):
			return refused.Limit
		case !errors.Is(err, models.ErrUnavailable):
			t.Error(err)
			return usage.LimitEnded
		}
	}
}

// D8: two nodes on one file, 50 calls at once, one point left: one passes.
func TestLastPointOnTwoNodes(t *testing.T) {
	b := newBank(t, 1)
	nodes := []*usage.Meter{node(t, b.Path), node(t, b.Path)}
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if insist(t, nodes[i%2], b.call) == "" {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	for _, m := range nodes {
		closing(t, m)
	}
	if balance := b.balances(t); passed.Load() != 1 || balance != 0 {
		t.Errorf("%d passed, balance %d", passed.Load(), balance)
	}
}

// The books balance after several goroutines on two nodes have spent all there was, and
// not a point more.
func TestBooksBalanceOnTwoNodes(t *testing.T) {
	const points = 3000
	b := newBank(t, points)
	nodes := []*usage.Meter{node(t, b.Path), node(t, b.Path)}
	var spent atomic.Int64
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			c := b.call
			c.TokenID, c.Cost = fmt.Sprint("token ", worker), int64(worker%3)+1
			for insist(t, nodes[worker%2], c) == "" {
				spent.Add(c.Cost)
			}
		})
	}
	all.Wait()
	for _, m := range nodes {
		closing(t, m)
	}
	if balance := b.balances(t); balance != points-spent.Load() || balance < 0 {
		t.Errorf("%d spent, balance %d", spent.Load(), balance)
	}
	t.Logf("%d of %d spent", spent.Load(), points)
	// What one node held at its end is the other's again.
	last := node(t, b.Path)
	for do(t, last, b.call) == "" {
		spent.Add(1)
	}
	closing(t, last)
	if balance := b.balances(t); balance != 0 || spent.Load() != points {
		t.Errorf("%d spent in the end, balance %d", spent.Load(), balance)
	}
}

const childVariable = "LATCHKEY_TEST_SPEND"

// TestMain is a process that spends, where the variable names a database, an application
// and a team.
func TestMain(m *testing.M) {
	if what := os.Getenv(childVariable); what != "" {
		spend(strings.Split(what, "\n"))
	}
	os.Exit(m.Run())
}

// spend makes calls until it is killed, and says how many, after each and before the next.
func spend(what []string) {
	s, err := store.Open(what[0], clock)
	if err != nil {
		panic(err)
	}
	m := usage.New(context.Background(), s, slog.New(slog.DiscardHandler), clock, nil)
	c := usage.Call{TeamID: what[1], ApplicationID: what[2], Route: "/v1", API: "v1", Cost: 1}
	for n := 1; ; n++ {
		c.TokenID = fmt.Sprint(n % 50)
		permit, err := m.Admit(context.Background(), c)
		if err != nil {
			panic(err)
		}
		permit.Done(200, usage.CostOfRoute)
		_, _ = fmt.Println(n) //nolint:forbidigo // what the parent reads
		time.Sleep(200 * time.Microsecond)
	}
}

// A kill -9 loses the calls of the last second at most and counts none twice, and the books
// balance after it.
func TestKillLosesASecondAtMost(t *testing.T) {
	b := newBank(t, 1_000_000)
	stored := int64(0)
	for _, lives := range []time.Duration{1200 * time.Millisecond, 1700 * time.Millisecond, 5 * time.Second} {
		told := b.kill(t, lives)
		balance := b.balances(t)
		now := 1_000_000 - balance
		made := int64(len(told))
		// A second, and more than the write itself may take on a busy machine.
		safe := int64(0)
		for _, at := range told {
			if lives-at > 4*time.Second {
				safe++
			}
		}
		if got := now - stored; got > made || got < safe || b.Number(t, "SELECT SUM(requests) FROM usage_hours") != now {
			t.Errorf("of %d calls %d are stored, at least %d should be", made, got, safe)
		}
		t.Logf("%d calls made, %d stored", made, now-stored)
		stored = now
	}
	if stored == 0 {
		t.Error("nothing was stored at all")
	}
}

// kill runs a process that spends, kills it, and returns when it told of each call, counted
// from its first.
func (b *bank) kill(t *testing.T, after time.Duration) (told []time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{b.Path, b.team, b.call.ApplicationID}, "\n"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var began time.Time
	for lines.Scan() {
		if began.IsZero() {
			began = time.Now()
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		told = append(told, time.Since(began))
	}
	_ = cmd.Wait()
	return told
}

// The standing of a real store reaches the meter: its period, its plan, its cap.
func TestMeterOnARealStore(t *testing.T) {
	b := newBank(t, 100)
	m := usage.New(t.Context(), b.Store, slog.New(slog.DiscardHandler), b.Now, nil)
	b.Subscribe(m.Forget)
	for range 3 {
		if got := do(t, m, b.call); got != "" {
			t.Error(got)
		}
	}
	st, err := m.Standing(t.Context(), b.team)
	if err != nil || st.Balance != 97 || st.Plan.Name != "Starter" {
		t.Errorf("%+v, %v", st, err)
	}
	b.Wait(25 * time.Hour) // the period ends
	if got := do(t, m, b.call); got != "" {
		t.Error(got)
	}
	closing(t, m)
	// The three calls of the period before were stored in this one.
	if balance := b.balances(t); balance != 96 {
		t.Errorf("balance %d", balance)
	}
}
