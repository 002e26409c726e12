package peers

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// searched is how many keys one more is compared with where there is no room.
const searched = 16

// limiter is one that is shared, and what it has counted and not told.
type limiter struct {
	Limiter
	name string

	// mu guards keys, of which there are mostKeys at most. It is taken with the lock of the
	// limiter held, and none is taken with it.
	mu   sync.Mutex
	keys map[[keySize]byte]counts
	// lost tells that there was no room for something.
	lost bool

	// toldAt is when it was told last how keys stand. It is for the goroutine that tells.
	toldAt time.Duration
}

// counts are of one key: failures, after what was forgotten before, and of them those that
// were taken back. unpaused tells that the last of these ended the pause that it began.
type counts struct {
	failed, back        uint32
	forgotten, unpaused bool
}

// weight says which counts come first.
func (c counts) weight() int {
	weight := int(c.failed) + int(c.back)
	if c.forgotten || c.unpaused {
		weight += 1 << 40 // it lets somebody in again
	}
	return weight
}

// note is told by the limiter.
func (l *limiter) note(key [keySize]byte, n int, ends bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, known := l.keys[key]
	switch {
	case n > 0:
		// A pause that begins after one that was taken back may stand.
		c.failed, c.unpaused = c.failed+uint32(n), false //nolint:gosec // one at a time
	case n == 0:
		c = counts{forgotten: true}
	case !ends && c.failed > 0:
		c.failed--
	default:
		c.back, c.unpaused = c.back+1, ends
	}
	if c == (counts{}) {
		delete(l.keys, key)
		return
	}
	if !known && len(l.keys) >= mostKeys {
		l.lost = true
		if !l.makeRoom(c) {
			return
		}
	}
	if l.keys == nil {
		l.keys = map[[keySize]byte]counts{}
	}
	l.keys[key] = c
}

// makeRoom drops the least of some keys, unless c is less. It needs l.mu.
func (l *limiter) makeRoom(c counts) bool {
	var least [keySize]byte
	weight, looked := 0, 0
	for key, other := range l.keys {
		if looked == 0 || other.weight() < weight {
			least, weight = key, other.weight()
		}
		if looked++; looked == searched {
			break
		}
	}
	if c.weight() < weight {
		return false
	}
	delete(l.keys, least)
	return true
}

type keyCounts struct {
	key [keySize]byte
	counts
}

// take removes the largest counts, as many as add takes.
func (l *limiter) take(add func(keyCounts) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]keyCounts, 0, len(l.keys))
	for key, c := range l.keys {
		all = append(all, keyCounts{key, c})
	}
	slices.SortFunc(all, func(a, b keyCounts) int { return b.weight() - a.weight() })
	for _, c := range all {
		if !add(c) {
			return
		}
		delete(l.keys, c.key)
	}
	l.keys = nil // a map that was large stays so
}

func (l *limiter) waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys) > 0 || l.lost
}

func (l *limiter) takeLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := l.lost
	l.lost = false
	return lost
}

type state struct {
	name         string
	key          [keySize]byte
	count        int
	window, wait time.Duration
}

// stricter orders states, the longest pauses and the most failures first.
func stricter(a, b state) int { return cmp.Or(cmp.Compare(b.wait, a.wait), b.count-a.count) }

// states are how keys stand, the strictest. The limiter is locked meanwhile, so it keeps
// few and sorts seldom.
func (l *limiter) states(most int) []state {
	kept := make([]state, 0, 2*most)
	var bar *state
	cut := func() {
		slices.SortFunc(kept, stricter)
		if len(kept) >= most {
			kept = kept[:most]
			last := kept[most-1]
			bar = &last
		}
	}
	l.States(func(key [keySize]byte, count int, window, wait time.Duration) {
		s := state{l.name, key, count, window, wait}
		if bar != nil && stricter(*bar, s) <= 0 {
			return
		}
		if kept = append(kept, s); len(kept) == 2*most {
			cut()
		}
	})
	cut()
	return kept
}
