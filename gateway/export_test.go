package gateway

import (
	"context"
	"net/http"

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
