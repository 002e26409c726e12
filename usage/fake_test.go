package usage_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// fakeStore keeps points in memory, as the store does on disk, and can fail, hang and be
// asked what it got. Several meters on it are several nodes.
type fakeStore struct {
	// takes is how long each call takes.
	takes time.Duration

	mu       sync.Mutex
	standing models.Standing
	limit    int64 // of each application
	leases   map[string]models.Lease
	batches  map[string]bool
	order    []string // IDs of SaveUsage, repeated ones too
	rows     []int
	counts   map[models.UsageKey]models.UsageCount
	charged  int64
	today    map[string]int64
	alerts   []models.PointAlert
	// away answers everything while it is set; saveErrs answer the next saves, of which
	// those that arrive are stored all the same.
	away          error
	saveErrs      []error
	arrives       bool
	reads, leased int
	// hang, where set, holds saves up until it is closed.
	hang chan struct{}
}

func newFake(plan models.Plan, balance int64) *fakeStore {
	f := &fakeStore{leases: map[string]models.Lease{}, batches: map[string]bool{}, counts: map[models.UsageKey]models.UsageCount{}, today: map[string]int64{}}
	f.standing = models.Standing{HasPlan: plan.Name != "", Plan: plan, Balance: balance, TeamPlan: models.TeamPlan{PeriodEndsAt: 1 << 60, Granted: plan.Points}}
	return f
}

func clock() models.Time { return models.At(time.Now()) }

// call is one that costs a point.
var call = usage.Call{TeamID: "team", ApplicationID: "app", TokenID: "token", Route: "/v1", API: "v1", Cost: 1}

func costing(points int64) usage.Call {
	c := call
	c.Cost = points
	return c
}

func (f *fakeStore) meter(t testing.TB) *usage.Meter {
	return usage.New(t.Context(), f, slog.New(slog.DiscardHandler), clock, func(alerts []models.PointAlert) { f.set(func() { f.alerts = append(f.alerts, alerts...) }) })
}

// begin locks f.
func (f *fakeStore) begin() error {
	f.mu.Lock()
	takes := f.takes
	f.mu.Unlock()
	time.Sleep(takes)
	f.mu.Lock()
	return f.away
}

func (f *fakeStore) Standing(context.Context, string) (models.Standing, error) {
	defer f.mu.Unlock()
	if err := f.begin(); err != nil {
		return models.Standing{}, err
	}
	f.reads++
	return f.standing, nil
}

func (f *fakeStore) UsedToday(_ context.Context, _, app string) (used, limit int64, err error) {
	defer f.mu.Unlock()
	err = f.begin()
	return f.today[app], f.limit, err
}

func (f *fakeStore) LeasePoints(_ context.Context, node, _ string, want int64) (models.Lease, error) {
	defer f.mu.Unlock()
	if err := f.begin(); err != nil {
		return models.Lease{}, err
	}
	f.leased++
	free := f.standing.Balance
	for other, lease := range f.leases {
		if other != node && lease.ExpiresAt > clock() {
			free -= lease.Points
		}
	}
	f.leases[node] = models.Lease{Points: max(0, min(want, free)), ExpiresAt: clock().Add(models.LeaseFor)}
	return f.leases[node], nil
}

func (f *fakeStore) SaveUsage(ctx context.Context, batch models.UsageBatch) ([]models.PointAlert, error) {
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer f.mu.Unlock()
	if err := f.begin(); err != nil {
		return nil, err
	}
	f.order = append(f.order, batch.ID)
	var err error
	if len(f.saveErrs) > 0 {
		err, f.saveErrs = f.saveErrs[0], f.saveErrs[1:]
	}
	if (err != nil && !f.arrives) || f.batches[batch.ID] {
		return nil, err
	}
	f.batches[batch.ID] = true
	f.rows = append(f.rows, len(batch.Counts))
	for key, c := range batch.Counts {
		known := f.counts[key]
		f.counts[key] = models.UsageCount{Requests: known.Requests + c.Requests, Points: known.Points + c.Points}
		f.today[key.ApplicationID] += c.Points
	}
	for _, points := range batch.Charged {
		f.charged += points
		f.standing.Balance -= points
		f.standing.Used += points
		lease := f.leases[batch.Node]
		lease.Points = max(0, lease.Points-points)
		if lease.ExpiresAt > clock() {
			lease.ExpiresAt = clock().Add(models.LeaseFor)
		}
		f.leases[batch.Node] = lease
	}
	return []models.PointAlert{{Mark: 80}}, err
}

// set changes the store, as another node would.
func (f *fakeStore) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeStore) requests() (requests, points int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range maps.Values(f.counts) {
		requests, points = requests+c.Requests, points+c.Points
	}
	return requests, points
}

// do makes a call that is answered at once, and says what it was refused for.
func do(t testing.TB, m *usage.Meter, c usage.Call) usage.Limit {
	t.Helper()
	permit, err := m.Admit(t.Context(), c)
	if err == nil {
		permit.Done(200, usage.CostOfRoute)
		return ""
	}
	return limit(t, err)
}

func limit(t testing.TB, err error) usage.Limit {
	t.Helper()
	var refused usage.RefusedError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return refused.Limit
}

func closing(t testing.TB, m *usage.Meter) {
	t.Helper()
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// onOneProcessor runs f in a bubble, which has a clock of its own. On several, the race
// detector crashes where goroutines of a bubble meet timers that end at the same moment
// (golang/go#78156); on one it still sees what they do without order.
func onOneProcessor(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}

var starter = models.Plan{Name: "Starter", Points: 1000}

func timeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
