package gateway

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// exchange is one call on its way to an upstream and back.
type exchange struct {
	*Gateway
	to     *route
	from   Caller
	grant  tokens.Grant
	permit *usage.Permit
	in     *http.Request
	answer answer
	body   *sending // nil for a request without one
	cancel context.CancelCauseFunc

	// status and points are for the meter, which is told once.
	status  int
	points  int64
	settled bool
	// reached tells that the upstream had a connection for the call.
	reached atomic.Bool

	// moved tells that bytes went either way since the last tick of idle.
	moved atomic.Bool
	quiet int
	idle  *time.Timer

	// mu guards over and what is done to the client's connection, which is another
	// call's once this one is over.
	mu   sync.Mutex
	over bool
}

// forward sends an allowed call to its upstream, once the meter admits it.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, to *route, grant tokens.Grant, from Caller) {
	call := to.call(grant)
	permit, err := g.admit(r.Context(), call)
	if err != nil {
		g.overLimit(w, call, from, err)
		return
	}
	tied, err := g.Streams.tie(w, r, to.Upstream, grant, call, bounds{streams: permit.Streams, calls: g.Limits.ofTeam()})
	if err != nil {
		g.done(permit, g.ended(w, from, err), 0)
		return
	}
	defer tied.leave() // after the permit's end: Streams.Close waits for both
	x := &exchange{Gateway: g, to: to, from: from, grant: grant, permit: permit, points: usage.CostOfRoute, status: http.StatusBadGateway}
	ctx, cancel := context.WithCancelCause(tied.r.Context())
	x.cancel = cancel
	x.in = tied.r.WithContext(ctx) //nolint:contextcheck // ctx is from tied.r
	x.begin(tied.w)
	defer x.end()
	proxy := httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: x, ModifyResponse: x.modify, ErrorHandler: x.fail, BufferPool: &g.buffers, ErrorLog: silent,
		FlushInterval: flushAfter,
	}
	proxy.ServeHTTP(&x.answer, x.in)
}

// rewrite makes the request that the upstream gets. ReverseProxy has dropped the headers
// between two hosts already, so that none of ours can be named as one.
func (x *exchange) rewrite(p *httputil.ProxyRequest) {
	out := p.Out
	out.Host = ""
	out.URL.Scheme, out.URL.Host = x.to.Target.Scheme, x.to.Target.Host
	out.URL.Path, out.URL.RawPath = x.to.address(p.In.URL)
	out.URL.RawQuery = x.to.query(p.In.URL.RawQuery)
	onlyWebSocket(out.Header, isUpgrade(p.In))
	drop(out.Header, fromClients)
	forwarded(out.Header, p.In, x.from)
	x.grant.Describe(out.Header)
	if x.body != nil {
		drop(out.Trailer, fromClients)
		x.body.trailer = out.Trailer
	}
}

// RoundTrip makes an exchange the transport of its own proxy.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.reached.Store(true) }}
	return x.transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

// modify takes the upstream's answer before the client gets it.
func (x *exchange) modify(res *http.Response) error {
	if err := answering(res); err != nil {
		return err
	}
	x.status = res.StatusCode
	x.cost(res.Header)
	x.foreign(res.Header)
	x.own()
	x.shield(x.answer.Header(), x.from)
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.stopIdle() // its bytes no longer pass here
		return nil
	}
	drop(res.Trailer, fromUpstreams, originWide)
	if len(res.Trailer) > 0 {
		// HTTP/2 sends trailers behind a body of known length, HTTP/1.1 cannot.
		res.Header.Del("Content-Length")
		res.ContentLength = -1
	}
	if isEvents(res.Header.Get("Content-Type")) {
		x.settle()
	}
	res.Body = &receiving{ReadCloser: res.Body, x: x, res: res}
	return nil
}

// own sets the headers that every answer has. Answers before the last one take with them
// what was set before.
func (x *exchange) own() {
	h := x.answer.Header()
	if x.from.RequestID != "" {
		h["X-Request-Id"] = []string{x.from.RequestID}
	}
	tellRate(h, x.permit.Rate)
	if len(x.in.TransferEncoding) > 0 {
		// There may have been a Content-Length besides, which net/http drops: RFC 9112
		// section 6.1 wants such a connection closed.
		h["Connection"] = []string{"close"}
	}
}

// begin watches over the call.
func (x *exchange) begin(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	x.answer = answer{ResponseWriter: w, x: x, control: control, extended: x.Now()}
	if x.in.Body == nil || x.in.Body == http.NoBody {
		// The server's own deadline would end a long answer.
		_ = control.SetReadDeadline(time.Time{}) // a caller in this process has none
	} else {
		x.body = &sending{ReadCloser: x.in.Body, x: x, control: control}
		x.in.Body = x.body
		_ = control.EnableFullDuplex() // HTTP/2 always is
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.idle = time.AfterFunc(x.Limits.Idle/idleTicks, x.tick)
}

// end settles the call, whichever way it ended.
func (x *exchange) end() {
	x.stopIdle()
	x.answer.extend() // for the last bytes, which the server writes
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	x.cancel(nil)
	x.settle()
}

// settle counts the call and charges its points, once: a stream's when it begins. It may be
// open for days, and what it costs must not be lost with the node meanwhile, nor be kept from
// other calls.
func (x *exchange) settle() {
	if x.settled {
		return
	}
	x.settled = true
	x.to.calls.add(x.status)
	x.done(x.permit, x.status, x.points)
	if x.from.Points != nil {
		x.from.Points(x.charged())
	}
}
