package tokens

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

// maxUses bounds what waits to be written. What comes beyond is dropped until
// the next write: a last-used time is worth less than memory.
const maxUses = 100_000

// maxBatch is how many uses one transaction writes.
const maxBatch = 500

// LastUsed collects when tokens and credentials were used and writes them in
// batches, never one by one. It is safe for concurrent use.
type LastUsed struct {
	store Store
	log   *slog.Logger

	// mu guards the two maps, which hold the newest use of each ID.
	mu          sync.Mutex
	tokens      map[string]models.TokenUse
	credentials map[string]models.CredentialUse

	stop, stopped chan struct{}
}

// NewLastUsed starts writing every interval. Close writes the rest.
// ctx bounds the writes, not the life of the batches.
func NewLastUsed(ctx context.Context, store Store, log *slog.Logger, interval time.Duration) *LastUsed {
	l := &LastUsed{store: store, log: log, stop: make(chan struct{}), stopped: make(chan struct{})}
	l.tokens, l.credentials = map[string]models.TokenUse{}, map[string]models.CredentialUse{}
	go l.run(ctx, interval)
	return l
}

func (l *LastUsed) run(ctx context.Context, interval time.Duration) {
	defer close(l.stopped)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := l.flush(ctx); err != nil {
				l.log.Warn("last-used times wait for the database", "error", err)
			}
		case <-l.stop:
			return
		}
	}
}

// Token notes that a token was accepted.
func (l *LastUsed) Token(use models.TokenUse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.tokens[use.TokenID]; ok && known.At >= use.At || !ok && len(l.tokens) >= maxUses {
		return
	}
	l.tokens[use.TokenID] = use
}

// Credential notes that a client proved itself.
func (l *LastUsed) Credential(use models.CredentialUse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.credentials[use.ID]; ok && known.At >= use.At || !ok && len(l.credentials) >= maxUses {
		return
	}
	l.credentials[use.ID] = use
}

// Close stops the batches and writes what is left, until ctx ends. Call it once,
// when no more uses come.
func (l *LastUsed) Close(ctx context.Context) error {
	close(l.stop)
	select {
	case <-l.stopped:
		return l.flush(ctx)
	case <-ctx.Done():
		return fmt.Errorf("last-used times not written: %w", ctx.Err())
	}
}

// flush writes what has come in. What cannot be written is kept for the next time.
func (l *LastUsed) flush(ctx context.Context) error {
	l.mu.Lock()
	tokens, credentials := values(l.tokens), values(l.credentials)
	l.tokens, l.credentials = map[string]models.TokenUse{}, map[string]models.CredentialUse{}
	l.mu.Unlock()
	// Small transactions let tokens be issued in between.
	for len(tokens) > 0 || len(credentials) > 0 {
		nt, nc := min(len(tokens), maxBatch), min(len(credentials), maxBatch)
		if err := l.store.SaveLastUsed(ctx, tokens[:nt], credentials[:nc]); err != nil {
			l.keep(tokens, credentials)
			return err
		}
		tokens, credentials = tokens[nt:], credentials[nc:]
	}
	return nil
}

// keep puts back what was not written.
func (l *LastUsed) keep(tokens []models.TokenUse, credentials []models.CredentialUse) {
	for _, use := range tokens {
		l.Token(use)
	}
	for _, use := range credentials {
		l.Credential(use)
	}
}

func values[V any](m map[string]V) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
