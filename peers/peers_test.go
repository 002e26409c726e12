package peers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/peers"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// hub is what store.Store does between nodes, in memory.
type hub struct {
	mu    sync.Mutex
	feeds []*feed
	sent  []string
	away  error
}

type feed struct {
	hub  *hub
	deaf bool
	hear func(text string)
}

func (h *hub) feed() *feed {
	f := &feed{hub: h}
	h.feeds = append(h.feeds, f)
	return f
}

func (f *feed) Tell(_ context.Context, text string) error {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	if f.hub.away != nil {
		return f.hub.away
	}
	f.hub.sent = append(f.hub.sent, text)
	for _, other := range f.hub.feeds {
		if other != f && !other.deaf && other.hear != nil {
			other.hear(text)
		}
	}
	return nil
}

func (f *feed) Hear(hear func(text string)) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.hear = hear
}

func (h *hub) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// messages returns what was sent since the last time.
func (h *hub) messages() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	sent := h.sent
	h.sent = nil
	return sent
}

// node is one with two limiters, a meter and streams.
type node struct {
	*peers.Exchange
	feed           *feed
	people, noise  *middleware.Limiter
	calls, streams table
}

// table is a meter and streams that note what they hear.
type table struct {
	mu    sync.Mutex
	here  map[string][2]int64
	heard map[string][2]int64
}

func (t *table) set(team string, a, b int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.here == nil {
		t.here = map[string][2]int64{}
	}
	t.here[team] = [2]int64{a, b}
}

func (t *table) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.here = nil
}

func (t *table) visit(visit func(team string, a, b int64)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for team, n := range t.here {
		visit(team, n[0], n[1])
	}
}

func (t *table) note(team string, a, b int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heard == nil {
		t.heard = map[string][2]int64{}
	}
	t.heard[team] = [2]int64{a, b}
}

func (t *table) of(team string) [2]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.heard[team]
}

type meter struct{ *table }

func (m meter) Share() {}

func (m meter) Calls(visit func(team string, limit, calls int64)) {
	m.visit(visit)
	m.clear()
}

func (m meter) HearCalls(team string, limit, calls int64) {
	m.note(team, limit, m.of(team)[1]+calls)
}

type streams struct{ *table }

func (s streams) Open(visit func(team string, claimed, seen int64)) { s.visit(visit) }

func (s streams) HearOpen(_ uint64, team string, claimed, seen int64) { s.note(team, claimed, seen) }

var policy = middleware.Policy{Free: 3, Window: time.Hour, Size: 1 << 16}

func newKeys(t testing.TB) *secrets.Keys {
	t.Helper()
	keys, err := secrets.CreateKeys(t.TempDir() + "/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (h *hub) node(keys *secrets.Keys, log io.Writer) *node {
	n := &node{feed: h.feed(), people: middleware.NewLimiter(policy, time.Now), noise: middleware.NewLimiter(policy, time.Now)}
	n.Exchange = peers.New(n.feed, keys, slog.New(slog.NewTextHandler(log, nil)))
	n.Limiter("people", n.people)
	n.Limiter("noise", n.noise)
	n.Meter(meter{&n.calls})
	n.Streams(streams{&n.streams})
	return n
}

// among runs test with some nodes that have met, by a clock of its own.
func among(t *testing.T, many int, test func(t *testing.T, h *hub, nodes []*node)) {
	t.Helper()
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) {
		h := &hub{}
		var nodes []*node
		for range many {
			nodes = append(nodes, h.node(keys, t.Output()))
		}
		for _, n := range nodes {
			n.Start(t.Context())
		}
		pass(time.Second)
		h.messages()
		test(t, h, nodes)
		for _, n := range nodes {
			_ = n.Close(t.Context())
		}
	})
}

// pass lets time pass, and all that it brings happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// soon is how late what was counted is known elsewhere.
const soon = 250 * time.Millisecond

func TestNodesCountTogether(t *testing.T) {
	among(t, 3, func(t *testing.T, h *hub, nodes []*node) {
		for _, n := range nodes {
			n.people.Fail("ana@example.com")
		}
		nodes[0].calls.set("northwind", 60, 7)
		pass(soon)
		for i, n := range nodes {
			if n.people.Wait("ana@example.com") == 0 || n.noise.Wait("ana@example.com") != 0 {
				t.Errorf("node %d does not wait, or elsewhere too", i)
			}
			if got := n.calls.of("northwind"); i > 0 && got != [2]int64{60, 7} {
				t.Errorf("node %d heard of calls %v", i, got)
			}
		}
		nodes[2].people.Forget("ana@example.com")
		pass(soon)
		if nodes[0].people.Wait("ana@example.com") != 0 {
			t.Error("a success elsewhere does not clear the pause")
		}
		sent := h.messages()
		pass(time.Minute)
		if more := h.messages(); len(sent) != 4 || len(more) != 0 {
			t.Errorf("%d messages, and %d when nothing happens", len(sent), len(more))
		}
	})
}

// Attempts that were no failures leave nothing to tell, or are taken back.
func TestAttemptsAreTakenBack(t *testing.T) {
	among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
		for range 10 {
			attempt, _ := nodes[0].people.Take("ana")
			nodes[0].people.Return(attempt)
		}
		pass(soon)
		if sent := h.messages(); len(sent) != 0 {
			t.Errorf("%d messages", len(sent))
		}
		nodes[0].people.Fail("ana")
		nodes[0].people.Fail("ana")
		attempt, _ := nodes[0].people.Take("ana")
		pass(soon)
		if nodes[1].people.Wait("ana") == 0 {
			t.Error("an attempt that runs is not counted elsewhere")
		}
		nodes[0].people.Return(attempt)
		pass(soon)
		if nodes[1].people.Wait("ana") != 0 || nodes[1].people.Fail("ana") == 0 {
			t.Error("the attempt was not taken back, or more than that")
		}
	})
}

