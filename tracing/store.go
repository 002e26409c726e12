package tracing

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Store records what the hot path asks of the database: a look-up is part of the request
// that waits for it, a batch of tokens is of many and has a trace of its own.
func (t *Traces) Store(store tokens.Store) tokens.Store { return traced{store, t} }

type traced struct {
	tokens.Store
	traces *Traces
}

// TokenByHash implements tokens.Store.
func (s traced) TokenByHash(ctx context.Context, hash []byte) (bearer models.Bearer, err error) {
	ctx, span := s.traces.begin(ctx, kindInternal, "read a token", place{})
	defer func() { span.ended(err) }()
	return s.Store.TokenByHash(ctx, hash)
}

// ClientByID implements tokens.Store.
func (s traced) ClientByID(ctx context.Context, clientID string) (client models.Client, err error) {
	ctx, span := s.traces.begin(ctx, kindInternal, "read a client", place{})
	defer func() { span.ended(err) }()
	return s.Store.ClientByID(ctx, clientID)
}

// InsertTokens implements tokens.Store.
func (s traced) InsertTokens(ctx context.Context, tokens []models.Token) (err error) {
	ctx, span := s.traces.begin(ctx, kindInternal, "store tokens", place{})
	span.set(attribute{key: "latchkey.tokens", number: int64(len(tokens))})
	defer func() { span.ended(err) }()
	return s.Store.InsertTokens(ctx, tokens)
}

// ended tells of a failure that there was one: what an error says may quote anything.
func (s *span) ended(err error) {
	s.failed = err != nil && !errors.Is(err, models.ErrNotFound)
	s.finish()
}
