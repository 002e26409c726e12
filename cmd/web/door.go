package main

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/gateway"
)

// door is what every request on the public address comes to first. It answers for the
// health of the process from the moment that it listens, has other requests wait until the
// program has started, and tells clients to leave while it stops.
type door struct {
	health *health
	inside atomic.Pointer[inside]
	opened chan struct{}
}

type inside struct {
	http.Handler
	gateway *gateway.Gateway
}

func newDoor(h *health) *door { return &door{health: h, opened: make(chan struct{})} }

// open lets requests in. Call it once.
func (d *door) open(handler http.Handler, gateway *gateway.Gateway) {
	d.inside.Store(&inside{Handler: handler, gateway: gateway})
	close(d.opened)
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	inside := d.inside.Load()
	if path := r.URL.Path; (path == healthPath || path == readyPath) && (inside == nil || !inside.gateway.Owns(r)) {
		d.leave(w, r)
		d.health.serve(w, r, false) //nolint:contextcheck // the question is put for all who ask
		return
	}
	if inside == nil {
		if inside = d.wait(r); inside == nil {
			w.Header().Set("Retry-After", "1")
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	d.leave(w, r)
	inside.ServeHTTP(w, r)
}

// wait holds a request until the program has started, as long as requests may wait for the
// database.
func (d *door) wait(r *http.Request) *inside {
	patience := time.NewTimer(handlerTimeout)
	defer patience.Stop()
	select {
	case <-d.opened:
	case <-r.Context().Done():
	case <-patience.C:
	}
	return d.inside.Load()
}

// leave has the client take another connection for its next request, and thereby another
// server. An answer that switches protocols has no room for that.
func (d *door) leave(w http.ResponseWriter, r *http.Request) {
	if d.health.stopping.Load() && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close")
	}
}
