package tracing

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Store records what the hot path asks of the database: a look-up is part of the request
// that waits for it, a batch of tokens is of many and has a trace of its own.
func (t *Traces) Store(store tokens.Store) tokens.Store { return traced{store, t.tracer} }

type traced struct {
	tokens.Store
	tracer trace.Tracer
}

// TokenByHash implements tokens.Store.
func (s traced) TokenByHash(ctx context.Context, hash []byte) (bearer models.Bearer, err error) {
	ctx, span := s.tracer.Start(ctx, "read a token")
	defer func() { finish(span, err) }()
	return s.Store.TokenByHash(ctx, hash)
}

// ClientByID implements tokens.Store.
func (s traced) ClientByID(ctx context.Context, clientID string) (client models.Client, err error) {
	ctx, span := s.tracer.Start(ctx, "read a client")
	defer func() { finish(span, err) }()
	return s.Store.ClientByID(ctx, clientID)
}

// InsertTokens implements tokens.Store.
func (s traced) InsertTokens(ctx context.Context, tokens []models.Token) (err error) {
	ctx, span := s.tracer.Start(ctx, "store tokens", trace.WithAttributes(attribute.Int("latchkey.tokens", len(tokens))))
	defer func() { finish(span, err) }()
	return s.Store.InsertTokens(ctx, tokens)
}

// finish tells of a failure that there was one: what an error says may quote anything.
func finish(span trace.Span, err error) {
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
