package peers

import (
	"encoding/binary"
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
