package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

const (
	// maxRefusals bounds what waits of all teams together. Of one team no more waits than
	// is kept of it, so that it leaves room for others.
	maxRefusals = 10_000
	// refusalBatch is how many rows one transaction writes.
	refusalBatch = 100
	maxAgent     = 200
	maxScope     = 200
)

// RefusalStore is what Refusals needs of the database.
type RefusalStore interface {
	// SaveRefusedCalls adds to what is kept of refused calls; calls that are alike are one.
	SaveRefusedCalls(ctx context.Context, calls []models.RefusedCall) error
}

// Refusals collects calls with a token that was not good and stores them in batches. It is
// safe for concurrent use.
type Refusals struct {
	store RefusalStore
	log   *slog.Logger
	now   func() models.Time

	// mu guards what follows.
	mu sync.Mutex
	// ofTeams waits under the teams that the tokens belong to. values counts each value as
	// if it were nobody's, in room of its own: guesses push out no team's calls.
	ofTeams map[refusalKey]*models.RefusedCall
	values  map[valueHash]*models.RefusedCall
	// waiting counts ofTeams by team.
	waiting map[string]int

	stop, stopped chan struct{}
}

// valueHash is the SHA-256 of a value.
type valueHash = [32]byte

// refusalKey is what calls that are counted as one have in common.
type refusalKey struct {
	hash           valueHash
	team           string
	reason         models.Refusal
	route, address string
}

// NewRefusals starts writing every interval. Close writes the rest. ctx bounds the writes,
// not the life of the collector.
func NewRefusals(ctx context.Context, store RefusalStore, log *slog.Logger, now func() models.Time, interval time.Duration) *Refusals {
	r := &Refusals{store: store, log: log, now: now, stop: make(chan struct{}), stopped: make(chan struct{})}
	r.empty()
	go r.run(ctx, interval)
	return r
}

func (r *Refusals) empty() {
	r.ofTeams, r.waiting = map[refusalKey]*models.RefusedCall{}, map[string]int{}
	r.values = map[valueHash]*models.RefusedCall{}
}

func (r *Refusals) run(ctx context.Context, interval time.Duration) {
	defer close(r.stopped)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := r.flush(ctx); err != nil {
				r.log.Warn("refused calls wait for the database", "error", err)
			}
		case <-r.stop:
			return
		}
	}
}

// Note adds a refused call. agent is what the client calls itself. What there is no room
// for before the next write is dropped.
func (r *Refusals) Note(refused tokens.RefusedError, route, address, agent string) {
	at := r.now()
	value := models.RefusedCall{ValueHash: refused.Hash[:], Reason: refused.Reason, FirstAt: at, LastAt: at, Times: 1}
	if refused.TeamID == "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.add(value)
		return
	}
	call := value
	call.TeamID, call.ApplicationID, call.TokenID, call.Route, call.Address = refused.TeamID, refused.ApplicationID, refused.TokenID, route, address
	call.Agent, call.Scope = plainText(agent, maxAgent), plainText(refused.Scope, maxScope)
	// The row without a team says of a token what it says of none.
	value.Reason = models.RefusedUnknown
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(call)
	r.add(value)
}

// add is for the holder of mu.
func (r *Refusals) add(call models.RefusedCall) {
	hash := valueHash(call.ValueHash)
	if call.TeamID == "" {
		if known := r.values[hash]; known != nil {
			merge(known, call)
		} else if len(r.values) < models.MaxRefusedUnknown {
			r.values[hash] = &call
		}
		return
	}
	key := refusalKey{hash, call.TeamID, call.Reason, call.Route, call.Address}
	if known := r.ofTeams[key]; known != nil {
		merge(known, call)
	} else if len(r.ofTeams) < maxRefusals && r.waiting[call.TeamID] < models.MaxRefused {
		r.ofTeams[key] = &call
		r.waiting[call.TeamID]++
	}
}

// merge adds calls to those that they are like. The newest says which agent it was.
func merge(known *models.RefusedCall, call models.RefusedCall) {
	known.Times += call.Times
	known.FirstAt = min(known.FirstAt, call.FirstAt)
	if call.LastAt >= known.LastAt {
		known.LastAt, known.Agent, known.Scope = call.LastAt, call.Agent, call.Scope
	}
}

// Close stops the batches and stores what is left, until ctx ends. Call it once, when no
// more calls come.
func (r *Refusals) Close(ctx context.Context) error {
	close(r.stop)
	select {
	case <-r.stopped:
		return r.flush(ctx)
	case <-ctx.Done():
		return fmt.Errorf("refused calls not written: %w", ctx.Err())
	}
}

// flush writes what has come in, that of teams first. What cannot be written is kept for
// the next time, as far as there is room.
func (r *Refusals) flush(ctx context.Context) error {
	r.mu.Lock()
	calls := make([]models.RefusedCall, 0, len(r.ofTeams)+len(r.values))
	for _, call := range r.ofTeams {
		calls = append(calls, *call)
	}
	for _, call := range r.values {
		calls = append(calls, *call)
	}
	r.empty()
	r.mu.Unlock()
	// Small transactions let tokens be issued in between.
	for len(calls) > 0 {
		n := min(len(calls), refusalBatch)
		if err := r.store.SaveRefusedCalls(ctx, calls[:n]); err != nil {
			r.keep(calls)
			return err
		}
		calls = calls[n:]
	}
	return nil
}

// keep puts back what was not written.
func (r *Refusals) keep(calls []models.RefusedCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, call := range calls {
		r.add(call)
	}
}

// plainText is text with what does not print escaped, in at most length bytes. What is not
// UTF-8 is replaced.
func plainText(text string, length int) string {
	var b strings.Builder
	for _, c := range text {
		piece := string(c)
		if !unicode.IsPrint(c) {
			piece = strings.Trim(strconv.QuoteRune(c), "'")
		}
		if b.Len()+len(piece) > length {
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}
