package tokens

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// feedEvery is how often the store is asked for changes of other processes.
	feedEvery = 250 * time.Millisecond
	// feedSilence is after how long without an answer the cache is not trusted any
	// more. Together they stay below the second in which a revocation must arrive.
	feedSilence = 500 * time.Millisecond
)

// Feed keeps a cache true to what other processes change, and keeps it from
// being used while it cannot know.
type Feed struct {
	store Store
	cache *Cache
	log   *slog.Logger
	// version is what the store answered last, if known.
	version int64
	known   bool
	// answered is what the cache's stopwatch showed before the last question with an answer.
	answered atomic.Int64

	stop    context.CancelFunc
	stopped chan struct{}
}

// NewFeed starts asking. Close stops it; the cache is not used afterwards.
func NewFeed(ctx context.Context, store Store, cache *Cache, log *slog.Logger) *Feed {
	ctx, stop := context.WithCancel(ctx)
	f := &Feed{store: store, cache: cache, log: log, stop: stop, stopped: make(chan struct{})}
	go f.run(ctx)
	return f
}

// Close stops the feed.
func (f *Feed) Close() {
	f.stop()
	<-f.stopped
}

func (f *Feed) run(ctx context.Context) {
	defer close(f.stopped)
	defer f.cache.trust(0, true)
	ticker := time.NewTicker(feedEvery)
	defer ticker.Stop()
	for {
		was := f.known
		err := f.ask(ctx)
		if was != f.known && ctx.Err() == nil {
			f.report(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask asks once. The trust that an answer gives is counted from before the
// question: what changed after it may not be in the answer.
func (f *Feed) ask(ctx context.Context) error {
	began := f.cache.elapsed()
	ctx, cancel := context.WithTimeout(ctx, 2*feedSilence)
	defer cancel()
	version, err := f.store.ForeignVersion(ctx)
	if err != nil {
		f.known = false
		f.cache.trust(0, true)
		return err
	}
	f.answered.Store(began)
	f.cache.trust(began+int64(feedSilence), !f.known || version != f.version)
	f.version, f.known = version, true
	return nil
}

func (f *Feed) report(err error) {
	if f.known {
		f.log.Info("the cache of tokens follows the database")
		return
	}
	f.log.Warn("the cache of tokens cannot follow the database: each token is read from it", "error", err)
}
