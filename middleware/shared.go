package middleware

import "time"

// mostAtOnce bounds what one word of another node counts for.
const mostAtOnce = 1 << 16

// Maker makes the limiters of the program, each under a name of its own that stays.
type Maker func(name string, policy Policy) *Limiter

// Or returns m or, where that is nil, what makes limiters that are not shared.
func (m Maker) Or(now func() time.Time) Maker {
	if m != nil {
		return m
	}
	return func(_ string, policy Policy) *Limiter { return NewLimiter(policy, now) }
}

// Share has tell called for all that is counted here: n failures; for an n below zero,
// failures taken back, with the pause that they began where it ends; for zero, a key that
// is forgotten. tell is called with a lock held and must not wait. Call it before the limiter is used.
func (l *Limiter) Share(tell func(key [KeySize]byte, n int, ends bool)) { l.tell = tell }

func (l *Limiter) told(key [KeySize]byte, n int, ends bool) {
	if l.tell != nil {
		l.tell(key, n, ends)
	}
}

// Hear counts what another node was told by its limiter, as if it had happened here, and
// bounded like that. A pause that did begin here stays, whatever others take back.
func (l *Limiter) Hear(node uint64, key [KeySize]byte, n int, ends bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case n > 0:
		l.add(key, min(n, mostAtOnce), node)
	case n == 0 && ends:
		delete(l.keys, key)
	case n < 0:
		if f := l.keys[key]; f != nil {
			f.count = max(0, f.count+max(n, -mostAtOnce))
			if ends && f.lentBy == node {
				f.blockedUntil, f.lentBy = time.Time{}, 0
			}
		}
	}
}

// States calls visit for each key whose window or pause runs.
func (l *Limiter) States(visit func(key [KeySize]byte, count int, window, wait time.Duration)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for id, f := range l.keys {
		if window, wait := max(0, f.windowEnds.Sub(now)), max(0, f.blockedUntil.Sub(now)); window > 0 && f.count > 0 || wait > 0 {
			visit(id, f.count, window, wait)
		}
	}
}

// Meet brings a key to how it stands at another node, where that is stricter.
func (l *Limiter) Meet(node uint64, key [KeySize]byte, count int, window, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	f := l.keys[key]
	if f == nil {
		if len(l.keys) >= l.policy.Size && !l.makeRoom(now) {
			return
		}
		f = &failures{}
		l.keys[key] = f
	}
	if !now.Before(f.windowEnds) {
		f.count, f.windowEnds = 0, now.Add(min(max(window, 0), l.policy.Window))
	}
	f.count = max(f.count, min(count, mostAtOnce))
	if until := now.Add(min(max(wait, 0), l.longest())); until.After(now) && until.After(f.blockedUntil) {
		if now.Before(f.blockedUntil) && f.lentBy != node {
			node = 0 // as in add
		}
		f.blockedUntil, f.lentBy = until, node
	}
}

// longest is the longest pause that the policy knows.
func (l *Limiter) longest() time.Duration {
	if l.policy.Pause == nil {
		return l.policy.Window
	}
	return l.policy.Pause(mostAtOnce)
}
