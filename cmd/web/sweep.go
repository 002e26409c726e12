package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey/latchkey/store"
)

const sweepEvery = time.Hour

// sweep deletes what has ended, at the start and every hour, until ctx ends, but not while
// the time may be a wrong one. Tokens go their own way: to delete millions of them may take
// longer than an hour. It returns a function that waits for the last runs.
func sweep(ctx context.Context, db *store.Store, config Config, done *jobs, log *slog.Logger) (wait func()) {
	var runs sync.WaitGroup
	runs.Go(func() { watchClock(ctx, log) })
	runs.Go(func() {
		hourly(ctx, func() {
			alone(ctx, db, "sweep", log, func(ctx context.Context) { sweepAndLog(ctx, db, config, done, log) })
		})
	})
	runs.Go(func() {
		hourly(ctx, func() {
			alone(ctx, db, "purge", log, func(ctx context.Context) { purgeAndLog(ctx, db, config.Keep, &done.tokens, log) })
		})
	})
	return runs.Wait
}

// alone runs a job unless another node is at it.
func alone(ctx context.Context, db *store.Store, job string, log *slog.Logger, run func(ctx context.Context)) {
	_, err := db.Alone(ctx, job, func(ctx context.Context) error {
		run(ctx)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		log.Warn("a job did not run this time", "job", job, "error", err)
	}
}

func hourly(ctx context.Context, run func()) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		clock() // finds out
		if why, _ := system.doubt(system.read()); why == "" {
			run()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func sweepAndLog(ctx context.Context, db *store.Store, config Config, done *jobs, log *slog.Logger) {
	err := db.Sweep(ctx, config.SessionIdle, config.SessionMax)
	if err == nil {
		err = rollPeriods(ctx, db, false)
	}
	if err == nil {
		err = purgeLeftovers(ctx, db, false)
	}
	done.swept.ended(0, err)
	if err != nil && ctx.Err() == nil {
		log.Warn("not all was swept, the next run is in an hour", "error", err)
	}
	pruneAndLog(ctx, db, config.Keep.Audit, &done.audit, log)
}
