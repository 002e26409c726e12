package tokens_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

// history is a store whose one application changes all the time. made is what it says
// now, told what caches have heard of.
type history struct{ made, told atomic.Int64 }

func (h *history) find(context.Context, []byte) (models.Bearer, error) {
	b := bearerOf(theValue)
	b.ClientID = fmt.Sprint(h.made.Load())
	return b, nil
}

// Promise 2 T6, on real threads: no look that begins after a notice finds what it
// named as it was before.
func TestNoticesUnderStress(t *testing.T) {
	for what, notice := range map[string]models.Notice{
		"application": {ApplicationID: "app"}, "token": {TokenHash: secrets.Hash(theValue), ApplicationID: "app"},
	} {
		d, h := newDesk(t, tokens.Trusted()), &history{}
		d.store.find = h.find
		var stop atomic.Bool
		var looks atomic.Int64
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for !stop.Load() && h.check(t, d.Verifier) {
					looks.Add(1)
					runtime.Gosched()
				}
			})
		}
		for h.told.Load() < 500 && !t.Failed() {
			h.made.Add(1)
			d.cache.Forget(notice)
			h.told.Add(1)
			time.Sleep(time.Duration(h.told.Load()%4) * 20 * time.Microsecond) // let readers in, for longer and shorter
		}
		stop.Store(true)
		readers.Wait()
		t.Logf("%s: %d changes, %d looks, %d of them at the store", what, h.told.Load(), looks.Load(), d.store.asked(0))
	}
}

func (h *history) check(t *testing.T, v *tokens.Verifier) bool {
	t.Helper()
	want := h.told.Load()
	grant, err := v.Inspect(t.Context(), theValue, "")
	var got int64
	if _, scanned := fmt.Sscan(grant.ClientID, &got); err != nil || scanned != nil || got < want {
		t.Errorf("client %q after change %d, %v", grant.ClientID, want, err)
		return false
	}
	return true
}
