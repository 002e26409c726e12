package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

// A step is what has passed by the monotonic clock and what the system's clock says,
// beside what is told.
func TestClockNeverGoesBack(t *testing.T) {
	start := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	const h = time.Hour
	for name, steps := range map[string][]struct{ passed, says, want time.Duration }{
		"goes on":               {{0, 0, 0}, {1, 1, 1}, {h, h, h}},
		"asked twice at once":   {{5, 5, 5}, {5, 5, 5}},
		"an hour on":            {{0, 0, 0}, {1, h, h}, {2, h + 1, h + 1}},
		"asleep for an hour":    {{0, 0, 0}, {1, 1 + h, 1 + h}, {2, 2 + h, 2 + h}},
		"a minute back":         {{0, h, h}, {1, h - time.Minute, h + 1}, {h, 2*h - time.Minute, 2 * h}},
		"a nanosecond back":     {{0, 2, 2}, {1, 2, 3}, {2, 4, 4}},
		"back, and right again": {{0, h, h}, {1, 0, h + 1}, {2, h + 2, h + 2}, {3, h + 4, h + 4}},
		"again and again":       {{0, 9, 9}, {1, 3, 10}, {2, 12, 12}, {3, 2, 13}},
		"years on and back":     {{0, 0, 0}, {1, 100000 * h, 100000 * h}, {h, h, 100001*h - 1}},
	} {
		var clock steadyClock
		for i, step := range steps {
			if got := clock.tell(start.Add(step.says).UnixNano(), int64(step.passed)); got != start.Add(step.want).UnixNano() {
				t.Errorf("%s: step %d tells %s, want %s", name, i, time.Unix(0, got).Sub(start), step.want)
			}
		}
	}
	before := time.Now()
	if now := clock(); now.Before(before) || now.After(time.Now()) || clockMillis() < models.At(now) {
		t.Errorf("clock says %s, it was %s", now, before)
	}
}

// Whoever asks never hears a time before one that was told to anybody.
func TestClockNeverGoesBackInParallel(t *testing.T) {
	var clock steadyClock
	var told, monotonic atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range int64(50_000) {
				floor, passed := told.Load(), monotonic.Add(1)
				got := clock.tell(1_000_000+passed+n%7-n%3*2, passed)
				if got < floor {
					t.Errorf("%d after %d was told", got, floor)
					return
				}
				for seen := told.Load(); seen < got && !told.CompareAndSwap(seen, got); seen = told.Load() {
				}
			}
		})
	}
	all.Wait()
}

// T7: nothing is deleted by a time that may be wrong.
func TestClockIsDoubted(t *testing.T) {
	start := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	const h, back, ahead = time.Hour, "set back", "set ahead"
	type step struct {
		passed, says time.Duration
		why          string
		by           time.Duration
	}
	for name, steps := range map[string][]step{
		"goes on":        {{0, 0, "", 0}, {h, h, "", 0}, {999 * h, 999 * h, "", 0}},
		"corrected":      {{0, 0, "", 0}, {h, h + leap - 1, "", 0}, {2 * h, 2*h + leap - 1 - slack, "", 0}},
		"set ahead":      {{0, 0, "", 0}, {h, 50 * h, ahead, 49 * h}, {25*h - 1, 74*h - 1, ahead, 49 * h}, {25 * h, 74 * h, "", 0}},
		"ahead and back": {{0, 0, "", 0}, {h, 50 * h, ahead, 49 * h}, {2 * h, 2 * h, back, 49 * h}, {100 * h, 100 * h, back, 49 * h}},
		"back and right": {{0, 9 * h, "", 0}, {h, h, back, 9 * h}, {2 * h, 11 * h, "", 0}},
		"ahead twice":    {{0, 0, "", 0}, {h, 2 * h, ahead, h}, {20 * h, 41 * h, ahead, 20 * h}, {40 * h, 61 * h, ahead, 20 * h}, {44 * h, 65 * h, "", 0}},
	} {
		var clock steadyClock
		for i, step := range steps {
			says := start.Add(step.says).UnixNano()
			clock.tell(says, int64(step.passed))
			why, by := clock.doubt(says, int64(step.passed))
			if !strings.Contains(why, step.why) || (why == "") != (step.why == "") || by != step.by {
				t.Errorf("%s: step %d: %q by %s, want %q by %s", name, i, why, by, step.why, step.by)
			}
		}
	}
}

