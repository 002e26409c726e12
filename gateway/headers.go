package gateway

import "net/http"

// Names that end in a dash stand for all that begin so. Upstreams that read headers by the
// rules of CGI take an underscore, some any sign, for a dash, so all are one here.
var (
	// fromClients never reach an upstream: what lets somebody in here, what we say of a
	// call, and what some servers take for the client's address or for the path.
	fromClients = []string{
		"authorization", "cookie", "cookie2", "forwarded", "http2-settings", "proxy", "proxy-", "x-forwarded-", "x-latchkey-",
		"cf-connecting-ip", "true-client-ip", "x-client-ip", "x-original-url", "x-real-ip", "x-request-id", "x-rewrite-url",
	}
	// fromUpstreams never reach a client.
	fromUpstreams = []string{"set-cookie", "set-cookie2", "x-latchkey-", "x-points-cost", "x-request-id"}
	// originWide speak for a whole origin. Where that is the pages', an upstream has no
	// say in it.
	originWide = []string{
		"accept-ch", "access-control-", "alt-svc", "clear-site-data", "content-security-policy", "content-security-policy-report-only", "critical-ch", "nel",
		"origin-agent-cluster", "report-to", "reporting-endpoints", "service-worker-allowed", "set-login", "strict-transport-security", "x-content-type-options",
	}
)

// drop removes all headers of the lists.
func drop(h http.Header, lists ...[]string) {
	for name := range h {
		for _, list := range lists {
			if listed(name, list) {
				delete(h, name)
			}
		}
	}
}

func listed(name string, list []string) bool {
	for _, pattern := range list {
		if matches(name, pattern) {
			return true
		}
	}
	return false
}

func matches(name, pattern string) bool {
	open := pattern[len(pattern)-1] == '-'
	if len(name) < len(pattern) || len(name) > len(pattern) && !open {
		return false
	}
	for i := range len(pattern) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case (c < 'a' || c > 'z') && (c < '0' || c > '9'):
			c = '-'
		}
		if c != pattern[i] {
			return false
		}
	}
	return true
}

const strictTransport = "max-age=31536000; includeSubDomains"

// shield keeps an answer of an upstream from acting as a page of this origin.
func (g *Gateway) shield(h http.Header, from Caller) {
	if g.Host != "" {
		return
	}
	h["Content-Security-Policy"] = []string{"sandbox"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if from.HTTPS {
		h["Strict-Transport-Security"] = []string{strictTransport}
	}
}

// foreign removes from an answer's headers what is not the upstream's to say.
func (g *Gateway) foreign(h http.Header) {
	if g.Host != "" {
		drop(h, fromUpstreams)
		return
	}
	drop(h, fromUpstreams, originWide)
}

// forwarded says where a call comes from.
func forwarded(h http.Header, r *http.Request, from Caller) {
	chain, host, proto := from.Chain, from.Host, "http"
	if chain == "" {
		chain = from.Address
	}
	if host == "" {
		host = r.Host
	}
	if from.HTTPS {
		proto = "https"
	}
	values := [...]string{chain, host, proto, from.RequestID}
	for i, name := range [...]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id"} {
		if values[i] != "" {
			h[name] = values[i : i+1 : i+1]
		}
	}
	if from.Traceparent != "" {
		h["Traceparent"] = []string{from.Traceparent}
		delete(h, "Tracestate")
		if from.Tracestate != "" {
			h["Tracestate"] = []string{from.Tracestate}
		}
	}
}

// onlyWebSocket leaves of what a client offers to switch to (RFC 9110 section 7.8) a
// WebSocket at most: with another protocol calls would come past the gateway unchecked.
func onlyWebSocket(h http.Header, upgrade bool) {
	if upgrade {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
		return
	}
	delete(h, "Connection")
	delete(h, "Upgrade")
}
