package gateway_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// G6 R5: 200 open streams of one token end within a second of its revocation, and leave
// nothing behind.
func TestRevokingClosesAllStreams(t *testing.T) {
	w := newStreamWorld(t)
	token, value := w.issue(t)
	w.compression = websocket.CompressionDisabled // the windows of client and upstream are megabytes
	other, otherValue := w.issue(t)
	kept := w.socket(t, otherValue)
	goroutines, heap := runtime.NumGoroutine(), liveHeap()
	const each = 100
	var ends sync.WaitGroup
	problems := make(chan string, 2*each)
	for range each {
		socket, body := w.socket(t, value), w.events(t, value)
		ends.Go(func() {
			if code, reason := closedWith(t.Context(), socket); code != 4401 || reason != "Unauthorized" {
				problems <- "a WebSocket ended with " + code.String() + " " + reason
			}
		})
		ends.Go(func() {
			if err := aborted(body); err != nil {
				problems <- err.Error()
			}
		})
	}
	if n := w.streams.OfToken(w.ana.TeamID, token.ID); n != 2*each {
		t.Errorf("%d streams of the token", n)
	}
	if app, team := w.streams.OfApplication(w.ana.TeamID, w.app.ID), w.streams.OfTeam(w.ana.TeamID); app != 2*each+1 || team != app {
		t.Errorf("%d streams of the application, %d of the team", app, team)
	}
	if n := w.streams.OfToken("another team", token.ID) + w.streams.OfTeam("another team"); n != 0 { // D3
		t.Errorf("%d streams of another team", n)
	}
	w.revoke(t, token)
	began := time.Now()
	ends.Wait()
	if took := time.Since(began); took > promised {
		t.Errorf("all were closed after %s", took)
	}
	close(problems)
	for problem := range problems {
		t.Error(problem)
	}
	echoes(t, kept)
	eventually(t, "all are gone", func() bool {
		return w.streams.OfTeam(w.ana.TeamID) == 1 && w.streams.OfToken(w.ana.TeamID, other.ID) == 1
	})
	w.server.Client().CloseIdleConnections()
	eventually(t, "goroutines are back", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	eventually(t, "memory is back", func() bool { return liveHeap() < heap+4<<20 })
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// G6 T4: whatever ends a token ends what is open with it, also where another process did it.
func TestWhatEndsATokenClosesItsStreams(t *testing.T) {
	for what, deed := range map[string]func(w *streamWorld, db *store.Store, token models.Token) error{
		"revoked": func(w *streamWorld, db *store.Store, token models.Token) error {
			_, _, err := db.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID)
			return err
		},
		"all revoked": func(w *streamWorld, db *store.Store, _ models.Token) error {
			_, err := db.RevokeTokens(t.Context(), w.ana, w.app.ID)
			return err
		},
		"application deleted": func(w *streamWorld, db *store.Store, _ models.Token) error {
			_, err := db.DeleteApplication(t.Context(), w.ana, w.app.ID)
			return err
		},
		"application switched off": func(w *streamWorld, db *store.Store, _ models.Token) error {
			return db.SwitchApplication(t.Context(), w.ana, w.app.ID, false)
		},
		"team suspended": func(w *streamWorld, db *store.Store, _ models.Token) error {
			return db.SuspendTeam(t.Context(), models.CommandLine, w.ana.TeamID, "unpaid")
		},
		"scope lost": func(w *streamWorld, db *store.Store, _ models.Token) error {
			return db.ChangeApplication(t.Context(), w.ana, w.app.ID, models.ApplicationValues{Name: w.app.Name, Lifespan: 3600, Scopes: "other"}, 0)
		},
		"expired": func(w *streamWorld, _ *store.Store, _ models.Token) error {
			w.Wait(time.Hour)
			return nil
		},
	} {
		for _, where := range []string{"here", "elsewhere"} {
			t.Run(what+" "+where, func(t *testing.T) {
				w := newStreamWorld(t)
				db := w.Store
				if where == "elsewhere" {
					db = w.elsewhere(t)
				}
				token, value := w.issue(t)
				socket, body := w.socket(t, value), w.events(t, value)
				if err := deed(w, db, token); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				code, reason := closedWith(t.Context(), socket)
				err := aborted(body)
				if took := time.Since(began); code != 4401 || err != nil || took > promised {
					t.Errorf("%d %s, %v, after %s", code, reason, err, took)
				}
				if got := w.get(t, "/said", value); got.status != http.StatusUnauthorized && what != "scope lost" {
					t.Errorf("a call afterwards: %d", got.status)
				}
			})
		}
	}
}

// G6: an empty balance closes streams, with a code of its own; a call that ends by itself was paid for.
func TestNoPointsCloseStreams(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	socket, body := w.socket(t, value), w.events(t, value)
	hangs := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { hangs <- w.ask(ctx, "/hang", value) }()
	eventually(t, "the call is open", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 3 })
	text := "The team has no points left. Whoever runs Latchkey can add points."
	w.points.become(usage.RefusedError{Limit: usage.LimitPoints, Text: text})
	began := time.Now()
	code, reason := closedWith(t.Context(), socket)
	err := aborted(body)
	if took := time.Since(began); code != 4402 || reason != text || err != nil || took > promised {
		t.Errorf("%d %s, %v, after %s", code, reason, err, took)
	}
	eventually(t, "one call is left", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 1 })
	select {
	case err := <-hangs:
		t.Errorf("the call that was paid for ended: %v", err)
	default:
	}
}

// ask sends a request and gives up with ctx.
func (w *streamWorld) ask(ctx context.Context, path, value string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+value)
	response, err := w.server.Client().Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return aborted(response.Body)
}

