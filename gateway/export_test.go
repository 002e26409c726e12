package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// TestMeter is a meter that a test is itself.
type TestMeter interface {
	Admit(call usage.Call) (usage.Rate, error)
	Refused(call usage.Call, status int)
	Done(permit *usage.Permit, status int, points int64)
}

// Metered lets a test be the meter.
func (g *Gateway) Metered(by TestMeter) {
	g.admit = func(_ context.Context, call usage.Call) (*usage.Permit, error) {
		rate, err := by.Admit(call)
		if err != nil {
			return nil, err
		}
		return &usage.Permit{Rate: rate}, nil
	}
	g.refused, g.done = by.Refused, by.Done
}

// Reading is how the path of a request is read: the route's, and what the upstream gets
// for it. Both are empty where no route is found or the path is refused.
func (g *Gateway) Reading(r *http.Request) (route, upstream, problem string) {
	to, problem := g.read(r)
	if to == nil {
		return "", "", problem
	}
	_, raw := to.address(r.URL)
	return to.Path, raw, problem
}

// Query is what the upstream of the first route gets of a query.
func (g *Gateway) Query(raw string) string { return g.routes[0].query(raw) }

// Open counts the calls that are open.
func (g *Gateway) Open() int64 { return g.open.Load() }

// CloseIdle ends the connections that wait.
func (g *Gateway) CloseIdle() { g.transport.CloseIdleConnections() }

// Within serves with a limit of streams, whatever the plan.
func (g *Gateway) Within(limit int64) http.Handler {
	admit := g.admit
	g.admit = func(ctx context.Context, call usage.Call) (*usage.Permit, error) {
		permit, err := admit(ctx, call)
		if err == nil {
			permit.Streams = limit
		}
		return permit, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.Serve(w, r, Caller{}) })
}

// CutCredentials is cutCredentials, for fuzzing.
var CutCredentials = cutCredentials

// Follow passes parts of a stream of frames and says where frames end, and whether a close
// frame went by.
func Follow(parts ...[]byte) (ends []int, between, closed bool) {
	var f frames
	at := 0
	for _, part := range parts {
		for len(part) > 0 {
			n := f.next(part)
			at += n
			part = part[n:]
			if f.between() {
				ends = append(ends, at)
			}
		}
	}
	return ends, f.between(), f.closed
}

// Values are the tokens and tickets that were cut.
func Values(found []credential) []models.Secret {
	var values []models.Secret
	for _, one := range found {
		values = append(values, one.value)
	}
	return values
}

// Idle sets after how long without traffic a stream ends.
func (s *Streams) Idle(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = after
}
