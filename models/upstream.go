package models

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// MaxCost is the most points that one call may cost.
const MaxCost = 1_000_000

// Upstream is one route of the gateway: calls under Path go to Target.
type Upstream struct {
	// Path is clean, without a slash at its end unless it is "/" alone.
	Path string
	// Target is where calls go. Its path, if it has one, replaces Path.
	Target *url.URL
	// API is the version that its calls are counted under.
	API string
	// Cost is the points of a call whose answer names no other.
	Cost int64
	// Scope is what a token must have, empty for none.
	Scope string
	// Strip cuts Path off even where the target has no path of its own.
	Strip bool
	// WebSocket lets connections be upgraded, GraphQL gives the route a GraphQL editor.
	WebSocket, GraphQL bool
	// Origins may open WebSockets from browsers; empty for all.
	Origins []string
}

// ParseUpstreams reads routes as LATCHKEY_UPSTREAMS holds them, separated by spaces:
// path=target;option;option=value. The error names the route that is wrong and what to
// write.
func ParseUpstreams(text string) ([]Upstream, error) {
	var routes []Upstream
	for word := range strings.FieldsSeq(text) {
		route, problem := parseUpstream(word)
		if problem == "" && slices.ContainsFunc(routes, func(other Upstream) bool { return other.Path == route.Path }) {
			problem = "another route has this path already"
		}
		if problem != "" {
			where, _, _ := strings.Cut(word, "=")
			return nil, fmt.Errorf("the route %s: %s", where, problem)
		}
		routes = append(routes, route)
	}
	return routes, nil
}

func parseUpstream(word string) (Upstream, string) {
	first, options, _ := strings.Cut(word, ";")
	where, target, ok := strings.Cut(first, "=")
	if !ok {
		return Upstream{}, "write path=address, such as /v1=http://127.0.0.1:4000"
	}
	if !strings.HasPrefix(where, "/") || path.Clean(where) != where || strings.ContainsAny(where, `%\?#`) {
		return Upstream{}, "begin the path with one slash, end it without one, and use no %, ? or #"
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Upstream{}, "write the API's address with http or https and without a password, ? or #"
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	route := Upstream{Path: where, Target: u, API: "v1", Cost: 1, GraphQL: path.Base(where) == "graphql"}
	for option := range strings.SplitSeq(options, ";") {
		if problem := route.option(option); problem != "" {
			return Upstream{}, problem
		}
	}
	return route, ""
}

func (u *Upstream) option(text string) string {
	name, value, _ := strings.Cut(text, "=")
	switch name {
	case "":
		return ""
	case "strip":
		u.Strip = true
	case "ws":
		u.WebSocket = true
	case "graphql":
		u.GraphQL = true
	case "api":
		if !isAPIName(value) {
			return "write api= and up to 32 letters, digits, dots, dashes or underscores"
		}
		u.API = value
	case "cost":
		cost, err := strconv.ParseInt(value, 10, 64)
		if err != nil || cost < 0 || cost > MaxCost {
			return "write cost= and a number from 0 to " + FormatNumber(MaxCost)
		}
		u.Cost = cost
	case "scope":
		if !IsScope(value) {
			return "write scope= and the scope that a token needs"
		}
		u.Scope = value
	case "origin":
		if !isOrigin(value) {
			return "write origin= and an origin, such as https://app.example.com"
		}
		u.Origins = append(u.Origins, value)
	default:
		return "there is no option " + name + "; there are api, cost, scope, origin, strip, ws and graphql"
	}
	return ""
}

func isAPIName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return name != "" && len(name) <= 32 && strings.Trim(name, allowed) == ""
}

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && text == u.Scheme+"://"+u.Host
}

// Covers tells whether calls to a clean path belong to the route.
func (u Upstream) Covers(clean string) bool {
	rest, ok := strings.CutPrefix(clean, strings.TrimSuffix(u.Path, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
