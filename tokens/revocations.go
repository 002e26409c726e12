package tokens

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// followEvery is how often the store is asked while somebody follows, besides at once
	// where this node hears of a change; followGap is left between two questions.
	followEvery = 250 * time.Millisecond
	followGap   = 5 * time.Millisecond
	// followPatience bounds one question.
	followPatience = time.Second
	// maxFollowers bounds the streams of a node, maxClientFollowers those of one client.
	maxFollowers       = 1000
	maxClientFollowers = 250
	// maxMissed bounds what a follower is told of the time that it was away, and what waits
	// for a slow one.
	maxMissed = 10_000
)

// Errors of Follow, and of a Follower that was cut.
var (
	ErrTooManyFollowers = errors.New("too many follow the revocations")
	ErrStopping         = errors.New("the node stops")
	errSlow             = errors.New("it does not read")
)

// RevocationStore is what Revocations needs of the database.
type RevocationStore interface {
	// Revocations returns the newest position and a number of entries from seq on, of one
	// moment. Who sees an entry sees all before it.
	Revocations(ctx context.Context, seq int64) (models.Position, []models.Revocation, error)
}

// Revocations reads what resource servers have to forget, for all that follow on this
// node. It asks the database whoever made the change, so it knows no more of this
// node's changes than of others'. It is safe for concurrent use.
type Revocations struct {
	store RevocationStore
	log   *slog.Logger
	wake  chan struct{}
	stop  context.CancelFunc
	ended chan struct{}

	// mu guards the others. It is taken before the lock of a follower and held over no
	// question to the store.
	mu        sync.Mutex
	followers map[*Follower]struct{}
	ofClient  map[string]int
	stopping  bool
	// at is what all followers that have begun were told up to, if known. Only run changes it.
	at    models.Position
	known bool
	// failing is whether the last question had no answer. Only run uses it.
	failing bool
}

// NewRevocations starts reading, for as long as somebody follows. Close ends it.
func NewRevocations(ctx context.Context, store RevocationStore, log *slog.Logger) *Revocations {
	ctx, stop := context.WithCancel(ctx)
	r := &Revocations{
		store: store, log: log, wake: make(chan struct{}, 1), stop: stop, ended: make(chan struct{}),
		followers: map[*Follower]struct{}{}, ofClient: map[string]int{},
	}
	go r.run(ctx)
	return r
}

// Hear has the store asked at once.
func (r *Revocations) Hear(models.Notice) {
	select {
	case r.wake <- struct{}{}:
	default: // it is woken already
	}
}

// Stop cuts all that follow, and nobody may follow any more.
func (r *Revocations) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
	for f := range r.followers {
		r.drop(f, ErrStopping)
	}
}

// Close stops reading.
func (r *Revocations) Close() {
	r.Stop()
	r.stop()
	<-r.ended
}

func (r *Revocations) run(ctx context.Context) {
	defer close(r.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(followGap)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		timer.Reset(followEvery)
		if !r.followed() {
			timer.Stop() // nobody to ask for
		}
		select {
		case <-timer.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		for r.followed() && r.ask(ctx) {
		}
	}
}

// followed tells whether anybody follows. What was known is forgotten with the last one.
func (r *Revocations) followed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.followers) == 0 {
		r.known = false
	}
	return len(r.followers) > 0
}

// ask asks the store once and tells all followers. It reports whether there is more. What
// it tells is true of the moment before the question.
func (r *Revocations) ask(ctx context.Context) (more bool) {
	began := time.Now() //nolint:forbidigo // a stopwatch, not the time of day
	ctx, cancel := context.WithTimeout(ctx, followPatience)
	defer cancel()
	news, err := follow(ctx, r.store, r.at, r.known)
	r.report(ctx, err)
	if err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.known = news.at, true
	for f := range r.followers {
		if !f.push(news, began) {
			r.drop(f, errSlow)
		}
	}
	return news.more
}

func (r *Revocations) report(ctx context.Context, err error) {
	if failing := err != nil; failing != r.failing && !errors.Is(ctx.Err(), context.Canceled) {
		r.failing = failing
		if failing {
			r.log.Warn("the revocations cannot be read: resource servers ask about each token", "error", err)
		} else {
			r.log.Info("the revocations are read again")
		}
	}
}

// news is what follows a position.
type news struct {
	entries []models.Revocation
	// at is the position behind it, more that it is not the newest.
	at   models.Position
	more bool
	// reset means that nobody knows what followed: everything has to be forgotten.
	reset bool
}

// follow reads what stands behind a position, if that is known.
func follow(ctx context.Context, store RevocationStore, at models.Position, known bool) (news, error) {
	from := at.Seq
	if !known {
		from = 1<<63 - 1
	}
	head, entries, err := store.Revocations(ctx, from)
	switch {
	case err != nil:
		return news{}, err
	case known && head == at:
		return news{at: at}, nil
	case !known, len(entries) < 2, entries[0].Position != at:
		return news{at: head, reset: true}, nil
	}
	last := entries[len(entries)-1].Position
	if last.Seq-at.Seq != int64(len(entries)-1) {
		return news{at: head, reset: true}, nil
	}
	return news{entries: entries[1:], at: last, more: last != head}, nil
}
