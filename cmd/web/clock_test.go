package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

func TestClockNeverGoesBack(t *testing.T) {
	start := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct{ says, want []time.Duration }{
		"goes on":                {[]time.Duration{0, 1, time.Hour}, []time.Duration{0, 1, time.Hour}},
		"stands still":           {[]time.Duration{5, 5, 5}, []time.Duration{5, 5, 5}},
		"a minute back":          {[]time.Duration{time.Hour, time.Hour - time.Minute, time.Hour - 1}, []time.Duration{time.Hour, time.Hour, time.Hour}},
		"catches up":             {[]time.Duration{time.Hour, 0, time.Hour - 1, time.Hour, time.Hour + 1}, []time.Duration{time.Hour, time.Hour, time.Hour, time.Hour, time.Hour + 1}},
		"a nanosecond back":      {[]time.Duration{2, 1, 3}, []time.Duration{2, 2, 3}},
		"again and again":        {[]time.Duration{9, 3, 10, 2, 11}, []time.Duration{9, 9, 10, 10, 11}},
		"years forward and back": {[]time.Duration{0, 100000 * time.Hour, 1}, []time.Duration{0, 100000 * time.Hour, 100000 * time.Hour}},
	} {
		var newest atomic.Int64
		for i, says := range test.says {
			if got := notBefore(&newest, start.Add(says)).Sub(start); got != test.want[i] {
				t.Errorf("%s: step %d gives %s, want %s", name, i, got, test.want[i])
			}
		}
	}
	before := time.Now()
	if now := clock(); now.Before(before) || now.After(time.Now()) || clockMillis() < models.At(now) {
		t.Errorf("clock says %s, it was %s", now, before)
	}
}

// Whoever asks never hears a time before one that was answered to anybody.
func TestClockNeverGoesBackInParallel(t *testing.T) {
	var newest, answered, system atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range int64(50_000) {
				floor, now := answered.Load(), system.Add(1)
				if n%3 == 0 {
					now -= 5
				}
				got := notBefore(&newest, time.Unix(0, now)).UnixNano()
				if got < floor {
					t.Errorf("%d after %d was answered", got, floor)
					return
				}
				for seen := answered.Load(); seen < got && !answered.CompareAndSwap(seen, got); seen = answered.Load() {
				}
			}
		})
	}
	all.Wait()
}

// timed issues and verifies tokens by a system clock that the test sets.
type timed struct {
	*testing.T
	newest, system atomic.Int64
	app            models.Application
	issuer         *tokens.Issuer
	verifiers      map[string]*tokens.Verifier
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	env := folder(t)
	made := openFolder(t, env)
	w := &timed{T: t, app: made.Application(t, made.Member(t, "northwind", "ana", models.RoleOwner), "Bot")}
	w.app.Lifespan = 60
	w.jump(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC).Sub(time.Unix(0, 0)))
	db, err := store.Open(env["LATCHKEY_DATABASE"], w.now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	room := newTokenRoom(ctx, Config{}, db, nil, slog.New(slog.DiscardHandler))
	w.issuer = tokens.NewIssuer(ctx, db, nil, "lk_at_", 3600, w.now)
	w.verifiers = map[string]*tokens.Verifier{
		"remembered": tokens.NewVerifier(db, room.cache, room.lastUsed, w.now), "read": tokens.NewVerifier(db, tokens.NewCache(), room.lastUsed, w.now),
	}
	t.Cleanup(func() { _ = errors.Join(w.issuer.Close(ctx), room.close(ctx), db.Close()) })
	return w
}

func (w *timed) jump(d time.Duration) { w.system.Add(int64(d)) }

func (w *timed) now() models.Time {
	return models.At(notBefore(&w.newest, time.Unix(0, w.system.Load())))
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
		_, err := verifier.Verify(w.Context(), token, "192.0.2.7")
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
// it remembered or read.
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
		{"a minute back, in its life", func() { w.jump(-time.Minute) }, true, true},
		{"its last moment", func() { w.jump(2*time.Minute - time.Millisecond) }, true, true},
		{"its end", func() { w.jump(time.Millisecond) }, false, false},
		{"a minute back", func() { w.jump(-time.Minute) }, false, false},
		{"a token of that time", func() { young = w.issue() }, false, true},
		{"an hour back", func() { w.jump(-time.Hour) }, false, true},
		{"caught up", func() { w.jump(time.Hour + time.Minute) }, false, true},
		{"a minute on", func() { w.jump(time.Minute) }, false, false},
		{"and back again", func() { w.jump(-time.Minute) }, false, false},
	} {
		step.do()
		if w.good(step.name, old) != step.old || w.good(step.name, young) != step.young {
			t.Errorf("%s: want the old one %v, the young one %v", step.name, step.old, step.young)
		}
	}
}
