package main

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/middleware"
)

// gatewayRoute is what calls of the gateway are counted and logged under.
const gatewayRoute = "gateway"

// divert hands the gateway its requests, before anything of the pages is added to the answer.
func (w world) divert(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !w.gateway.Owns(c.Request()) {
			return next(c)
		}
		c.SetPath(gatewayRoute) // the route of the log line; which of ours it is stands beside it
		w.gateway.Serve(passing{c.Response()}, c.Request(), w.caller(c))
		return nil
	}
}

// caller says who calls. What proxies say counts only where the peer is one of ours.
func (w world) caller(c echo.Context) gateway.Caller {
	r := c.Request()
	from := gateway.Caller{
		Address: c.RealIP(), RequestID: middleware.ID(c), HTTPS: w.https,
		Note: func(key, value string) { middleware.Annotate(c, key, value) },
	}
	if w.traces != nil {
		w.trace(c, &from)
	}
	peer, ok := w.proxy(r)
	if !ok {
		return from
	}
	from.Chain = strings.Join(append(slices.Clone(r.Header[echo.HeaderXForwardedFor]), peer), ", ")
	if host := r.Header.Get("X-Forwarded-Host"); isHost(host) {
		from.Host = host
	}
	switch proto := r.Header.Get(echo.HeaderXForwardedProto); proto {
	case "http", "https":
		from.HTTPS = proto == "https"
	}
	return from
}

// proxy returns the address of the peer where it is one of our proxies.
func (w world) proxy(r *http.Request) (peer string, ok bool) {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(peer)
	return peer, err == nil && slices.ContainsFunc(w.proxies, func(network *net.IPNet) bool { return network.Contains(ip) })
}

// trace has the upstream continue the trace of a call.
func (w world) trace(c echo.Context, from *gateway.Caller) {
	ctx, note := c.Request().Context(), from.Note
	from.Traceparent, from.Tracestate = w.traces.Headers(ctx)
	from.Note = func(key, value string) {
		note(key, value)
		if key == "upstream" {
			w.traces.Upstream(ctx, value)
		}
	}
}

func isHost(text string) bool {
	return text != "" && len(text) <= 255 && !strings.ContainsAny(text, " \t,;/\\?#@\"<>")
}

// passing is echo's answer for a proxy. echo takes the first status for the last, and
// knows none of a connection that was taken over.
type passing struct{ *echo.Response }

// WriteHeader passes by echo what comes before the answer.
func (p passing) WriteHeader(status int) {
	if status < http.StatusOK && status != http.StatusSwitchingProtocols {
		p.Writer.WriteHeader(status)
		return
	}
	p.Response.WriteHeader(status)
}

// Hijack is for upgrades.
func (p passing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := p.Response.Hijack()
	if err == nil {
		p.Status, p.Committed = http.StatusSwitchingProtocols, true
	}
	return conn, buffered, err
}
