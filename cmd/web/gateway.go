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

// divert hands the gateway its requests, before anything of the pages is added to the answer.
func (w world) divert(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !w.gateway.Owns(c.Request()) {
			return next(c)
		}
		c.SetPath("gateway") // the route of the log line; which of ours it is stands beside it
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
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(peer)
	if err != nil || !slices.ContainsFunc(w.proxies, func(network *net.IPNet) bool { return network.Contains(ip) }) {
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
