package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

var noon = models.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

// shelf is a store of refused calls that can fail and hang.
type shelf struct {
	mu    sync.Mutex
	fails []error // one for each of the next saves
	hang  chan struct{}
	sizes []int
	calls []models.RefusedCall
}

func (s *shelf) SaveRefusedCalls(ctx context.Context, calls []models.RefusedCall) error {
	if s.hang != nil {
		select {
		case <-s.hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fails) > 0 {
		err := s.fails[0]
		s.fails = s.fails[1:]
		if err != nil {
			return err
		}
	}
	s.sizes = append(s.sizes, len(calls))
	s.calls = append(s.calls, calls...)
	return nil
}

// batches is how many rows each save had.
func (s *shelf) batches() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sizes)
}

// of lists what was stored of a team, those without one for "".
func (s *shelf) of(team string) []models.RefusedCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c models.RefusedCall) bool { return c.TeamID != team })
}

// inBubble runs f with a collector that writes every second. On one processor: see
// tokens/bubble_test.go.
func inBubble(t *testing.T, store *shelf, f func(t *testing.T, r *gateway.Refusals, log *bytes.Buffer)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		now := func() models.Time { return noon.Add(time.Since(began)) }
		f(t, gateway.NewRefusals(t.Context(), store, slog.New(slog.NewTextHandler(&log, nil)), now, time.Second), &log)
	})
}

