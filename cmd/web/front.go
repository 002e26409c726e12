package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/metrics"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/webhooks"
)

// front is where the program listens: the public address, and that of the metrics where it
// has one. It answers for its health before the program has started and until it has
// stopped.
type front struct {
	log    *slog.Logger
	health *health
	door   *door

	in     *listeners
	aside  net.Listener
	server *http.Server
	// private serves aside; metrics is what it answers with once there are any.
	private *http.Server
	metrics atomic.Pointer[http.Handler]
	// served gets the error with which the public server ended.
	served chan error
}

// newFront listens and begins to answer; with certificates by ACME, once open is called.
// The base URL that was left out follows from the address. Close it in the end.
func newFront(ctx context.Context, config *Config, log *slog.Logger) (*front, error) {
	f := &front{log: log, health: &health{log: log}, served: make(chan error, 1)}
	f.door = newDoor(f.health)
	var err error
	if f.in, err = openListeners(ctx, config, log); err != nil {
		return nil, err
	}
	if config.MetricsAddr != "" {
		if f.aside, err = listen(ctx, config.MetricsAddr, "LATCHKEY_METRICS_ADDR"); err != nil {
			f.in.shut()
			return nil, err
		}
		f.private = f.newPrivate()
		go func() { _ = f.private.Serve(f.aside) }() // it ends when it is closed
	}
	f.server = newServer(f.door, log)
	if !config.TLS.acme {
		f.serve()
	}
	return f, nil
}

func (f *front) serve() {
	go func() { f.served <- f.in.serve(f.server) }()
}

// newPrivate answers on the address of the metrics.
func (f *front) newPrivate() *http.Server {
	mux := http.NewServeMux()
	inDetail := func(w http.ResponseWriter, r *http.Request) { f.health.serve(w, r, true) } //nolint:contextcheck // the question is put for all who ask
	mux.HandleFunc(healthPath, inDetail)
	mux.HandleFunc(readyPath, inDetail)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if handler := f.metrics.Load(); handler != nil {
			(*handler).ServeHTTP(w, r)
			return
		}
		http.Error(w, "starting", http.StatusServiceUnavailable)
	})
	return newServer(mux, f.log)
}

// rooms are what the metrics and the checks of readiness ask.
type rooms struct {
	db     *store.Store
	room   tokenRoom
	calls  callRoom
	mailer *mail.Mailer
	hooks  *webhooks.Worker
	done   *jobs
}

// open lets requests in.
func (f *front) open(config Config, w world, from rooms) error {
	latest, err := migrations.Latest()
	if err != nil {
		return err
	}
	var requests *middleware.Counter
	if f.private != nil {
		requests = middleware.NewCounter()
		w.count = append(w.count, requests.Count)
	}
	e := newEcho(w)
	f.health.started(latest, from.db.SchemaVersion, from.room.feed.Stats)
	if f.private != nil {
		for _, route := range e.Routes() {
			requests.Add(route.Path)
		}
		requests.Add(gatewayRoute)
		handler := metrics.Handler(from.metrics(w, f.health, requests))
		f.metrics.Store(&handler)
		f.log.Info("metrics", "address", f.aside.Addr().String())
	}
	f.server.RegisterOnShutdown(from.calls.streams.Stop) // they would not end by themselves
	f.server.RegisterOnShutdown(from.room.revocations.Stop)
	if config.TLS.acme {
		f.serve()
	}
	f.in.lead(w)
	f.door.open(e, w.gateway)
	return nil
}

func (from rooms) metrics(w world, h *health, requests *middleware.Counter) metrics.Sources {
	return metrics.Sources{
		Version: version(), Requests: requests, Cache: from.room.cache, Feed: from.room.feed, Issuer: from.room.issuer, OAuth: w.oauth,
		Gateway: from.calls.gateway, Meter: from.calls.meter, Mail: from.mailer, Webhooks: from.hooks, Store: from.db,
		Checks: h.values, Runs: from.done.read, ClockAhead: clockAhead, Log: w.log,
	}
}

// run serves until ctx ends, or the listener.
func (f *front) run(ctx context.Context) error {
	select {
	case err := <-f.served:
		return err
	case <-ctx.Done():
		return nil
	}
}

// close cuts what is left.
func (f *front) close() {
	_ = f.server.Close() // what it closes was only read
	f.in.shut()
	if f.private != nil {
		_ = f.private.Close()
	}
}

// drain turns readiness first, so that balancers send no more requests, and goes on
// answering for a while. Then no connection is taken any more, and requests that run have
// some time to end. It outlives the signal that ended ctx.
func (f *front) drain(ctx context.Context, config Config) error {
	f.health.stopping.Store(true)
	if ctx.Err() != nil { // otherwise the listener is gone
		time.Sleep(config.DrainDelay) // a second signal ends the process
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), config.DrainTimeout)
	defer cancel()
	if err := f.server.Shutdown(rest); err != nil {
		return fmt.Errorf("requests were still running after %s and were cut: %w", config.DrainTimeout, err)
	}
	return nil
}
