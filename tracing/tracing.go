// Package tracing records what requests do as spans and sends them to an OpenTelemetry
// collector over OTLP/HTTP. Spans name routes, never addresses: no path, query, header or
// body of a request stands in one, and no value of a token. It is small because the SDK is
// not (docs/decisions/0024-metrics-and-traces.md).
package tracing

import (
	"context"
	"crypto/x509"
	"log/slog"
	"time"
)

// Settings is what is recorded, and where it goes.
type Settings struct {
	// URL is where spans are posted.
	URL     string
	Headers map[string]string
	// Timeout is for one post.
	Timeout time.Duration
	Gzip    bool
	// CAs sign the collector's certificate; nil for those that the system knows.
	CAs *x509.CertPool
	// Resource says which node this is.
	Resource map[string]string
	Sampler  Sampler
	Now      func() time.Time
}

const (
	// room is how many spans may wait; more are dropped. A post has batch of them at most,
	// and none waits longer than every.
	room  = 2048
	batch = 512
	every = 5 * time.Second
)

// Traces records spans. It is safe for concurrent use.
type Traces struct {
	settings Settings
	to       *collector
	ended    chan *span
	stop     chan struct{}
	stopped  chan struct{}
	// cut ends the post that runs.
	cut context.CancelFunc
}

// Start begins to record. Close sends what waits.
func Start(ctx context.Context, settings Settings, log *slog.Logger) *Traces {
	ctx, cut := context.WithCancel(ctx)
	t := &Traces{
		settings: settings, to: newCollector(settings, log), ended: make(chan *span, room), stop: make(chan struct{}), stopped: make(chan struct{}), cut: cut,
	}
	go t.run(ctx)
	return t
}

// Close sends what waits, until ctx ends. What cannot be sent is lost, which is no failure
// of the program. Call it once.
func (t *Traces) Close(ctx context.Context) {
	close(t.stop)
	select {
	case <-t.stopped:
	case <-ctx.Done():
		t.cut()
		<-t.stopped
	}
	t.cut()
}

func (t *Traces) run(ctx context.Context) {
	defer close(t.stopped)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var waiting []*span
	send := func() {
		if len(waiting) > 0 {
			t.to.send(ctx, waiting)
			waiting = nil
		}
	}
	for {
		select {
		case s := <-t.ended:
			if waiting = append(waiting, s); len(waiting) == batch {
				send()
			}
			continue
		case <-ticker.C:
			send()
			continue
		case <-t.stop:
		}
		for len(t.ended) > 0 {
			if waiting = append(waiting, <-t.ended); len(waiting) == batch {
				send()
			}
		}
		send()
		return
	}
}
