package tokens

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tally"
)

const (
	// batchRows is how many tokens one transaction stores at most.
	batchRows = 500
	// waitingBatches bounds how many callers wait: more than these batches hold are
	// told that it is busy.
	waitingBatches = 8
)

// batches stores tokens together: whoever comes while a transaction runs shares
// the next one. There is no waiting window; the clock is the transaction before.
// A lone caller waits for one of them, any caller for a few.
type batches struct {
	store Store
	// ctx bounds the transactions, not the life of the batches.
	ctx context.Context

	// mu guards waiting and closed.
	mu      sync.Mutex
	waiting []*batch
	closed  bool
	// wake holds one signal while there is something to do.
	wake    chan struct{}
	stopped chan struct{}

	// What IssuerStats tells.
	sizes, commits *tally.Histogram
	failed, busy   atomic.Int64
}

// batch is owned by b.mu until it is taken, then by the goroutine that stores it.
// err is set before done is closed.
type batch struct {
	tokens []models.Token
	// callers tells, for each token, whether anyone still waits for it.
	callers []context.Context
	done    chan struct{}
	err     error
}

func newBatches(ctx context.Context, store Store) *batches {
	b := &batches{
		store: store, ctx: ctx, wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		sizes: tally.NewHistogram(batchSizes...), commits: tally.NewHistogram(commitTimes...),
	}
	go b.run()
	return b
}

// insert returns when the token is on disk. It returns models.ErrBusy where too
// many wait, models.ErrUnavailable after close or where ctx ends first. Where it
// ends while the transaction runs, the token may be stored, and nobody knows its
// value.
func (b *batches) insert(ctx context.Context, token models.Token) error {
	joined, err := b.join(ctx, token)
	if err != nil {
		return err
	}
	select {
	case <-joined.done:
	case <-ctx.Done():
	}
	// A batch that is done has left out the tokens of callers that were gone.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: the token was not stored in time: %w", models.ErrUnavailable, err)
	}
	return joined.err
}

func (b *batches) join(ctx context.Context, token models.Token) (*batch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("%w: stopping", models.ErrUnavailable)
	}
	last := len(b.waiting) - 1
	if last < 0 || len(b.waiting[last].tokens) == batchRows {
		if len(b.waiting) == waitingBatches {
			b.busy.Add(1)
			return nil, fmt.Errorf("%w: too many tokens wait to be stored", models.ErrBusy)
		}
		b.waiting = append(b.waiting, &batch{done: make(chan struct{})})
		last++
	}
	open := b.waiting[last]
	open.tokens, open.callers = append(open.tokens, token), append(open.callers, ctx)
	b.signal()
	return open, nil
}

func (b *batches) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *batches) run() {
	defer close(b.stopped)
	for range b.wake {
		for next, closed := b.take(); ; next, closed = b.take() {
			if next == nil && closed {
				return
			}
			if next == nil {
				break
			}
			b.commit(next)
		}
	}
}

// commit stores the tokens that somebody waits for.
func (b *batches) commit(next *batch) {
	defer close(next.done)
	wanted := next.tokens[:0]
	for i, token := range next.tokens {
		if next.callers[i].Err() == nil {
			wanted = append(wanted, token)
		}
	}
	if len(wanted) == 0 {
		return
	}
	began := time.Now() //nolint:forbidigo // a stopwatch, not the time of day
	next.err = b.store.InsertTokens(b.ctx, wanted)
	b.commits.Observe(int64(time.Since(began))) //nolint:forbidigo // see began
	b.sizes.Observe(int64(len(wanted)))
	if next.err != nil {
		b.failed.Add(1)
	}
}

func (b *batches) take() (next *batch, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		next = b.waiting[0]
		b.waiting = b.waiting[1:]
	}
	return next, b.closed
}

// close refuses what comes and stores what waits, until ctx ends.
func (b *batches) close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.signal()
	b.mu.Unlock()
	select {
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tokens were still waiting to be stored: %w", ctx.Err())
	}
}
