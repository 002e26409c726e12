// Package gateway lets calls with a good token through to the APIs behind it: it checks
// the token, the scope, the team's limits and points, forwards, and ends what is open when
// the token does.
package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tally"
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
	// CAs sign the certificates of upstreams; nil for those that the system knows.
	CAs *x509.CertPool
	// Limits that are zero are those of DefaultLimits.
	Limits Limits
	Log    *slog.Logger
	Now    func() time.Time
}

// Caller is what the server knows of a request besides the request.
type Caller struct {
	// Address is the client's IP address, RequestID the server's name for the request.
	Address, RequestID string
	// HTTPS tells that the client came over https.
	HTTPS bool
	// Chain is X-Forwarded-For as a trusted proxy sent it, with that proxy at its end, and
	// Host the name that the client asked that proxy for. Both are empty without one.
	Chain, Host string
	// Traceparent and Tracestate are by which the upstream continues the trace of a request;
	// where they are empty it gets what the client sent.
	Traceparent, Tracestate string
	// Note adds a fact to the request's log line: a reason, an ID, never a value. It may
	// be nil.
	Note func(key, value string)
	// Points is told what a call has cost, once, before its answer ends; nil for nobody.
	Points func(int64)
}

func (c Caller) note(key, value string) {
	if c.Note != nil {
		c.Note(key, value)
	}
}

// Gateway forwards calls. It is safe for concurrent use.
type Gateway struct {
	Deps
	routes    []route // longest path first
	transport *http.Transport
	buffers   buffers
	open      atomic.Int64
	// warned is the minute in which the log was last told of a cost that is none.
	warned atomic.Int64
	// What Stats tells.
	refusals, limitations *tally.Names

	// What is asked of the meter; tests answer it themselves.
	admit   func(ctx context.Context, call usage.Call) (*usage.Permit, error)
	refused func(call usage.Call, status int)
	done    func(permit *usage.Permit, status int, points int64)
}

// New makes the gateway.
func New(deps Deps) *Gateway {
	deps.Limits = deps.Limits.orDefault()
	g := &Gateway{
		Deps: deps, transport: newTransport(deps), admit: deps.Meter.Admit, refused: deps.Meter.Refused, done: (*usage.Permit).Done,
		refusals: tally.NewNames(append([]models.Refusal{noToken}, models.Refusals...)...), limitations: tally.NewNames(limits...),
	}
	for _, upstream := range deps.Routes {
		g.routes = append(g.routes, newRoute(upstream))
	}
	slices.SortStableFunc(g.routes, func(a, b route) int { return len(b.Path) - len(a.Path) })
	return g
}

// Owns tells whether a request is the gateway's: by its host where the gateway has one of
// its own, else by its path.
func (g *Gateway) Owns(r *http.Request) bool {
	if len(g.routes) == 0 {
		return false
	}
	if g.Host != "" {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		return strings.EqualFold(strings.TrimSuffix(host, "."), g.Host)
	}
	return g.find(r.URL.Path) != nil
}

// Serve answers a request that the gateway owns.
func (g *Gateway) Serve(w http.ResponseWriter, r *http.Request, from Caller) {
	to, problem := g.read(r)
	switch {
	case problem != "":
		from.note("refused", "path")
		g.refuse(w, from, http.StatusBadRequest, problem)
		return
	case to == nil:
		g.refuse(w, from, http.StatusNotFound, "There is no API at this path.")
		return
	}
	from.note("upstream", to.Path)
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		g.refuse(w, from, http.StatusMethodNotAllowed, "The gateway forwards no calls with the methods CONNECT and TRACE.")
		return
	}
	if why := refusedUpgrade(r, to.Upstream); why != "" {
		from.note("refused", "upgrade")
		g.refuse(w, from, http.StatusForbidden, why)
		return
	}
	defer g.open.Add(-1)
	if g.open.Add(1) > g.Limits.Calls {
		from.note("refused", "too many calls")
		w.Header().Set("Retry-After", "1")
		g.refuse(w, from, http.StatusServiceUnavailable, "Too many calls are open on this server. Try again in a second.")
		return
	}
	if grant, ok := g.allow(w, r, to, from); ok {
		g.forward(w, r, to, grant, from)
	}
}

// allow lets a call with a good token that has the route's scope come to the limits, and
// answers all others.
func (g *Gateway) allow(w http.ResponseWriter, r *http.Request, to *route, from Caller) (tokens.Grant, bool) {
	by, ok := takeCredential(r, to.Upstream)
	if !ok {
		reason := noToken
		if by.sent {
			reason = models.RefusedMalformed
		}
		g.refusals.Add(string(reason))
		from.note("refused", string(reason))
		g.unauthorized(w, from, by.sent)
		return tokens.Grant{}, false
	}
	grant, err := g.inspect(r.Context(), by, to.Upstream)
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		g.refusals.Add(string(refused.Reason))
		from.note("refused", string(refused.Reason))
		g.Refusals.Note(refused, to.Path, from.Address, r.UserAgent())
		g.unauthorized(w, from, true)
		return tokens.Grant{}, false
	}
	if err != nil {
		from.note("refused", "store away")
		g.unavailable(w, from)
		return tokens.Grant{}, false
	}
	from.note("token", grant.TokenID)
	if to.Scope != "" && !hasScope(grant.Scopes, to.Scope) {
		g.lacksScope(w, r, to, grant, from)
		return tokens.Grant{}, false
	}
	g.Verifier.Used(grant, from.Address)
	return grant, true
}

func hasScope(granted, wanted string) bool {
	for scope := range strings.SplitSeq(granted, " ") {
		if scope == wanted {
			return true
		}
	}
	return false
}

// call is what the meter is told of a call.
func (to *route) call(grant tokens.Grant) usage.Call {
	return usage.Call{TeamID: grant.TeamID, ApplicationID: grant.ApplicationID, TokenID: grant.TokenID, Route: to.Path, API: to.API, Cost: to.Cost}
}
