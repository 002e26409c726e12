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

	// mu guards keys.
	mu   sync.Mutex
	keys map[[sha256.Size]byte]*failures
}

type failures struct {
	count        int
	windowEnds   time.Time
	blockedUntil time.Time
}

// searched is how many entries one failure looks at to find room.
const searched = 64

// NewLimiter returns an empty limiter.
func NewLimiter(policy Policy, now func() time.Time) *Limiter {
	return &Limiter{policy: policy, now: now, keys: map[[sha256.Size]byte]*failures{}}
}

// Wait returns how long the key has to wait, zero for not at all.
func (l *Limiter) Wait(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.keys[sha256.Sum256([]byte(key))]
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
	if f := l.keys[sha256.Sum256([]byte(key))]; f != nil && now.Before(f.blockedUntil) {
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
	f := l.keys[sha256.Sum256([]byte(attempt.key))]
	if f == nil || f.count == 0 {
		return
	}
	f.count--
	if f.blockedUntil.Equal(attempt.pause) {
		f.blockedUntil = time.Time{}
	}
}

// count needs l.mu.
func (l *Limiter) count(key string) time.Duration {
	now, id := l.now(), sha256.Sum256([]byte(key))
	f := l.keys[id]
	if f == nil {
		if len(l.keys) >= l.policy.Size && !l.makeRoom(now) {
			return 0
		}
		f = &failures{}
		l.keys[id] = f
	}
	if !now.Before(f.windowEnds) {
		f.count, f.windowEnds = 0, now.Add(l.policy.Window)
	}
	f.count++
	if over := f.count - l.policy.Free; over >= 0 {
		f.blockedUntil = f.windowEnds
		if l.policy.Pause != nil {
			f.blockedUntil = now.Add(l.policy.Pause(over))
		}
	}
	return max(0, f.blockedUntil.Sub(now))
}

// Forget clears the key, after a success.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.keys, sha256.Sum256([]byte(key)))
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
