package tokens_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

const ms = time.Millisecond

func TestFeedAsksFourTimesASecond(t *testing.T) {
	inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
		f.sleepTo(time.Second)
		if want := []time.Duration{0, 250 * ms, 500 * ms, 750 * ms, time.Second}; !slices.Equal(f.other.asked, want) {
			t.Errorf("asked at %v, want %v", f.other.asked, want)
		}
	})
}

// T6: when the cache is used, to the millisecond, by how the database answers. The
// trust of an answer counts from the question.
func TestFeedTrusts(t *testing.T) {
	for what, test := range map[string]struct {
		other *elsewhere
		until time.Duration
		want  []time.Duration // where it changes between trusted and not, from not
	}{
		"at once":                      {&elsewhere{}, time.Minute, []time.Duration{0}},
		"after 100 ms":                 {&elsewhere{before: 100 * ms}, time.Minute, []time.Duration{100 * ms}},
		"after 249 ms":                 {&elsewhere{before: 249 * ms}, time.Minute, []time.Duration{249 * ms}},
		"after 400 ms":                 {&elsewhere{before: 400 * ms}, 1350 * ms, []time.Duration{400 * ms, 500 * ms, 800 * ms, 900 * ms, 1200 * ms, 1300 * ms}},
		"after 499 ms":                 {&elsewhere{after: 499 * ms}, 1100 * ms, []time.Duration{499 * ms, 500 * ms, 998 * ms, 999 * ms}},
		"after 500 ms":                 {&elsewhere{after: 500 * ms}, 5 * time.Second, nil},
		"after 700 ms":                 {&elsewhere{before: 300 * ms, after: 400 * ms}, 5 * time.Second, nil},
		"never":                        {&elsewhere{before: time.Hour}, 5 * time.Second, nil},
		"never, and it cannot be told": {&elsewhere{before: 5 * time.Second, deaf: true}, 6 * time.Second, nil},
		"with an error":                {&elsewhere{err: models.ErrUnavailable}, 5 * time.Second, nil},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, test.other, func(t *testing.T, f *fed) {
				var got []time.Duration
				for at := time.Duration(0); at < test.until; at += ms {
					f.sleepTo(at)
					if f.cache.IsTrusted() == (len(got)%2 == 0) {
						got = append(got, at)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("changes at %v, want %v", got, test.want)
				}
			})
		})
	}
}

// Promise 2: a change of another process drops everything, and nothing else does.
func TestFeedDropsWhatAnotherProcessChanged(t *testing.T) {
	inBubble(t, &elsewhere{version: 7}, func(t *testing.T, f *fed) {
		f.fill(t)
		f.sleepTo(10 * time.Second)
		f.wants(t, "no change", "", 0)
		f.store.bearer.RevokedAt = noon
		f.other.set(func(e *elsewhere) { e.version = 6 }) // another number, not a larger one
		f.wants(t, "before the feed asks", "", 0)
		time.Sleep(250*ms + 1)
		f.wantsEmpty(t)
		f.wants(t, "after it asked", models.RefusedRevoked, 1)
		if !f.cache.IsTrusted() {
			t.Error("not trusted after a change")
		}
	})
}

// T6 A6: an error ends the trust at once, and what was remembered with it; while
// the store is away nothing is good.
func TestFeedThatFails(t *testing.T) {
	inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
		f.fill(t)
		f.other.set(func(e *elsewhere) { e.err = models.ErrUnavailable })
		f.store.findErr = models.ErrUnavailable
		f.wants(t, "before the feed asks", "", 0)
		f.sleepTo(250 * ms)
		f.wantsEmpty(t)
		for range 10 {
			if grant, err := f.Inspect(t.Context(), theValue, ""); err == nil || grant != (tokens.Grant{}) {
				t.Fatalf("got %+v, %v", grant, err)
			}
			time.Sleep(100 * ms)
		}
		f.other.set(func(e *elsewhere) { e.err = nil })
		f.store.findErr = nil
		f.sleepTo(1501 * ms)
		f.wants(t, "back", "", 1)
		f.wants(t, "and remembered", "", 0)
	})
}

// T6: a call that hangs keeps no trust alive, whether it can be ended or not; what
// was remembered is not read, and no answer is made up where the store hangs too.
func TestFeedThatHangs(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
			f.fill(t)
			f.other.set(func(e *elsewhere) { e.before, e.deaf = 4*time.Second, deaf })
			f.store.find = func(ctx context.Context, _ []byte) (models.Bearer, error) {
				<-ctx.Done()
				return models.Bearer{}, models.ErrUnavailable
			}
			f.store.clientErr = models.ErrUnavailable
			clients := tokens.NewClients(f.store, f.cache)
			f.sleepTo(499 * ms)
			f.wants(t, "the last answer still holds", "", 0)
			for at := 500 * ms; at < 4*time.Second; at += 250 * ms {
				f.sleepTo(at)
				ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
				if grant, err := f.Inspect(ctx, theValue, ""); err == nil || grant != (tokens.Grant{}) {
					t.Errorf("deaf %v, after %s: %+v, %v", deaf, at, grant, err)
				}
				if client, err := clients.Prove(ctx, "client", yes); err == nil {
					t.Errorf("deaf %v, after %s: proved as %+v", deaf, at, client)
				}
				cancel()
			}
		})
	}
}

// Each change of state is told once.
func TestFeedLogsChangesOfState(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		var out bytes.Buffer
		other := &elsewhere{began: time.Now()}
		feed := tokens.NewFeed(t.Context(), &fakeStore{version: other.answer}, tokens.NewCache(), slog.New(slog.NewTextHandler(&out, nil)))
		for _, step := range []struct {
			err  error
			want []string
		}{
			{nil, []string{"INFO"}},
			{models.ErrUnavailable, []string{"INFO", "WARN"}},
			{nil, []string{"INFO", "WARN", "INFO"}},
			{models.ErrBusy, []string{"INFO", "WARN", "INFO", "WARN"}},
			{nil, []string{"INFO", "WARN", "INFO", "WARN", "INFO"}},
		} {
			other.set(func(e *elsewhere) { e.err = step.err })
			time.Sleep(5 * time.Second)
			synctest.Wait()
			var got []string
			for line := range strings.Lines(out.String()) {
				got = append(got, strings.TrimPrefix(strings.Fields(line)[1], "level="))
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("logged %v, want %v", got, step.want)
			}
		}
		other.set(func(e *elsewhere) { e.before = time.Hour })
		time.Sleep(300 * ms)
		feed.Close() // in the middle of a question
		if strings.Count(out.String(), "\n") != 5 {
			t.Errorf("Close is logged as a change of state: %s", out.String())
		}
	})
}
