package tokens_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/tokens"
)

// T6: the cache answers only while its feed lives. R5: Close leaves no goroutine.
func TestFeedCloseEndsTheTrust(t *testing.T) {
	inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
		f.fill(t)
		f.feed.Close()
		asked := len(f.other.asked)
		for range 3 {
			f.wants(t, "closed", "", 1)
			f.wantsEmpty(t)
			time.Sleep(time.Second)
		}
		if f.cache.IsTrusted() || len(f.other.asked) != asked {
			t.Errorf("trusted: %v, asked %d times after Close", f.cache.IsTrusted(), len(f.other.asked)-asked)
		}
	})
}

// R5: the question that runs is given up.
func TestFeedCloseWhileTheStoreHangs(t *testing.T) {
	inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
		f.other.set(func(e *elsewhere) { e.before = time.Hour })
		f.sleepTo(300 * ms)
		began := time.Now()
		f.feed.Close()
		if took := time.Since(began); took != 0 || f.cache.IsTrusted() {
			t.Errorf("Close took %s, trusted: %v", took, f.cache.IsTrusted())
		}
	})
}

func TestFeedEndsWithItsContext(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cache := tokens.NewCache()
		feed := tokens.NewFeed(ctx, &fakeStore{}, cache, quiet())
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		if cache.IsTrusted() {
			t.Error("trusted after the end")
		}
		feed.Close()
	})
}
