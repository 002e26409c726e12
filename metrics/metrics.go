// Package metrics shows Prometheus what the other packages have counted. They count by
// themselves; what is here reads at each scrape, and costs nothing in between.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/oauth"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
	"github.com/latchkey/latchkey/webhooks"
)

const (
	// parallel is how many scrapes run at once, scrapeFor how long one may take.
	parallel  = 2
	scrapeFor = 10 * time.Second
	// teams is how many teams have a series of their own, those with most to report.
	teams = 20
)

// Run is what a job has done that deletes what has ended.
type Run struct {
	Job string
	// Rows counts what it deleted, Failures its runs that did not come to their end. Counts
	// tells that it counts rows.
	Rows, Failures int64
	Counts         bool
	// Last is when it last came to its end; zero for never.
	Last time.Time
}

// Sources are what is read at each scrape.
type Sources struct {
	Version  string
	Requests *middleware.Counter
	Cache    *tokens.Cache
	Feed     *tokens.Feed
	Issuer   *tokens.Issuer
	OAuth    *oauth.Handler
	Gateway  *gateway.Gateway
	Meter    *usage.Meter
	Mail     *mail.Mailer
	Webhooks *webhooks.Worker
	Store    *store.Store
	// Checks are those of readiness, by name; Ready tells whether the program is sent requests.
	Checks func() (checks map[string]bool, ready bool)
	Runs   func() []Run
	// ClockAhead is how far the program's time is ahead of the system's clock.
	ClockAhead func() time.Duration
	Log        *slog.Logger
}

// Handler answers scrapes.
func Handler(sources Sources) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{Sources: sources, waiting: remembered{read: func(ctx context.Context) (store.Waiting, error) { return sources.Store.Waiting(ctx, teams) }}},
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: parallel, Timeout: scrapeFor, ErrorLog: slog.NewLogLogger(sources.Log.Handler(), slog.LevelWarn)})
}
