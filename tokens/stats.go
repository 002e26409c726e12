package tokens

import (
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tally"
)

// asked counts how a cache was asked, on cache lines of its own: what every request reads
// stands beside none that every request writes.
type asked struct {
	_                                                [64]byte
	tokenHits, tokenMisses, clientHits, clientMisses atomic.Int64
	_                                                [64]byte
}

// CacheStats is what a cache holds and how often it could answer.
type CacheStats struct {
	Tokens, Applications, Clients                    int
	TokenHits, TokenMisses, ClientHits, ClientMisses int64
}

// Stats says how the cache does.
func (c *Cache) Stats() CacheStats {
	return CacheStats{
		Tokens: c.tokens.EstimatedSize(), Applications: c.applications.EstimatedSize(), Clients: c.clients.EstimatedSize(),
		TokenHits: c.asked.tokenHits.Load(), TokenMisses: c.asked.tokenMisses.Load(),
		ClientHits: c.asked.clientHits.Load(), ClientMisses: c.asked.clientMisses.Load(),
	}
}

// FeedStats is how a feed stands.
type FeedStats struct {
	// Alive tells that the cache is trusted.
	Alive bool
	// Lag is the time since the store last answered, since the start where it never has.
	Lag time.Duration
}

// Stats says how the feed stands.
func (f *Feed) Stats() FeedStats {
	return FeedStats{Alive: f.cache.trusted(), Lag: time.Duration(f.cache.elapsed() - f.answered.Load())}
}

// Bounds of what is counted by size: tokens of a batch, and times.
var (
	batchSizes  = []int64{1, 2, 5, 10, 20, 50, 100, 200, 500}
	commitTimes = []int64{
		int64(500 * time.Microsecond), int64(time.Millisecond), int64(2 * time.Millisecond), int64(5 * time.Millisecond), int64(10 * time.Millisecond),
		int64(20 * time.Millisecond), int64(50 * time.Millisecond), int64(100 * time.Millisecond), int64(250 * time.Millisecond), int64(time.Second), int64(5 * time.Second),
	}
)

// IssuerStats is what an issuer has done.
type IssuerStats struct {
	// Issued counts tokens that are stored, by kind.
	Issued map[models.TokenKind]int64
	// Batches counts the tokens of each transaction, Commits its nanoseconds.
	Batches, Commits tally.Distribution
	// Failed counts transactions that failed, Busy callers that found no room to wait.
	Failed, Busy int64
	// Waiting is how many callers wait for theirs.
	Waiting int
}

// Stats says what the issuer has done so far.
func (i *Issuer) Stats() IssuerStats {
	b := i.batches
	return IssuerStats{
		Issued: map[models.TokenKind]int64{
			models.KindClientCredentials: i.issued.Load(), models.KindManual: i.generated.Load(), models.KindTemporary: i.temporary.Load(),
		},
		Batches: b.sizes.Read(), Commits: b.commits.Read(), Failed: b.failed.Load(), Busy: b.busy.Load(), Waiting: b.waits(),
	}
}

// waits counts who waits for a transaction that has not begun.
func (b *batches) waits() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, waiting := range b.waiting {
		n += len(waiting.tokens)
	}
	return n
}