// G6: a call whose answer has not begun gets one that says why.
func TestRevokingAnswersACallThatWaits(t *testing.T) {
	w := newStreamWorld(t)
	token, value := w.issue(t)
	type answer struct {
		status int
		text   string
		at     time.Time
	}
	answers := make(chan answer, 1)
	go func() {
		// The body never ends, so that both directions hang.
		body, writer := io.Pipe()
		defer writer.Close()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/hang", body)
		r.Header.Set("Authorization", "Bearer "+value)
		response, err := w.server.Client().Do(r)
		if err != nil {
			t.Error(err)
			answers <- answer{}
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		answers <- answer{response.StatusCode, string(text), time.Now()}
	}()
	eventually(t, "the call is open", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 1 })
	w.revoke(t, token)
	began := time.Now()
	if got := <-answers; got.status != http.StatusUnauthorized || got.text != "Unauthorized" || got.at.Sub(began) > promised {
		t.Errorf("%d %q after %s", got.status, got.text, got.at.Sub(began))
	}
}

// G6 R2: a client that has stopped reading ends no later than any other.
func TestRevokingClosesWhoDoesNotRead(t *testing.T) {
	w := newStreamWorld(t)
	token, value := w.issue(t)
	flowing := w.get(t, "/flow", value)
	stuck, _ := w.byHand(t, value, "")
	frame := append([]byte{0x82, 0xfe, 0x40, 0, 0, 0, 0, 0}, make([]byte, 0x4000)...)
	if err := stuck.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); err == nil; { // until nothing goes any more in either direction
		_, err = stuck.Write(frame)
	}
	eventually(t, "both are streams", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 2 })
	w.revoke(t, token)
	began := time.Now()
	eventually(t, "both are gone", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 0 })
	if took := time.Since(began); took > promised {
		t.Errorf("closed after %s", took)
	}
	if err := aborted(flowing.body); err != nil {
		t.Error(err)
	}
}

// T6 G6: where the database cannot say, nothing stays open.
func TestStoreAwayClosesStreams(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	socket, body := w.socket(t, value), w.events(t, value)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	code, reason := closedWith(t.Context(), socket)
	if err := aborted(body); err != nil || code != 1013 || !strings.Contains(reason, "cannot be checked") {
		t.Errorf("%d %s, %v", code, reason, err)
	}
}

// A node that stops tells WebSockets so and waits for them.
func TestStoppingEndsStreams(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	socket, body := w.socket(t, value), w.events(t, value)
	w.streams.Stop()
	code, reason := closedWith(t.Context(), socket)
	if err := aborted(body); err != nil || code != 1001 || !strings.Contains(reason, "going away") {
		t.Errorf("%d %s, %v", code, reason, err)
	}
	if _, got := w.dial(t, "/ws", value); got.status != http.StatusServiceUnavailable {
		t.Errorf("a new one: %d", got.status)
	}
	if got := w.get(t, "/said", value); got.status != http.StatusOK {
		t.Errorf("a call meanwhile: %d", got.status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.streams.Close(ctx); err != nil {
		t.Error(err)
	}
}

// R2: a stream over which nothing goes ends, one with traffic either way does not.
func TestIdleStreamsEnd(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	busy, idle, body := w.socket(t, value), w.socket(t, value), w.events(t, value)
	w.streams.Idle(2 * time.Second)
	ended := make(chan websocket.StatusCode, 1)
	go func() {
		code, _ := closedWith(t.Context(), idle)
		ended <- code
	}()
	for done := false; !done; {
		echoes(t, busy)
		select {
		case code := <-ended:
			if done = true; code != websocket.StatusGoingAway {
				t.Errorf("closed with %d", code)
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := aborted(body); err != nil {
		t.Error(err)
	}
	echoes(t, busy)
}

// slowStore does not answer about one token until the question is given up.
type slowStore struct {
	*store.Store
	slow atomic.Pointer[models.Token]
}

func (s *slowStore) TokenByHash(ctx context.Context, hash []byte) (models.Bearer, error) {
	if slow := s.slow.Load(); slow != nil && bytes.Equal(slow.Hash, hash) {
		<-ctx.Done()
		return models.Bearer{}, ctx.Err()
	}
	return s.Store.TokenByHash(ctx, hash)
}

// T6 G6: without a cache each token is read from the database; a look-up that hangs holds up
// its own token alone, and ends it.
func TestASlowLookUpHoldsUpNoOther(t *testing.T) {
	w := newStreamWorld(t)
	slow := &slowStore{Store: w.Store}
	lastUsed := tokens.NewLastUsed(t.Context(), w.Store, slog.New(slog.DiscardHandler), time.Hour)
	w.verifier = tokens.NewVerifier(slow, tokens.NewCache(), lastUsed, w.Now) // no feed: not trusted
	w.streams = gateway.NewStreams(t.Context(), w.verifier, w.points)
	w.serve(t, nil)
	hangs, hangsValue := w.issue(t)
	gone, goneValue := w.issue(t)
	_, keptValue := w.issue(t)
	first, second, kept := w.socket(t, hangsValue), w.socket(t, goneValue), w.socket(t, keptValue)
	slow.slow.Store(&hangs)
	w.revoke(t, gone) // no notice either: this set does not hear of it
	began := time.Now()
	if code, _ := closedWith(t.Context(), second); code != 4401 || time.Since(began) > promised {
		t.Errorf("closed with %d after %s", code, time.Since(began))
	}
	if code, _ := closedWith(t.Context(), first); code != websocket.StatusTryAgainLater {
		t.Errorf("the one that hangs: closed with %d", code)
	}
	echoes(t, kept)
}
