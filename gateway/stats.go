package gateway

import (
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// noToken is why a call without a token was refused, beside models.Refusals.
const noToken models.Refusal = "no token"

var limits = []usage.Limit{usage.LimitPoints, usage.LimitDay, usage.LimitRate, usage.LimitStreams, usage.LimitEnded}

// classes are those of status codes; 0 for none.
const classes = 6

// calls counts the calls of a route by the class of their status.
type calls [classes]atomic.Int64

func (c *calls) add(status int) {
	class := status / 100
	if class < 0 || class >= classes {
		class = 0
	}
	c[class].Add(1)
}

// Stats is what a gateway has done so far, and what is open.
type Stats struct {
	// Refused counts calls by what was wrong with their token, Limited those with a good one
	// by the limit that they came to.
	Refused, Limited map[string]int64
	// Calls counts those that were let through, by the path of the route and the class of
	// the status.
	Calls map[string][classes]int64
	Open  int64
	// Streams of Open are WebSockets, server-sent events, or run longer than a second.
	Streams int
}

// Stats says how the gateway stands.
func (g *Gateway) Stats() Stats {
	stats := Stats{Refused: g.refusals.Read(), Limited: g.limitations.Read(), Calls: map[string][classes]int64{}, Open: g.open.Load(), Streams: g.Streams.all()}
	for i := range g.routes {
		var counts [classes]int64
		for class := range counts {
			counts[class] = g.routes[i].calls[class].Load()
		}
		stats.Calls[g.routes[i].Path] = counts
	}
	return stats
}

// all counts the streams of all teams.
func (s *Streams) all() int {
	now, n := s.elapsed(), 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.holders {
		n += h.open(now)
	}
	return n
}

// open counts the streams of a holder. It needs Streams.mu.
func (h *holder) open(now time.Duration) int {
	n := 0
	for c := range h.streams {
		if c.claimed || now-c.began > streamAfter {
			n++
		}
	}
	return n
}
