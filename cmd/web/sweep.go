package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/latchkey/latchkey/store"
)

const sweepEvery = time.Hour

// sweep deletes what has ended, at the start and every hour, until ctx ends. It
// returns a function that waits for the last run.
func sweep(ctx context.Context, db *store.Store, config Config, log *slog.Logger) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(sweepEvery)
		defer ticker.Stop()
		for {
			if err := db.Sweep(ctx, config.SessionIdle, config.SessionMax); err != nil && ctx.Err() == nil {
				log.Warn("nothing swept, the next run is in an hour", "error", err)
			}
			purgeAndLog(ctx, db, config.Keep, log)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { <-done }
}
