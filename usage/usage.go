// Package usage counts the calls of each team, charges points for them and says whether a
// team's next call may pass. It counts in memory and stores in batches, and knows neither
// HTTP nor SQL.
//
// Locks are taken in this order: Meter.turn, Meter.mu, account.mu. The latter two are held
// over no call of the store; turn is what such calls take turns by.
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
	// LeasePoints gives a node up to want points of a team in all for models.LeaseFor,
	// fewer where there are not as many that no other node holds. What it held before counts.
	LeasePoints(ctx context.Context, node, team string, want int64) (models.Lease, error)
	// SaveUsage stores a batch, all of it or nothing; the same batch again changes nothing.
	// What was charged is taken from the node's leases too, and renews those that have not
	// ended. It returns the alerts that became due with it.
	SaveUsage(ctx context.Context, batch models.UsageBatch) ([]models.PointAlert, error)
	// UsedToday returns the points that an application has spent since midnight (UTC),
	// where it has a cap, and the cap, zero for none.
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

// Status is what a call gets that has come to the limit.
func (l Limit) Status() int {
	if l == LimitRate || l == LimitStreams {
		return tooManyRequests
	}
	return paymentRequired
}

// Status codes of HTTP, which is not spoken here.
const (
	paymentRequired = 402
	tooManyRequests = 429
)

// RefusedError says why a good token's call may not pass.
type RefusedError struct {
	Limit Limit
	// Text is one plain sentence: which limit it was, and who can raise it.
	Text string
	// RetryAfter is zero where waiting does not help.
	RetryAfter time.Duration
	// Rate is what is left of the team's rate, as in Permit.
	Rate Rate
}

func (e RefusedError) Error() string { return "call refused: " + string(e.Limit) }

// Rate is what of a team's rate limit is left. Limit is zero where there is none.
type Rate struct {
	Limit, Remaining int64
	// Window is the time for Limit calls, Reset until Remaining is Limit again.
	Window, Reset time.Duration
}