// Streams are repeated while they are open, and said to be over once.
func TestStreamsAreToldAgain(t *testing.T) {
	among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
		nodes[0].streams.set("northwind", 2, 3)
		pass(soon)
		if got := nodes[1].streams.of("northwind"); got != [2]int64{2, 3} {
			t.Errorf("heard of %v", got)
		}
		nodes[1].streams.note("northwind", 0, 0)
		pass(time.Second)
		if got := nodes[1].streams.of("northwind"); got != [2]int64{2, 3} {
			t.Error("not told again")
		}
		nodes[0].streams.set("northwind", 0, 0)
		pass(soon)
		if got := nodes[1].streams.of("northwind"); got != [2]int64{} {
			t.Errorf("heard of %v after the end", got)
		}
		h.messages()
		nodes[0].streams.clear()
		pass(soon)
		h.messages()
		pass(10 * time.Second)
		if sent := h.messages(); len(sent) != 0 {
			t.Errorf("%d messages of nothing", len(sent))
		}
	})
}

// R3: a flood is told in bounded messages, and what counts most comes first.
func TestFlood(t *testing.T) {
	among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
		for i := range 100_000 {
			nodes[0].noise.Fail(fmt.Sprint("noise ", i))
			if i%20_000 == 0 {
				nodes[0].noise.Fail("guesser")
				nodes[0].people.Fail("ana")
			}
		}
		for range 5 {
			pass(200 * time.Millisecond)
			sent := h.messages()
			if len(sent) > 6 {
				t.Errorf("%d messages at once", len(sent))
			}
			for _, text := range sent {
				if len(text) > store.LongestTold {
					t.Errorf("a message of %d bytes", len(text))
				}
			}
		}
		if nodes[1].people.Wait("ana") == 0 || nodes[1].noise.Wait("guesser") == 0 {
			t.Error("noise keeps back what counts")
		}
	})
}

func TestManyTeams(t *testing.T) {
	among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
		for i := range 15_000 {
			nodes[0].calls.set(fmt.Sprint("team ", i), 60, 1)
			nodes[0].streams.set(fmt.Sprint("team ", i), 1, 1)
		}
		nodes[0].calls.set("large", 60, 9)
		nodes[0].streams.set("large", 9, 9)
		nodes[0].people.Fail("ana")
		nodes[0].people.Fail("ana")
		nodes[1].people.Fail("ana")
		pass(soon)
		if sent := h.messages(); len(sent) > 7 {
			t.Errorf("%d messages at once", len(sent))
		}
		if nodes[1].calls.of("large")[1] != 9 || nodes[1].streams.of("large")[0] != 9 || nodes[1].people.Wait("ana") == 0 {
			t.Error("what counts most does not come first")
		}
	})
}

// A node that heard nothing for a while, or that nobody heard, counts alone and knows what
// the others know once it hears again.
func TestNodesAgreeAgain(t *testing.T) {
	cuts := map[string]func(h *hub, nodes []*node) (mend func()){
		"one does not hear": func(h *hub, nodes []*node) func() {
			h.set(func() { nodes[1].feed.deaf = true })
			return func() {
				h.set(func() { nodes[1].feed.deaf = false })
				nodes[1].feed.hear("")
			}
		},
		"the database is away": func(h *hub, _ []*node) func() {
			h.set(func() { h.away = errors.New("away") })
			return func() { h.set(func() { h.away = nil }) }
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
				mend := cut(h, nodes)
				for range 3 {
					nodes[0].people.Fail("ana")
				}
				nodes[0].people.Fail("bob")
				nodes[0].people.Fail("bob")
				pass(10 * time.Second)
				if nodes[0].people.Wait("ana") == 0 || nodes[1].people.Wait("ana") != 0 {
					t.Fatal("a node that is cut off does not count, or is not cut off")
				}
				mend()
				pass(time.Second)
				if nodes[1].people.Wait("ana") == 0 || nodes[1].people.Fail("bob") == 0 {
					t.Error("what happened meanwhile is not known")
				}
			})
		})
	}
}

// K2: what stands in the database's logs says nothing, and a node with other keys neither
// reads nor is read.
func TestMessagesAreSealed(t *testing.T) {
	among(t, 2, func(t *testing.T, h *hub, nodes []*node) {
		log := &strings.Builder{}
		stranger := h.node(newKeys(t), log)
		stranger.Start(t.Context())
		for range 3 {
			nodes[0].people.Fail("ana")
			stranger.people.Fail("bob")
		}
		pass(time.Second)
		if stranger.people.Wait("ana") != 0 || nodes[0].people.Wait("bob") != 0 {
			t.Error("strangers hear each other")
		}
		_ = stranger.Close(t.Context())
		if strings.Count(log.String(), "same key file") != 1 {
			t.Errorf("logged %q", log)
		}
		sent := h.messages()
		seen := map[string]bool{}
		for _, text := range sent {
			if seen[text[:40]] {
				t.Error("two messages begin alike")
			}
			seen[text[:40]] = true
		}
	})
}
