package guard

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// trustFor is how long what was known at a moment may be relied on. It leaves room for a
// late heartbeat, and stays below the second that is promised.
const trustFor = 700 * time.Millisecond

// key is the SHA-256 of a token's value, which is kept nowhere.
type key [sha256.Size]byte

// keyOf keeps the value off the heap.
func keyOf(value string) key {
	var text [maxValue]byte
	n := copy(text[:], value)
	return sha256.Sum256(text[:n])
}

// deadline is a moment on both clocks. The steady one stands still while a machine sleeps,
// the other one can be set: what is past on either is past.
type deadline struct{ steady, wall int64 }

// cache remembers good tokens, for as long as it may be relied on.
type cache struct {
	start  time.Time
	size   int
	maxAge time.Duration
	trust  atomic.Pointer[deadline]

	// mu guards the others.
	mu sync.RWMutex
	// notices counts what was forgotten, so that a question that was asked before does not
	// enter afterwards.
	notices      uint64
	tokens       map[key]remembered
	applications map[string]*application
}

type remembered struct {
	token Token
	// ends is when it is not good any more, or has to be asked about again.
	ends int64
	of   *application
}

// application holds what its tokens share.
type application struct {
	id, team, client string
	tokens           map[key]struct{}
}

func newCache(size int, maxAge time.Duration) *cache {
	c := &cache{start: time.Now(), size: size, maxAge: maxAge, tokens: map[key]remembered{}, applications: map[string]*application{}}
	c.distrust()
	return c
}

// elapsed is the steady clock.
func (c *cache) elapsed() int64 { return int64(time.Since(c.start)) }

func (c *cache) distrust() { c.trust.Store(&deadline{}) }

// trustFrom lets the cache be used for a while from a moment of the steady clock, at which
// everything was known. It is for one goroutine.
func (c *cache) trustFrom(known int64) {
	now := time.Now()
	elapsed := int64(now.Sub(c.start))
	until := min(known, elapsed) + int64(trustFor)
	if until > c.trust.Load().steady {
		c.trust.Store(&deadline{steady: until, wall: now.UnixNano() + until - elapsed})
	}
}

// trusted returns the steady clock, too.
func (c *cache) trusted() (int64, bool) {
	now := time.Now()
	elapsed, until := int64(now.Sub(c.start)), c.trust.Load()
	return elapsed, elapsed < until.steady && now.UnixNano() < until.wall
}

func (c *cache) find(k key) (Token, bool) {
	now, ok := c.trusted()
	if !ok {
		return Token{}, false
	}
	c.mu.RLock()
	found, ok := c.tokens[k]
	c.mu.RUnlock()
	return found.token, ok && now < found.ends
}

// noticed is for keep.
func (c *cache) noticed() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.notices
}

// keep remembers an answer to a question from before which noticed was asked, unless
// something was forgotten since. It reports whether the answer stands: whether nothing was
// announced of what was known by now.
func (c *cache) keep(noticed uint64, k key, token Token, ends int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, trusted := c.trusted()
	if c.notices != noticed || !trusted {
		return false
	}
	if ends <= now {
		return true
	}
	c.remove(k)
	for other := range c.tokens {
		if len(c.tokens) < c.size {
			break
		}
		c.remove(other)
	}
	of := c.applications[token.Application]
	if of == nil {
		of = &application{id: token.Application, team: token.Team, client: token.ClientID, tokens: map[key]struct{}{}}
		c.applications[of.id] = of
	}
	of.tokens[k] = struct{}{}
	if of.team == token.Team && of.client == token.ClientID {
		token.Application, token.Team, token.ClientID = of.id, of.team, of.client
	}
	c.tokens[k] = remembered{token: token, ends: ends, of: of}
	return true
}

// remove needs c.mu.
func (c *cache) remove(k key) {
	found, ok := c.tokens[k]
	if !ok {
		return
	}
	delete(c.tokens, k)
	delete(found.of.tokens, k)
	if len(found.of.tokens) == 0 {
		delete(c.applications, found.of.id)
	}
}

func (c *cache) forgetToken(k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices++
	c.remove(k)
}

func (c *cache) forgetApplication(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices++
	c.removeAll(c.applications[id])
}

func (c *cache) forgetTeam(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices++
	for _, of := range c.applications {
		if of.team == id {
			c.removeAll(of)
		}
	}
}

// removeAll needs c.mu.
func (c *cache) removeAll(of *application) {
	if of == nil {
		return
	}
	for k := range of.tokens {
		c.remove(k)
	}
}

func (c *cache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices++
	c.tokens, c.applications = map[key]remembered{}, map[string]*application{}
}
