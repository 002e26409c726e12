// Package gateway lets calls with a good token through to the APIs behind it: it checks
// the token, the scope, the team's limits and points, forwards, and ends what is open when
// the token does.
package gateway

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// Deps is what the gateway needs.
type Deps struct {
	Routes   []models.Upstream
	Verifier *tokens.Verifier
	Meter    *usage.Meter
	Streams  *Streams
	// Tickets are what WebSockets are opened with instead of tokens.
	Tickets  *tokens.Tickets
	Refusals *Refusals
	// Host is the gateway's own host name, empty where it shares the pages'.
	Host string
	// Realm stands in WWW-Authenticate.
	Realm string
	Log   *slog.Logger
	Now   func() time.Time
}

// Caller is what the server knows of a request besides the request.
type Caller struct {
	// Address is the client's IP address, RequestID the server's name for the request.
	Address, RequestID string
	// HTTPS tells that the client came over https.
	HTTPS bool
	// Note adds a fact to the request's log line: a reason, an ID, never a value.
	Note func(key, value string)
}

// Gateway forwards calls. It is safe for concurrent use.
type Gateway struct {
	Deps
	proxies map[string]http.Handler
}

// New makes the gateway.
func New(deps Deps) *Gateway {
	g := &Gateway{Deps: deps, proxies: map[string]http.Handler{}}
	for _, route := range deps.Routes {
		g.proxies[route.Path] = g.newProxy(route)
	}
	return g
}

// Owns tells whether a request is the gateway's: by its host where the gateway has one of
// its own, else by its path.
func (g *Gateway) Owns(r *http.Request) bool {
	if len(g.Routes) == 0 {
		return false
	}
	if g.Host != "" {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		return strings.EqualFold(host, g.Host)
	}
	_, ok := g.route(r.URL.Path)
	return ok
}

// route finds the route with the longest path that covers a clean path.
func (g *Gateway) route(clean string) (models.Upstream, bool) {
	var found models.Upstream
	ok := false
	for _, route := range g.Routes {
		if route.Covers(clean) && (!ok || len(route.Path) > len(found.Path)) {
			found, ok = route, true
		}
	}
	return found, ok
}

// Serve answers a request that the gateway owns.
func (g *Gateway) Serve(w http.ResponseWriter, r *http.Request, from Caller) {
	route, ok := g.route(r.URL.Path)
	if !ok {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	from.Note("upstream", route.Path)
	if why := refusedUpgrade(r, route); why != "" {
		from.Note("refused", "upgrade")
		http.Error(w, why, http.StatusForbidden)
		return
	}
	by, ok := takeCredential(r, route)
	if !ok {
		g.unauthorized(w, by.sent)
		return
	}
	grant, err := g.inspect(r.Context(), by, route)
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		from.Note("refused", string(refused.Reason))
		g.Refusals.Note(refused, route.Path, from.Address, r.UserAgent())
		g.unauthorized(w, true)
		return
	}
	if err != nil {
		g.unavailable(w)
		return
	}
	g.Verifier.Used(grant, from.Address)
	g.forward(w, r, route, grant)
}

func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, route models.Upstream, grant tokens.Grant) {
	call := usage.Call{TeamID: grant.TeamID, ApplicationID: grant.ApplicationID, TokenID: grant.TokenID, Route: route.Path, API: route.API, Cost: route.Cost}
	permit, err := g.Meter.Admit(r.Context(), call)
	if err != nil {
		g.unavailable(w)
		return
	}
	tied, err := g.Streams.tie(w, r, route, grant, call, permit.Streams)
	if err != nil {
		permit.Done(http.StatusTooManyRequests, 0)
		g.endedHere(w, r, err)
		return
	}
	defer tied.leave() // after the permit's end: Streams.Close waits for both
	defer permit.Done(http.StatusOK, usage.CostOfRoute)
	grant.Describe(tied.r.Header)
	g.proxies[route.Path].ServeHTTP(tied.w, tied.r)
}

// tooMany answers 429 for one stream too many.
func (g *Gateway) tooMany(w http.ResponseWriter, refused usage.RefusedError) {
	if refused.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.RetryAfter.Seconds())))
	}
	http.Error(w, refused.Text, http.StatusTooManyRequests)
}

// unauthorized answers 401; it names an error only where a token was sent (RFC 6750
// section 3.1).
func (g *Gateway) unauthorized(w http.ResponseWriter, sent bool) {
	challenge := `Bearer realm="` + g.Realm + `"`
	if sent {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

func (g *Gateway) unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "The token cannot be checked right now. Try again in a second.", http.StatusServiceUnavailable)
}
