package peers

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/secrets"
)

// noted is a meter and streams that check what they hear.
type noted struct{ t testing.TB }

func (noted) Share() {}

func (noted) Calls(func(string, int64, int64)) {}

func (noted) Open(func(string, int64, int64)) {}

func (n noted) HearCalls(_ string, limit, calls int64) { n.bounded(limit, calls) }

func (n noted) HearOpen(_ uint64, _ string, claimed, seen int64) { n.bounded(claimed, seen) }

func (n noted) bounded(numbers ...int64) {
	for _, number := range numbers {
		if number < 0 || number > math.MaxInt32 {
			n.t.Errorf("heard of %d", number)
		}
	}
}

// keys are made once.
var keys = sync.OnceValue(func() *secrets.Keys {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	made, err := secrets.CreateKeys(filepath.Join(dir, "keys.json"))
	if err != nil {
		panic(err)
	}
	return made
})

func listening(t testing.TB) (*Exchange, *middleware.Limiter) {
	t.Helper()
	e := New(nil, keys(), slog.New(slog.DiscardHandler))
	l := middleware.NewLimiter(middleware.Policy{Free: 3, Window: time.Hour, Size: 100}, time.Now)
	e.Limiter("people", l)
	e.Meter(noted{t})
	e.Streams(noted{t})
	return e, l
}

// written is a message with a part of each kind.
func written(node uint64) []byte {
	w := &writer{node: node}
	w.add(kindHello, "", []byte{0})
	w.add(kindCounts, "people", appendCounts(nil, keyCounts{[keySize]byte{1}, counts{failed: 3, back: 1, forgotten: true, unpaused: true}}))
	w.add(kindCounts, "people", appendCounts(nil, keyCounts{[keySize]byte{2}, counts{failed: 3}}))
	w.add(kindStates, "people", appendState(nil, state{"people", [keySize]byte{3}, 9, time.Hour, time.Minute}))
	w.add(kindCounts, "of a newer version", []byte("whatever"))
	w.add(kindCalls, "", teamEntry("northwind", 60, 7))
	w.add(kindStreams, "", teamEntry("northwind", 60, 7))
	w.add(kind(99), "", []byte("whatever"))
	return w.messages[0]
}

func TestMessage(t *testing.T) {
	e, l := listening(t)
	message := written(2)
	if err := e.apply(message); err != nil || !e.recap.Load() {
		t.Error(err, e.recap.Load())
	}
	found := map[byte]int{}
	l.States(func(key [keySize]byte, count int, _, wait time.Duration) {
		found[key[0]] = count
		if (wait > 0) != (key[0] > 1) {
			t.Errorf("key %d waits %v", key[0], wait)
		}
	})
	if len(found) != 3 || found[1] != 2 || found[2] != 3 || found[3] != 9 {
		t.Errorf("found %v", found)
	}
	// A part that is cut is refused, and its last entry not applied.
	e, _ = listening(t)
	for n := range len(message) {
		if err := e.apply(message[:n]); err != nil && n == len(message) {
			t.Error(err)
		}
	}
	for _, bad := range [][]byte{nil, {format}, written(0), written(e.node), append([]byte{format + 1}, message[1:]...)} {
		if e.apply(bad) == nil {
			t.Errorf("took %x", bad)
		}
	}
}

// R3: whatever a message says, nothing breaks and memory stays bounded.
func FuzzMessage(f *testing.F) {
	f.Add(written(2))
	f.Add(append(written(3), byte(kindStates), 0, 0xff, 0xff))
	f.Add(bytes.Repeat([]byte{format}, 100))
	f.Fuzz(func(t *testing.T, message []byte) {
		e, l := listening(t)
		_ = e.apply(message)
		n := 0
		l.States(func(_ [keySize]byte, count int, window, wait time.Duration) {
			n++
			if count < 0 || window > time.Hour || wait > time.Hour {
				t.Errorf("%d failures, %v, %v", count, window, wait)
			}
		})
		if n > 100 {
			t.Errorf("%d keys", n)
		}
		if e.read(string(message)) == nil {
			t.Error("read what is not sealed")
		}
	})
}
