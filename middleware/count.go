package middleware

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/tally"
)

// methods are those that are counted by name, and one for all others.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, tally.Other,
}

// durations are the bounds by which requests are counted: from what comes from memory to
// what gives up.
var durations = []int64{
	int64(500 * time.Microsecond), int64(time.Millisecond), int64(2500 * time.Microsecond), int64(5 * time.Millisecond), int64(10 * time.Millisecond), int64(25 * time.Millisecond),
	int64(50 * time.Millisecond), int64(100 * time.Millisecond), int64(250 * time.Millisecond), int64(time.Second), int64(5 * time.Second), int64(15 * time.Second),
}

// Counter counts requests by route, method and class of status, and their time by route.
// Which routes there are it knows beforehand: nothing of a request makes a new one. It is
// safe for concurrent use once it has its routes.
type Counter struct {
	routes map[string]*routeCount
	none   *routeCount
}

type routeCount struct {
	// counts are by method and class of status.
	counts [][6]atomic.Int64
	took   *tally.Histogram
}

func newRouteCount() *routeCount {
	return &routeCount{counts: make([][6]atomic.Int64, len(methods)), took: tally.NewHistogram(durations...)}
}

// NewCounter counts requests of routes that are added.
func NewCounter() *Counter {
	none := newRouteCount()
	return &Counter{routes: map[string]*routeCount{"none": none}, none: none}
}

// Add names a route. Call it before the first request.
func (n *Counter) Add(pattern string) {
	if n.routes[pattern] == nil && pattern != "" {
		n.routes[pattern] = newRouteCount()
	}
}

// Count is for Log.
func (n *Counter) Count(c echo.Context, took time.Duration) {
	route := n.routes[c.Path()]
	if route == nil {
		route = n.none
	}
	status := c.Response().Status
	class := status / 100
	if class < 0 || class > 5 {
		class = 0
	}
	route.counts[methodIndex(c.Request().Method)][class].Add(1)
	if status != http.StatusSwitchingProtocols { // open for as long as somebody listens
		route.took.Observe(int64(took))
	}
}

func methodIndex(method string) int {
	for i, known := range methods {
		if known == method {
			return i
		}
	}
	return len(methods) - 1
}

// RouteStats is what was counted of a route.
type RouteStats struct {
	Route string
	// Requests are those of one method whose status is of one class.
	Requests []Requests
	// Took counts them by the nanoseconds that they took.
	Took tally.Distribution
}

// Requests is a number of requests. Class is 1 to 5, 0 where there was no such status.
type Requests struct {
	Method string
	Class  int
	Count  int64
}

// Stats says what was counted so far; routes that nobody asked for are left out.
func (n *Counter) Stats() []RouteStats {
	var all []RouteStats
	for pattern, route := range n.routes {
		stats := RouteStats{Route: pattern, Took: route.took.Read()}
		for i := range route.counts {
			for class := range route.counts[i] {
				if count := route.counts[i][class].Load(); count > 0 {
					stats.Requests = append(stats.Requests, Requests{Method: methods[i], Class: class, Count: count})
				}
			}
		}
		if len(stats.Requests) > 0 {
			all = append(all, stats)
		}
	}
	return all
}
