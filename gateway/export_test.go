package gateway

import (
	"net/http"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// Within forwards calls of good tokens with a limit of streams, whatever the plan.
func (g *Gateway) Within(limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, _, _ := tokens.Bearer(r.Header.Values("Authorization"))
		grant, err := g.Verifier.Inspect(r.Context(), value, "")
		route, _ := g.route(r.URL.Path)
		var tied tied
		if err == nil {
			tied, err = g.Streams.tie(w, r, route, grant, usage.Call{TeamID: grant.TeamID}, limit)
		}
		if err != nil {
			g.endedHere(w, r, err)
			return
		}
		defer tied.leave()
		g.proxies[route.Path].ServeHTTP(tied.w, tied.r)
	})
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
