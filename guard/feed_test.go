package guard_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/latchkey/latchkey/guard"
	"github.com/latchkey/latchkey/models"
)

// T6: whatever happens to the stream, a token that is revoked meanwhile is refused within a
// second, and the guard follows again when it is over.
func TestFeedCut(t *testing.T) {
	for what, fault := range map[string]func(l *line){
		"closed":     func(l *line) { l.change(func() { l.down = true }); l.cut() },
		"silent":     func(l *line) { l.change(func() { l.silent = true }) },
		"held up":    func(l *line) { l.change(func() { l.late = 3 * time.Second }) },
		"once":       func(l *line) { l.cut() },
		"a bit late": func(l *line) { l.change(func() { l.late = 200 * time.Millisecond }) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := newLine(t, w.listener.URL)
			handler := api(w.guardAt(t, w.listener.URL, feedVia(l)))
			token, value := w.token(t)
			_, other := w.token(t)
			w.remembered(t, handler, value)
			w.remembered(t, handler, other)
			fault(l)
			if _, _, err := w.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
				t.Fatal(err)
			}
			t.Log(within(t, "refused", promised, func() bool { return status(handler, value) == http.StatusUnauthorized }))
			if got := status(handler, other); got != http.StatusOK {
				t.Errorf("the other token gets %d", got)
			}
			l.change(func() { l.down, l.silent, l.late = false, false, 0 })
			w.remembered(t, handler, other)
			if got := status(handler, value); got != http.StatusUnauthorized {
				t.Errorf("then it is %d again", got)
			}
		})
	}
}

// What is held up all the time is old when it comes, however regularly it does.
func TestFeedThatIsAlwaysLate(t *testing.T) {
	w := newWorld(t)
	l := newLine(t, w.listener.URL)
	l.late = 900 * time.Millisecond
	handler := api(w.guardAt(t, w.listener.URL, feedVia(l)))
	for range 20 {
		_, value := w.token(t)
		if got := status(handler, value); got != http.StatusOK {
			t.Fatalf("a good token gets %d", got)
		}
		before := w.asked()
		if status(handler, value); w.asked() == before {
			t.Fatal("an answer is remembered while the stream is 0.9 seconds late")
		}
		time.Sleep(100 * time.Millisecond) // heartbeats come meanwhile
	}
}

// A guard that comes back is told what it missed, on another node as well, and keeps the rest.
func TestResumes(t *testing.T) {
	w := newWorld(t)
	other := w.other(t)
	l := newLine(t, w.listener.URL)
	handler := api(w.guardAt(t, w.listener.URL, feedVia(l)))
	for round, target := range []*node{w.node, other, w.node} {
		second := w.Application(t, w.ana, fmt.Sprint("Reporter ", round))
		gone, value := w.token(t)
		_, goneToo := w.tokenOf(t, second, "api")
		_, kept := w.token(t)
		for _, v := range []string{value, goneToo, kept} {
			w.remembered(t, handler, v)
		}
		l.change(func() { l.down, l.target = true, target.listener.Listener.Addr().String() })
		l.cut()
		if _, _, err := w.store.RevokeToken(t.Context(), w.ana, w.app.ID, gone.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := other.store.RevokeTokens(t.Context(), w.ana, second.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // longer than anything is trusted
		l.change(func() { l.down = false })
		// A token that is not remembered shows when the guard follows again.
		_, probe := w.token(t)
		w.remembered(t, handler, probe)
		before := w.asked()
		if got := status(handler, kept); got != http.StatusOK || w.asked() != before {
			t.Errorf("round %d: what was kept: %d, asked about %d times", round, got, w.asked()-before)
		}
		for _, v := range []string{value, goneToo} {
			if got := status(handler, v); got != http.StatusUnauthorized {
				t.Errorf("round %d: what was revoked meanwhile: %d", round, got)
			}
		}
	}
}

// Promise 2: a node that is away says nothing, so nothing is good; when it is back, everything goes on.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	g := w.guardAt(t, w.listener.URL)
	handler := api(g)
	token, value := w.token(t)
	_, other := w.token(t)
	w.remembered(t, handler, value)
	w.stop()
	within(t, "unavailable", promised, func() bool { return status(handler, value) == http.StatusServiceUnavailable })
	if _, err := g.Check(t.Context(), value); !errors.Is(err, guard.ErrUnavailable) || errors.Is(err, guard.ErrRefused) {
		t.Errorf("Check: %v", err)
	}
	if _, _, err := w.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	again := w.startOn(t, w.store, w.listener.Listener.Addr().String())
	again.rememberedSoon(t, handler, other)
	if got := status(handler, value); got != http.StatusUnauthorized {
		t.Errorf("what was revoked meanwhile: %d", got)
	}
}

// rememberedSoon is remembered after a fault.
func (n *node) rememberedSoon(t *testing.T, handler http.Handler, value string) {
	t.Helper()
	within(t, "good again", 12*time.Second, func() bool { return status(handler, value) == http.StatusOK })
	n.remembered(t, handler, value)
}

// Promise 2: without its database a node has no heartbeat, and the guard says 503, never 200.
func TestDatabaseAway(t *testing.T) {
	w := newWorld(t)
	handler := api(w.guardAt(t, w.listener.URL))
	_, value := w.token(t)
	w.remembered(t, handler, value)
	if err := os.Rename(w.Path, w.Path+".away"); err != nil {
		t.Fatal(err)
	}
	took := within(t, "unavailable", promised, func() bool { return status(handler, value) == http.StatusServiceUnavailable })
	t.Log(took)
	for range 50 {
		if got := call(handler, "Bearer "+value); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
			t.Fatalf("then it is %d", got.Code)
		}
	}
	if err := os.Rename(w.Path+".away", w.Path); err != nil {
		t.Fatal(err)
	}
	w.rememberedSoon(t, handler, value)
}

// When the resource server is removed, the API has nobody to ask within a second.
func TestCredentialsEnd(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		w, acting, handler := remembering(t, elsewhere)
		_, value := w.token(t)
		w.remembered(t, handler, value)
		if elsewhere {
			if err := acting.store.RotateResourceServer(t.Context(), models.CommandLine, w.server.ID, []byte("another")); err != nil {
				t.Fatal(err)
			}
		} else if err := acting.store.RemoveResourceServer(t.Context(), models.CommandLine, w.server.Name); err != nil {
			t.Fatal(err)
		}
		t.Log(within(t, "unavailable", 2*promised, func() bool { return status(handler, value) == http.StatusServiceUnavailable }))
		before := w.asked()
		for range 50 {
			if got := status(handler, value); got != http.StatusServiceUnavailable {
				t.Errorf("then it is %d", got)
			}
		}
		if asked := w.asked() - before; asked > 1 {
			t.Errorf("Latchkey refuses the guard and was asked %d times more", asked)
		}
	}
}
