package tokens_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// elsewhere is what the feed hears of other processes. It can be slow before and
// after it looks, fail, and not care that nobody waits any more.
type elsewhere struct {
	mu            sync.Mutex
	began         time.Time
	version       int64
	err           error
	before, after time.Duration
	deaf          bool
	asked         []time.Duration // when, since began
}

func (e *elsewhere) answer(ctx context.Context) (int64, error) {
	e.mu.Lock()
	e.asked = append(e.asked, time.Since(e.began))
	before, after, deaf := e.before, e.after, e.deaf
	e.mu.Unlock()
	if deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if err := pause(ctx, before); err != nil {
		return 0, err
	}
	e.mu.Lock()
	version, err := e.version, e.err
	e.mu.Unlock()
	if late := pause(ctx, after); late != nil {
		return 0, late
	}
	return version, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *elsewhere) set(change func(e *elsewhere)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

// fed is a desk whose cache a feed keeps true.
type fed struct {
	*desk
	other *elsewhere
	feed  *tokens.Feed
}

// inBubble runs test with a feed that has asked for the first time.
func inBubble(t *testing.T, other *elsewhere, test func(t *testing.T, f *fed)) {
	t.Helper()
	onOneProcessor(t, func(t *testing.T) {
		f := &fed{desk: newDesk(t, tokens.NewCache()), other: other}
		other.began = time.Now()
		f.store.version = other.answer
		f.feed = tokens.NewFeed(t.Context(), f.store, f.cache, quiet())
		defer f.feed.Close()
		synctest.Wait()
		test(t, f)
	})
}

// sleepTo sleeps until d after the feed began.
func (f *fed) sleepTo(d time.Duration) {
	time.Sleep(d - time.Since(f.other.began))
	synctest.Wait()
}

// fill puts the token and a client into the cache.
func (f *fed) fill(t *testing.T) {
	t.Helper()
	f.store.client = models.Client{ClientID: "client"}
	f.inspect(t)
	if _, err := tokens.NewClients(f.store, f.cache).Prove(t.Context(), "client", yes); err != nil {
		t.Fatal(err)
	}
	if kept, clients := f.cache.Holds(); kept != 1 || clients != 1 {
		t.Fatalf("the cache holds %d tokens and %d clients", kept, clients)
	}
}

func yes(*models.Client) bool { return true }
