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

// LastUsed collects when tokens and secrets were used and writes them in
// batches, never one by one. It is safe for concurrent use.
type LastUsed struct {
	store Store
	log   *slog.Logger

	// mu guards the two maps, which hold the newest use of each ID.
	mu      sync.Mutex
	tokens  map[string]models.TokenUse
	secrets map[string]models.SecretUse

	stop, stopped chan struct{}
}

// NewLastUsed starts writing every interval. Close writes the rest.
// ctx bounds the writes, not the life of the batches.
func NewLastUsed(ctx context.Context, store Store, log *slog.Logger, interval time.Duration) *LastUsed {
	l := &LastUsed{store: store, log: log, stop: make(chan struct{}), stopped: make(chan struct{})}
	l.tokens, l.secrets = map[string]models.TokenUse{}, map[string]models.SecretUse{}
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

// Secret notes that a client secret was accepted.
func (l *LastUsed) Secret(use models.SecretUse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.secrets[use.SecretID]; ok && known.At >= use.At || !ok && len(l.secrets) >= maxUses {
		return
	}
	l.secrets[use.SecretID] = use
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
	tokens, secrets := values(l.tokens), values(l.secrets)
	l.tokens, l.secrets = map[string]models.TokenUse{}, map[string]models.SecretUse{}
	l.mu.Unlock()
	// Small transactions let tokens be issued in between.
	for len(tokens) > 0 || len(secrets) > 0 {
		nt, ns := min(len(tokens), maxBatch), min(len(secrets), maxBatch)
		if err := l.store.SaveLastUsed(ctx, tokens[:nt], secrets[:ns]); err != nil {
			l.keep(tokens, secrets)
			return err
		}
		tokens, secrets = tokens[nt:], secrets[ns:]
	}
	return nil
}

// keep puts back what was not written.
func (l *LastUsed) keep(tokens []models.TokenUse, secrets []models.SecretUse) {
	for _, use := range tokens {
		l.Token(use)
	}
	for _, use := range secrets {
		l.Secret(use)
	}
}

func values[V any](m map[string]V) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