// timed issues and verifies tokens by a system clock that the test sets.
type timed struct {
	*testing.T
	clock        steadyClock
	says, passed atomic.Int64
	app          models.Application
	issuer       *tokens.Issuer
	verifiers    map[string]*tokens.Verifier
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	env := folder(t)
	made := openFolder(t, env)
	w := &timed{T: t, app: made.Application(t, made.Member(t, "northwind", "ana", models.RoleOwner), "Bot")}
	w.app.Lifespan = 60
	w.set(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC).Sub(time.Unix(0, 0)))
	db, err := store.Open(env["LATCHKEY_DATABASE"], w.now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	room := newTokenRoom(ctx, Config{}, db, db, nil, slog.New(slog.DiscardHandler))
	w.issuer = tokens.NewIssuer(ctx, db, nil, "lk_at_", 3600, w.now)
	w.verifiers = map[string]*tokens.Verifier{
		"remembered": tokens.NewVerifier(db, room.cache, room.lastUsed, w.now), "read": tokens.NewVerifier(db, tokens.NewCache(), room.lastUsed, w.now),
	}
	t.Cleanup(func() { _ = errors.Join(w.issuer.Close(ctx), room.close(ctx), db.Close()) })
	return w
}

// set moves the system's clock alone, pass lets time go by.
func (w *timed) set(d time.Duration)  { w.says.Add(int64(d)) }
func (w *timed) pass(d time.Duration) { w.set(d); w.passed.Add(int64(d)) }

func (w *timed) now() models.Time {
	return models.At(time.Unix(0, w.clock.tell(w.says.Load(), w.passed.Load())))
}

func (w *timed) issue() models.Secret {
	w.Helper()
	_, value, err := w.issuer.Issue(w.Context(), &w.app, "api")
	if err != nil {
		w.Fatal(err)
	}
	return value
}

// good fails where verifiers disagree, or refuse for another reason than time.
func (w *timed) good(when string, token models.Secret) bool {
	w.Helper()
	found := map[bool]bool{}
	for name, verifier := range w.verifiers {
		_, err := verifier.Inspect(w.Context(), token, "")
		var refused tokens.RefusedError
		if err != nil && (!errors.As(err, &refused) || refused.Reason != models.RefusedExpired) {
			w.Errorf("%s, %s: %v", when, name, err)
		}
		found[err == nil] = true
	}
	if len(found) != 1 {
		w.Errorf("%s: what is remembered and what is read differ", when)
	}
	return found[true]
}

// T5, T6: a system clock that jumps back makes no expired token good again, be
// it remembered or read, and lets none live longer.
func TestClockThatJumpsBackRevivesNothing(t *testing.T) {
	w := newTimed(t)
	old := w.issue()
	young := old
	for _, step := range []struct {
		name       string
		do         func()
		old, young bool
	}{
		{"at once", func() {}, true, true},
		{"a minute back, in its life", func() { w.set(-time.Minute) }, true, true},
		{"its last moment", func() { w.pass(time.Minute - time.Millisecond) }, true, true},
		{"its end", func() { w.pass(time.Millisecond) }, false, false},
		{"a minute back", func() { w.set(-time.Minute) }, false, false},
		{"a token of that time", func() { young = w.issue() }, false, true},
		{"an hour back", func() { w.set(-time.Hour) }, false, true},
		{"its last moment", func() { w.pass(time.Minute - time.Millisecond) }, false, true},
		{"set right", func() { w.set(time.Hour + 2*time.Minute) }, false, true},
		{"its end", func() { w.pass(time.Millisecond) }, false, false},
		{"and back again", func() { w.set(-time.Minute) }, false, false},
	} {
		step.do()
		if w.good(step.name, old) != step.old || w.good(step.name, young) != step.young {
			t.Errorf("%s: want the old one %v, the young one %v", step.name, step.old, step.young)
		}
	}
}
