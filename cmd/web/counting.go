package main

import (
	"context"
	"log/slog"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/peers"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// counting is what nodes on one database count together. On SQLite each process counts
// alone: there is one.
type counting struct{ exchange *peers.Exchange }

func newCounting(config Config, db *store.Store, keys *secrets.Keys, log *slog.Logger) counting {
	if config.inFile() {
		return counting{}
	}
	return counting{peers.New(db, keys, log)}
}

// limiters makes those that all nodes share; nil on SQLite.
func (c counting) limiters() middleware.Maker {
	if c.exchange == nil {
		return nil
	}
	return func(name string, policy middleware.Policy) *middleware.Limiter {
		limiter := middleware.NewLimiter(policy, clock)
		c.exchange.Limiter(name, limiter)
		return limiter
	}
}

// start follows wire and comes before the first request.
func (c counting) start(ctx context.Context, calls callRoom) {
	if c.exchange == nil {
		return
	}
	c.exchange.Meter(calls.meter)
	c.exchange.Streams(calls.streams)
	c.exchange.Start(ctx)
}

// close tells what has come last. No request runs any more.
func (c counting) close(ctx context.Context) error {
	if c.exchange == nil {
		return nil
	}
	return c.exchange.Close(ctx)
}