func end(t *testing.T, r *gateway.Refusals) {
	t.Helper()
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func of(team, value string, reason models.Refusal) tokens.RefusedError {
	refused := tokens.RefusedError{Reason: reason, Hash: sha256.Sum256([]byte(value))}
	if team != "" {
		refused.TeamID, refused.TokenID, refused.ApplicationID = team, value, "app of "+team
	}
	return refused
}

func TestRefusalsAlikeAreOne(t *testing.T) {
	store := &shelf{}
	inBubble(t, store, func(t *testing.T, r *gateway.Refusals, _ *bytes.Buffer) {
		r.Note(of("north", "a", models.RefusedRevoked), "/v1", "192.0.2.7", "old")
		time.Sleep(100 * time.Millisecond)
		r.Note(of("north", "a", models.RefusedRevoked), "/v1", "192.0.2.7", "new")
		r.Note(of("north", "a", models.RefusedRevoked), "/v2", "192.0.2.7", "new")
		r.Note(of("north", "a", models.RefusedDeleted), "/v1", "192.0.2.7", "new")
		r.Note(of("north", "a", models.RefusedRevoked), "/v1", "192.0.2.8", "new")
		r.Note(of("", "b", models.RefusedUnknown), "/v1", "192.0.2.7", "guesser")
		r.Note(of("", "b", models.RefusedUnknown), "/v2", "192.0.2.8", "guesser")
		time.Sleep(time.Second)
		ofTeam := store.of("north")
		if len(ofTeam) != 4 {
			t.Errorf("%d rows of the team, want 4", len(ofTeam))
		}
		hash := sha256.Sum256([]byte("a"))
		for _, call := range ofTeam {
			first := call.Reason == models.RefusedRevoked && call.Route == "/v1" && call.Address == "192.0.2.7"
			if first && (call.Times != 2 || call.FirstAt != noon || call.LastAt != noon.Add(100*time.Millisecond)) || !first && call.Times != 1 {
				t.Errorf("%+v", call)
			}
			if call.Agent != "new" || call.TokenID != "a" || call.ApplicationID != "app of north" || !bytes.Equal(call.ValueHash, hash[:]) {
				t.Errorf("%+v", call)
			}
		}
		// D3: what has no team tells a token that is known from none in nothing.
		values := store.of("")
		if len(values) != 2 {
			t.Fatalf("%d values, want 2", len(values))
		}
		for _, call := range values {
			want := models.RefusedCall{ValueHash: call.ValueHash, Reason: models.RefusedUnknown, FirstAt: call.FirstAt, LastAt: call.LastAt, Times: 2}
			if bytes.Equal(call.ValueHash, hash[:]) {
				want.Times = 5
			}
			if fmt.Sprint(call) != fmt.Sprint(want) {
				t.Errorf("%+v, want %+v", call, want)
			}
		}
		end(t, r)
	})
}

func TestRefusalsAreWrittenInSmallBatches(t *testing.T) {
	store := &shelf{}
	inBubble(t, store, func(t *testing.T, r *gateway.Refusals, _ *bytes.Buffer) {
		for i := range 250 {
			r.Note(of("", fmt.Sprint(i), models.RefusedUnknown), "/v1", "192.0.2.7", "")
		}
		if len(store.batches()) != 0 {
			t.Error("written at once")
		}
		time.Sleep(time.Second + time.Millisecond)
		if !slices.Equal(store.batches(), []int{100, 100, 50}) {
			t.Errorf("batches of %v", store.batches())
		}
		time.Sleep(10 * time.Second)
		if len(store.batches()) != 3 {
			t.Error("written where nothing was refused")
		}
		r.Note(of("north", "a", models.RefusedExpired), "/v1", "192.0.2.7", "")
		end(t, r)
		if len(store.of("north")) != 1 {
			t.Error("Close loses what waits")
		}
	})
}

// What cannot be written waits, is counted on, and what was written is not written again.
func TestRefusalsOutliveAFailingStore(t *testing.T) {
	store := &shelf{fails: []error{nil, models.ErrUnavailable, models.ErrBusy}}
	inBubble(t, store, func(t *testing.T, r *gateway.Refusals, log *bytes.Buffer) {
		for range 2 {
			for i := range 150 {
				r.Note(of("north", fmt.Sprint(i), models.RefusedExpired), "/v1", "192.0.2.7", "")
			}
			time.Sleep(time.Second + time.Millisecond)
		}
		end(t, r)
		for _, team := range []string{"north", ""} {
			total := int64(0)
			for _, call := range store.of(team) {
				total += call.Times
			}
			if total != 300 {
				t.Errorf("team %q: %d calls are stored, want 300", team, total)
			}
		}
		if strings.Count(log.String(), "level=WARN") != 2 {
			t.Errorf("log: %s", log)
		}
	})
}

// R5: a database that hangs holds up neither a call nor the end of the program.
func TestRefusalsWithAStoreThatHangs(t *testing.T) {
	store := &shelf{}
	inBubble(t, store, func(t *testing.T, r *gateway.Refusals, _ *bytes.Buffer) {
		store.hang = make(chan struct{}) // of the bubble
		r.Note(of("north", "a", models.RefusedExpired), "/v1", "192.0.2.7", "")
		time.Sleep(2 * time.Second)
		r.Note(of("north", "b", models.RefusedExpired), "/v1", "192.0.2.7", "")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		close(store.hang)
	})
}

// R3: a flood of guesses takes a fixed room, and no team's calls give way to it. R1: nor do
// they to a flood with one token of another team.
func TestRefusalsInAFlood(t *testing.T) {
	store := &shelf{}
	inBubble(t, store, func(t *testing.T, r *gateway.Refusals, _ *bytes.Buffer) {
		before := heap()
		for i := range 100_000 {
			r.Note(of("", fmt.Sprint("guess", i), models.RefusedUnknown), "/v1", "192.0.2.7", strings.Repeat("x", 1000))
			r.Note(of("south", "a", models.RefusedRevoked), "/v1", fmt.Sprint("2001:db8::", i), strings.Repeat("x", 1000))
		}
		r.Note(of("north", "late", models.RefusedExpired), "/v1", "192.0.2.7", "")
		if grown := heap() - before; grown > 2<<20 {
			t.Errorf("%d bytes wait", grown)
		}
		time.Sleep(time.Second + time.Millisecond)
		if north, south, values := store.of("north"), store.of("south"), store.of(""); len(north) != 1 || len(south) != models.MaxRefused || len(values) != models.MaxRefusedUnknown {
			t.Errorf("%d, %d and %d rows", len(north), len(south), len(values))
		}
		end(t, r)
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A1: what a client says of itself holds nothing that changes how a line or a page reads.
func TestRefusalsAgent(t *testing.T) {
	for agent, want := range map[string]string{
		"": "", "curl/8.5.0": "curl/8.5.0", "a\x1b[31mb\r\nc\x00": `a\x1b[31mb\r\nc\x00`, "\xff\xfe": "\ufffd\ufffd", "a\u202eb\u200b": `a\u202eb\u200b`,
		"it's \"quoted\" \\": `it's "quoted" \`, "Größe 🦊": "Größe 🦊", strings.Repeat("🦊", 99): strings.Repeat("🦊", 50), strings.Repeat("\n", 300): strings.Repeat(`\n`, 100),
	} {
		store := &shelf{}
		inBubble(t, store, func(t *testing.T, r *gateway.Refusals, _ *bytes.Buffer) {
			refused := of("north", "a", models.RefusedScope)
			refused.Scope = agent
			r.Note(refused, "/v1", "192.0.2.7", agent)
			end(t, r)
			got := store.of("north")[0]
			if got.Agent != want || got.Scope != want || !utf8.ValidString(got.Agent) || len(got.Agent) > 200 {
				t.Errorf("%q is kept as %q, want %q", agent, got.Agent, want)
			}
		})
	}
}
