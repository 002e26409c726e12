package main

import (
	"io"
	"net/http"
	"strings"

	"github.com/latchkey/latchkey/api"
	"github.com/latchkey/latchkey/oauth"
)

// newRedirectServer is for http on a second address.
func newRedirectServer(w world, challenges func(http.Handler) http.Handler) *http.Server {
	return &http.Server{
		Handler:        challenges(http.HandlerFunc(w.redirect)),
		ReadTimeout:    readTimeout,
		WriteTimeout:   readTimeout,
		IdleTimeout:    readTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       newServerLog(w.log),
	}
}

const refusedInTheClear = `{"error":"invalid_request","error_description":"This is served by https alone. What came with this request went over the network in the clear: replace it."}` + "\n"

// redirect leads whoever asks for a page to https. A program is refused instead: led there,
// it would go on sending its credentials in the clear first.
func (w world) redirect(answer http.ResponseWriter, r *http.Request) {
	header := answer.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	switch {
	case oauth.Owns(r.URL.Path) || api.Owns(r.URL.Path) || w.gateway.Owns(r):
		header.Set("Content-Type", "application/json; charset=utf-8")
		answer.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(answer, refusedInTheClear)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(answer, "This is served by https alone.", http.StatusMethodNotAllowed)
	default:
		http.Redirect(answer, r, w.baseURL+pathAndQuery(r), http.StatusMovedPermanently) //nolint:gosec // the base URL is ours, and a slash follows it
	}
}

// pathAndQuery begins with a slash whatever was asked for, so that what stands before it
// stays the host.
func pathAndQuery(r *http.Request) string {
	to := r.URL.EscapedPath()
	if !strings.HasPrefix(to, "/") {
		to = "/"
	}
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	return to
}
