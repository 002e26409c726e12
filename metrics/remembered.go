package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/latchkey/latchkey/store"
)

const (
	// keepFor is how old an answer of the database may be: it counts rows of all teams.
	keepFor = time.Minute
	readFor = 3 * time.Second
)

// remembered asks the database once a minute at most, however often it is scraped.
type remembered struct {
	read func(context.Context) (store.Waiting, error)

	// mu guards the others; whoever comes meanwhile waits for the same answer.
	mu    sync.Mutex
	known bool
	at    time.Time
	last  store.Waiting
}

func (r *remembered) get() (store.Waiting, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known && time.Since(r.at) < keepFor { //nolint:forbidigo // a stopwatch, not the time of day
		return r.last, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readFor)
	defer cancel()
	var err error
	r.last, err = r.read(ctx)
	r.known, r.at = err == nil, time.Now() //nolint:forbidigo // as above
	return r.last, err
}
