package peers

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// A message is a version, the node, and parts: a kind, the name of a limiter, and entries,
// each with its length before it. A node passes over parts that it does not know.
const (
	format   = 1
	headSize = 1 + 8
)

type kind byte

const (
	kindCounts  kind = iota + 1 // of a limiter: key, flags, failures, failures taken back
	kindStates                  // of a limiter: key, failures, what is left of window and pause
	kindCalls                   // team, limit, calls
	kindStreams                 // team, streams that count for the limit, streams that are seen
	kindHello                   // asks for states
)

const (
	flagForgotten = 1 << iota
	flagUnpaused
)

// writer fills messages.
type writer struct {
	node     uint64
	messages [][]byte
	// kind, name and at are the part that is open, at its length.
	kind kind
	name string
	at   int
}

// add appends an entry, to the part that is open where it fits. It returns how many bytes
// that took, zero where no message is left.
func (w *writer) add(of kind, name string, entry []byte) int {
	last := len(w.messages) - 1
	part := 1 + 1 + len(name) + 2
	if last >= 0 && len(w.messages[last])+part+len(entry) <= longestMessage {
		if w.kind == of && w.name == name {
			part = 0
		}
	} else {
		if last+1 == mostMessages {
			return 0
		}
		w.messages = append(w.messages, binary.BigEndian.AppendUint64([]byte{format}, w.node))
		last++
	}
	m := w.messages[last]
	if part > 0 {
		m = append(append(m, byte(of), byte(len(name))), name...) //nolint:gosec // names are short
		w.kind, w.name, w.at = of, name, len(m)
		m = append(m, 0, 0)
	}
	m = append(m, entry...)
	binary.BigEndian.PutUint16(m[w.at:], uint16(len(m)-w.at-2)) //nolint:gosec // longestMessage is less
	w.messages[last] = m
	return part + len(entry)
}

func appendCounts(b []byte, c keyCounts) []byte {
	flags := byte(0)
	if c.forgotten {
		flags |= flagForgotten
	}
	if c.unpaused {
		flags |= flagUnpaused
	}
	b = append(append(b, c.key[:]...), flags)
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(c.failed)), uint64(c.back))
}

func appendState(b []byte, s state) []byte {
	b = append(b, s.key[:]...)
	for _, n := range []int64{int64(s.count), s.window.Milliseconds(), s.wait.Milliseconds()} {
		b = binary.AppendUvarint(b, uint64(max(n, 0)))
	}
	return b
}

func teamEntry(team string, numbers ...int64) []byte {
	b := append([]byte{byte(len(team))}, team...) //nolint:gosec // longestTeam is less
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(max(n, 0)))
	}
	return b
}

var errMessage = errors.New("the message is none of this version")

// reader takes a message apart. After an error, which stays, all it reads is zero.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.rest, r.err = nil, errMessage
		return make([]byte, min(n, keySize))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) number() int64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.err = nil, errMessage
		return 0
	}
	r.rest = r.rest[size:]
	return int64(min(n, math.MaxInt32))
}

func (r *reader) key() [keySize]byte { return [keySize]byte(r.bytes(keySize)) }

func (r *reader) duration() time.Duration { return time.Duration(r.number()) * time.Millisecond }

func (r *reader) text() string { return string(r.bytes(int(r.bytes(1)[0]))) }

// apply does what a message of another node says.
func (e *Exchange) apply(message []byte) error {
	r := &reader{rest: message}
	if r.bytes(1)[0] != format {
		return errMessage
	}
	node := binary.BigEndian.Uint64(r.bytes(8))
	if node == e.node || node == 0 || r.err != nil {
		return errMessage
	}
	for len(r.rest) > 0 {
		of, name := kind(r.bytes(1)[0]), r.text()
		part := &reader{rest: r.bytes(int(binary.BigEndian.Uint16(r.bytes(2))))}
		if r.err != nil {
			return r.err
		}
		if err := e.applyPart(node, of, name, part); err != nil {
			return err
		}
	}
	return nil
}

func (e *Exchange) applyPart(node uint64, of kind, name string, r *reader) error {
	take := e.entry(node, of, name)
	if take == nil {
		return nil
	}
	for len(r.rest) > 0 {
		apply := take(r)
		if r.err != nil {
			return r.err
		}
		apply()
	}
	return nil
}

// entry returns what reads one entry of a part and says what it does, or nil where this
// node knows no such part.
func (e *Exchange) entry(node uint64, of kind, name string) func(r *reader) (apply func()) {
	l := e.named[name]
	switch {
	case of == kindCounts && l != nil:
		return func(r *reader) func() {
			key, flags, failed, back := r.key(), r.bytes(1)[0], r.number(), r.number()
			return func() { l.hear(node, key, flags, int(failed), int(back)) }
		}
	case of == kindStates && l != nil:
		return func(r *reader) func() {
			key, count, window, wait := r.key(), r.number(), r.duration(), r.duration()
			return func() { l.Meet(node, key, int(count), window, wait) }
		}
	case of == kindCalls && e.meter != nil:
		return func(r *reader) func() {
			team, limit, calls := r.text(), r.number(), r.number()
			return func() { e.meter.HearCalls(team, limit, calls) }
		}
	case of == kindStreams && e.streams != nil:
		return func(r *reader) func() {
			team, claimed, seen := r.text(), r.number(), r.number()
			return func() { e.streams.HearOpen(node, team, claimed, seen) }
		}
	case of == kindHello:
		return func(r *reader) func() {
			r.bytes(1)
			return func() { e.recap.Store(true) }
		}
	}
	return nil
}

func (l *limiter) hear(node uint64, key [keySize]byte, flags byte, failed, back int) {
	if flags&flagForgotten != 0 {
		l.Hear(node, key, 0, true)
	}
	if failed > 0 {
		l.Hear(node, key, failed, false)
	}
	if back > 0 {
		l.Hear(node, key, -back, flags&flagUnpaused != 0)
	}
}
