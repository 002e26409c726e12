package middleware

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// Policy says how failures are slowed down.
type Policy struct {
	// Free is how many failures within Window cost nothing.
	Free   int
	Window time.Duration
	// Pause is how long to wait after the n-th failure beyond Free. Without it
	// the wait lasts until the window ends.
	Pause func(n int) time.Duration
	// Size bounds how many keys are remembered.
	Size int
}

// Limiter counts failures by key in bounded memory. Where it is full it forgets
// keys that are not waiting; a wait that runs is never forgotten. It is safe for
// concurrent use.
type Limiter struct {
	policy Policy
	now    func() time.Time

	// tell, where set, is called for all that is counted here: see Share.
	tell func(key [KeySize]byte, n int, ends bool)

	// mu guards keys.
	mu   sync.Mutex
	keys map[[KeySize]byte]*failures
}

type failures struct {
	count        int
	windowEnds   time.Time
	blockedUntil time.Time
	// lentBy is the node that began the pause, zero where that was this one.
	lentBy uint64
}

// KeySize is how much of a key's hash is kept: no two keys share as much.
const KeySize = 16

func hash(key string) [KeySize]byte {
	sum := sha256.Sum256([]byte(key))
	return [KeySize]byte(sum[:KeySize])
}

// searched is how many entries one failure looks at to find room.
const searched = 64

// NewLimiter returns an empty limiter.
func NewLimiter(policy Policy, now func() time.Time) *Limiter {
	return &Limiter{policy: policy, now: now, keys: map[[KeySize]byte]*failures{}}
}

// Wait returns how long the key has to wait, zero for not at all.
func (l *Limiter) Wait(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.keys[hash(key)]
	if f == nil {
		return 0
	}
	return max(0, f.blockedUntil.Sub(l.now()))
}

// Fail counts a failure and returns how long the key has to wait now. A new key
// that finds no room is not counted.
func (l *Limiter) Fail(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count(key)
}

// Attempt is an attempt that was counted before its outcome was known.
type Attempt struct {
	key string
	// pause is the end of the pause that this very attempt began, if it did.
	pause time.Time
}

// Take counts an attempt before its outcome is known, so that attempts at once
// are bounded like those one after the other. It returns how long to wait, zero
// for an attempt that may go on; Return takes that one back when it was no failure.
func (l *Limiter) Take(key string) (Attempt, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if f := l.keys[hash(key)]; f != nil && now.Before(f.blockedUntil) {
		return Attempt{}, f.blockedUntil.Sub(now)
	}
	attempt := Attempt{key: key}
	if wait := l.count(key); wait > 0 {
		attempt.pause = now.Add(wait)
	}
	return attempt, 0
}

// Return takes back an attempt, and the pause that it began. A pause that a
// failure has begun meanwhile stays.
func (l *Limiter) Return(attempt Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.keys[hash(attempt.key)]
	if f == nil || f.count == 0 {
		return
	}
	f.count--
	ends := !attempt.pause.IsZero() && f.blockedUntil.Equal(attempt.pause)
	if ends {
		f.blockedUntil = time.Time{}
	}
	l.told(hash(attempt.key), -1, ends)
}

// count needs l.mu.
func (l *Limiter) count(key string) time.Duration {
	id := hash(key)
	f := l.add(id, 1, 0)
	if f == nil {
		return 0
	}
	l.told(id, 1, false)
	return max(0, f.blockedUntil.Sub(l.now()))
}

// add counts n failures, at this node or at another one. It returns nil where there is no
// room for the key. It needs l.mu.
func (l *Limiter) add(id [KeySize]byte, n int, node uint64) *failures {
	now := l.now()
	f := l.keys[id]
	if f == nil {
		if len(l.keys) >= l.policy.Size && !l.makeRoom(now) {
			return nil
		}
		f = &failures{}
		l.keys[id] = f
	}
	if !now.Before(f.windowEnds) {
		f.count, f.windowEnds = 0, now.Add(l.policy.Window)
	}
	f.count += n
	if over := f.count - l.policy.Free; over >= 0 {
		if now.Before(f.blockedUntil) && f.lentBy != node {
			node = 0 // of a pause that two nodes began, neither takes anything back
		}
		f.blockedUntil, f.lentBy = f.windowEnds, node
		if l.policy.Pause != nil {
			f.blockedUntil = now.Add(l.policy.Pause(over))
		}
	}
	return f
}

// Forget clears the key, after a success.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := hash(key)
	delete(l.keys, id)
	l.told(id, 0, true)
}

func (l *Limiter) makeRoom(now time.Time) bool {
	looked := 0
	for id, f := range l.keys {
		if !now.Before(f.blockedUntil) {
			delete(l.keys, id)
			return true
		}
		if looked++; looked == searched {
			break
		}
	}
	return false
}

// AddressKey is the part of an address that one person holds: all of IPv4, the
// first 64 bits of IPv6.
func AddressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
