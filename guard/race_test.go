package guard_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/guard"
)

// T6: an answer from before a revocation does not enter the memory after it. The first call
// may still be served by it, within the second; a slow answer serves nobody.
func TestAnswerFromBeforeTheRevocation(t *testing.T) {
	for what, held := range map[string]time.Duration{"quick": 300 * time.Millisecond, "slow": 900 * time.Millisecond} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var once sync.Once
			var deed func()
			transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is one
			trip := tripper(func(r *http.Request) (*http.Response, error) {
				response, err := transport.RoundTrip(r)
				if err == nil && strings.HasSuffix(r.URL.Path, "/introspect") && deed != nil {
					response.Body = after{response.Body, func() { once.Do(func() { deed(); time.Sleep(held) }) }}
				}
				return response, err
			})
			handler := api(w.guardAt(t, w.listener.URL, func(c *guard.Config) { c.HTTPClient = &http.Client{Transport: trip} }))
			_, first := w.token(t)
			w.remembered(t, handler, first)
			token, value := w.token(t)
			deed = func() {
				if _, _, err := w.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
					t.Error(err)
				}
			}
			want := map[string]int{"quick": http.StatusOK, "slow": http.StatusUnauthorized}[what]
			if got := status(handler, value); got != want {
				t.Errorf("the call that was under way: %d, want %d", got, want)
			}
			if got := status(handler, value); got != http.StatusUnauthorized {
				t.Errorf("the next call: %d", got)
			}
		})
	}
}

// Promise 2 under load: tokens are revoked one after the other while many call with them.
func TestManyCallersWhileTokensEnd(t *testing.T) {
	w := newWorld(t)
	other := w.other(t)
	handler := api(w.guardAt(t, w.listener.URL))
	type bearer struct {
		value string
		// until is when it has to be refused.
		until time.Time
	}
	var mu sync.Mutex
	live := map[string]*bearer{}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				var b *bearer
				for _, b = range live {
					break
				}
				mu.Unlock()
				if b == nil {
					continue
				}
				began := time.Now()
				code := status(handler, b.value)
				mu.Lock()
				if late := !b.until.IsZero() && began.After(b.until); late && code != http.StatusUnauthorized || b.until.IsZero() && code != http.StatusOK {
					t.Errorf("%d, over a second after its end: %v", code, late)
				}
				mu.Unlock()
			}
		})
	}
	for i := range 60 {
		token, value := w.token(t)
		b := &bearer{value: value}
		mu.Lock()
		live[value] = b
		mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		mu.Lock()
		b.until = time.Now().Add(time.Hour) // it ends at some moment from here on
		mu.Unlock()
		acting := []*node{w.node, other}[i%2]
		if _, _, err := acting.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		b.until = time.Now().Add(promised)
		mu.Unlock()
	}
	time.Sleep(promised + 200*time.Millisecond)
	close(stop)
	callers.Wait()
}
