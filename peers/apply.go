package peers

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

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
