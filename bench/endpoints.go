package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// endpoint is what one row sends, and what must come back.
type endpoint struct {
	name, title string
	// requests are sent in turn.
	requests []request
	// check looks at one answer.
	check func(answer) error
	// durable endpoints store a token for each answer.
	durable bool
	// widest endpoints are measured at the most connections only.
	widest bool
	file   string
	// bar is what the endpoint is measured beside, bare echo where it is nil.
	bar *bar
}

// bar is a bare server and what is asked of it.
type bar struct {
	server   *server
	endpoint endpoint
}

// script is the Lua that sends the requests.
func (e endpoint) script() string {
	if len(e.requests) == 1 {
		return "one.lua"
	}
	return "many.lua"
}

// endpoint builds one by name and writes its requests to where wrk finds them.
func (l *lab) endpoint(name string) (endpoint, error) {
	var e endpoint
	switch name {
	case "hello":
		e = endpoint{title: "bare echo hello", requests: []request{{method: http.MethodGet, path: "/"}}, check: checkHello}
	case "token":
		e = endpoint{title: "`POST /oauth2/token`, durable", requests: []request{l.tokenRequest()}, check: checkToken, durable: true}
	case "verify":
		e = endpoint{title: "`GET /oauth2/verify`, 1,000 live tokens", check: l.checkVerify}
		for _, token := range l.world.tokens {
			e.requests = append(e.requests, request{http.MethodGet, "/oauth2/verify", "", [][2]string{{"Authorization", "Bearer " + token}}})
		}
	case "introspect":
		e = endpoint{title: "`POST /oauth2/introspect`, 1,000 live tokens", check: l.checkIntrospect}
		for _, token := range l.world.tokens {
			e.requests = append(e.requests, formRequest("/oauth2/introspect", l.world.serverID, l.world.server, url.Values{"token": {token}}))
		}
	case "applications":
		e = endpoint{title: "Applications page, 25 of 10,000", requests: []request{l.pageRequest()}, check: checkApplications}
	case "applications-gzip":
		e = endpoint{title: "the same page, compressed", requests: []request{l.pageRequest()}, check: checkApplications, widest: true}
		e.requests[0].headers = append(e.requests[0].headers, [2]string{"Accept-Encoding", "gzip"})
	case "gateway":
		e = endpoint{title: "`GET` through the gateway, 1,000 live tokens (of a bare `httputil.ReverseProxy`)", check: checkHello}
		for _, token := range l.world.tokens {
			e.requests = append(e.requests, request{http.MethodGet, gatewayPath, "", [][2]string{{"Authorization", "Bearer " + token}}})
		}
		beside, err := l.endpoint("hello")
		if err != nil {
			return e, err
		}
		e.bar = &bar{l.proxy, beside}
	}
	e.name, e.file = name, l.path(name+".requests")
	var lines strings.Builder
	for _, r := range e.requests {
		lines.WriteString(r.line())
	}
	return e, os.WriteFile(e.file, []byte(lines.String()), 0o600) //nolint:gosec // in the folder of the benchmark
}

func (l *lab) tokenRequest() request {
	return formRequest("/oauth2/token", l.world.clientID, l.world.secret, url.Values{"grant_type": {"client_credentials"}})
}

func (l *lab) pageRequest() request {
	return request{http.MethodGet, applicationsPath, "", [][2]string{{"Cookie", l.world.cookie}}}
}

// formRequest proves the client by HTTP Basic, as RFC 6749 section 2.3.1 says.
func formRequest(path, id, secret string, form url.Values) request {
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
	return request{http.MethodPost, path, form.Encode(), [][2]string{{"Authorization", "Basic " + basic}, {"Content-Type", formType}}}
}

// wrong says what an answer was instead.
func wrong(got answer) error {
	return fmt.Errorf("answered %d: %.300s: %w", got.status, got.body, errUnexpected)
}
