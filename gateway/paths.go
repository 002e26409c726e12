package gateway

import (
	"iter"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// route is one of the settings' routes, prepared.
type route struct {
	models.Upstream
	// prefix is Path as a request line has it, without a slash at its end, and folded the
	// same in small letters and decoded.
	prefix, folded string
	// target is the path of Target as a request line has it.
	target string
	calls  *calls
}

func newRoute(upstream models.Upstream) route {
	bare := strings.TrimSuffix(upstream.Path, "/")
	return route{
		Upstream: upstream, prefix: (&url.URL{Path: bare}).EscapedPath(), folded: strings.ToLower(bare), target: upstream.Target.EscapedPath(),
		calls: &calls{},
	}
}

// find returns the route with the longest path that covers a path, nil for none.
func (g *Gateway) find(path string) *route {
	for i := range g.routes {
		if g.routes[i].Covers(path) {
			return &g.routes[i]
		}
	}
	return nil
}

// read finds the route of a request, nil for none. There is one reading of the path: the
// one that finds the route is the one that the upstream gets. Where an upstream might
// read another path, problem says what is wrong with it.
func (g *Gateway) read(r *http.Request) (to *route, problem string) {
	if r.URL.Scheme != "" || r.URL.Host != "" || r.URL.Opaque != "" || !strings.HasPrefix(r.URL.Path, "/") {
		return nil, "Write the path alone into the request line, beginning with a slash."
	}
	raw := r.URL.EscapedPath()
	if ambiguous(r.URL.Path, raw) {
		return nil, "This path can be read in more than one way. Write it without empty segments, dot segments, backslashes, control characters, and without %2E and %2F."
	}
	to = g.find(r.URL.Path)
	if to == nil {
		return nil, ""
	}
	if !strings.HasPrefix(raw, to.prefix) || g.elsewhere(r.URL.Path, to) {
		return nil, "This path can be read as another route's. Write the path of the route as it is set, in the same letters."
	}
	return to, ""
}

// ambiguous tells whether servers that decode, clean or split a path differently may read
// this one differently. raw is the path before it was decoded.
func ambiguous(path, raw string) bool {
	if !utf8.ValidString(path) {
		return true
	}
	for i := range len(path) {
		if path[i] < ' ' || path[i] == 0x7f || path[i] == '\\' {
			return true
		}
	}
	for rest := raw; ; {
		at := strings.IndexByte(rest, '%')
		if at < 0 || at+2 >= len(rest) {
			break
		}
		if rest[at+1] == '2' && (rest[at+2]|0x20 == 'e' || rest[at+2]|0x20 == 'f') {
			return true
		}
		rest = rest[at+3:]
	}
	first := true
	for rest, more := path, true; more; first = false {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		// Some servers cut a segment's parameters off before they look for dots.
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." || segment == "" && more && !first {
			return true
		}
	}
	return false
}

// elsewhere tells whether a server that ignores case or cuts the parameters of segments
// off would find another route than to.
func (g *Gateway) elsewhere(path string, to *route) bool {
	if len(g.routes) == 1 {
		return false
	}
	folded := strings.ToLower(path)
	if strings.Contains(folded, ";") {
		segments := strings.Split(folded, "/")
		for i, segment := range segments {
			segments[i], _, _ = strings.Cut(segment, ";")
		}
		folded = strings.Join(segments, "/")
	}
	for i := range g.routes {
		if rest, ok := strings.CutPrefix(folded, g.routes[i].folded); ok && (rest == "" || rest[0] == '/') {
			return &g.routes[i] != to && g.routes[i].folded != to.folded
		}
	}
	return false
}

// address is the path that the upstream gets for a path that the route covers, decoded
// and as it stands in a request line.
func (to *route) address(in *url.URL) (path, raw string) {
	path, raw = in.Path, in.EscapedPath()
	if to.Target.Path != "" || to.Strip {
		path = to.Target.Path + path[len(strings.TrimSuffix(to.Path, "/")):]
		raw = to.target + raw[len(to.prefix):]
	}
	if path == "" {
		return "/", "/"
	}
	return path, raw
}

// query is what the upstream gets of a query: all of it, byte for byte, but for what lets
// a WebSocket in. A parameter token or ticket that holds one of ours goes on no route.
func (to *route) query(raw string) string {
	clean := true
	for part := range parts(raw) {
		clean = clean && !to.secret(part)
	}
	if clean {
		return raw
	}
	var kept strings.Builder
	for part := range parts(raw) {
		if !to.secret(part) {
			kept.WriteString(part)
		}
	}
	return strings.TrimRight(kept.String(), "&;")
}

// parts are the parameters of a query, each with the sign behind it. Some servers divide
// by semicolons too.
func parts(raw string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for raw != "" {
			end := strings.IndexAny(raw, "&;") + 1
			if end == 0 {
				end = len(raw)
			}
			if !yield(raw[:end]) {
				return
			}
			raw = raw[end:]
		}
	}
}

// secret tells whether a part of a query must not reach the upstream.
func (to *route) secret(part string) bool {
	name, value, _ := strings.Cut(strings.TrimRight(part, "&;"), "=")
	if strings.ContainsAny(name, "%+") {
		name, _ = url.QueryUnescape(name)
	}
	if name != tokenParam && name != ticketParam {
		return false
	}
	plain, err := url.QueryUnescape(value)
	return to.WebSocket || err == nil && tokens.WellFormed(plain)
}
