package tokens

import (
	"context"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Follower is told of revocations. It is for one goroutine.
type Follower struct {
	revocations *Revocations
	client      string
	// from is where it stood when it left, if anywhere.
	from  models.Position
	knows bool
	ready chan struct{}
	cut   chan struct{}

	// mu guards the others.
	mu      sync.Mutex
	begun   bool
	waiting []models.Revocation
	at      models.Position
	reset   bool
	asOf    time.Time
	current bool
	err     error
}

// Told is what a follower has to pass on.
type Told struct {
	// Reset means that everything has to be forgotten, before the entries.
	Reset   bool
	Entries []models.Revocation
	At      models.Position
	// Current tells that these are all there were at AsOf.
	Current bool
	AsOf    time.Time
}

// Follow begins to follow for a client, behind the position where it left if it knows one;
// else it is told to forget everything.
// Close ends it.
func (r *Revocations) Follow(client string, from models.Position, knows bool) (*Follower, error) {
	f := &Follower{revocations: r, client: client, from: from, knows: knows, reset: !knows, ready: make(chan struct{}, 1), cut: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopping:
		return nil, ErrStopping
	case len(r.followers) >= maxFollowers || r.ofClient[client] >= maxClientFollowers:
		return nil, ErrTooManyFollowers
	}
	r.followers[f] = struct{}{}
	r.ofClient[client]++
	r.Hear(models.Notice{})
	return f, nil
}

// Close ends it.
func (f *Follower) Close() {
	f.revocations.mu.Lock()
	defer f.revocations.mu.Unlock()
	f.revocations.drop(f, context.Canceled)
}

// drop needs r.mu.
func (r *Revocations) drop(f *Follower, why error) {
	if _, follows := r.followers[f]; !follows {
		return
	}
	delete(r.followers, f)
	if r.ofClient[f.client]--; r.ofClient[f.client] == 0 {
		delete(r.ofClient, f.client)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = why
	close(f.cut)
}

// push adds to what waits. It reports false where that is too much.
func (f *Follower) push(news news, asOf time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.begun:
		f.begun = true // from here on; Next catches up
	case news.reset:
		f.waiting, f.reset = nil, true
	default:
		f.waiting = append(f.waiting, news.entries...)
	}
	f.at, f.asOf, f.current = news.at, asOf, !news.more
	select {
	case f.ready <- struct{}{}:
	default:
	}
	return len(f.waiting) <= maxMissed
}

// Next waits for what is told next: at first what was missed. It fails when ctx ends and
// when the follower is cut.
func (f *Follower) Next(ctx context.Context) (Told, error) {
	select {
	case <-f.ready:
	case <-f.cut:
		return Told{}, f.why()
	case <-ctx.Done():
		return Told{}, ctx.Err()
	}
	f.mu.Lock()
	told := Told{Reset: f.reset, Entries: f.waiting, At: f.at, Current: f.current, AsOf: f.asOf}
	f.waiting, f.reset = nil, false
	f.mu.Unlock()
	if f.knows {
		f.knows = false
		return f.catchUp(ctx, told)
	}
	return told, nil
}

func (f *Follower) why() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// catchUp reads what stands between where the client left and where the others are. What
// is told besides may be there twice.
func (f *Follower) catchUp(ctx context.Context, told Told) (Told, error) {
	at, missed := f.from, []models.Revocation(nil)
	for at != told.At && !told.Reset {
		ctx, cancel := context.WithTimeout(ctx, followPatience)
		news, err := follow(ctx, f.revocations.store, at, true)
		cancel()
		if err != nil {
			return Told{}, err
		}
		missed, at = append(missed, news.entries...), news.at
		told.Reset = told.Reset || news.reset || len(missed) > maxMissed
		if at.Seq >= told.At.Seq {
			break
		}
	}
	if told.Reset {
		return told, nil
	}
	told.Entries, told.At = append(missed, told.Entries...), at
	return told, nil
}
