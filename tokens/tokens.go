// Package tokens makes access tokens and says whether one is good. It is the
// room where speed matters, and knows neither HTTP nor SQL.
package tokens

import (
	"context"
	"time"

	"github.com/latchkey/latchkey/models"
)

// readTimeout is how long a look-up in the store may take.
const readTimeout = 5 * time.Second

// Store is what this package needs of the database. Its methods may be called
// concurrently and return the words of models/errors.go.
type Store interface {
	// InsertTokens stores 1 to 500 tokens, all or none; they are durable when it returns.
	InsertTokens(ctx context.Context, tokens []models.Token) error
	// CreateManualToken stores a token with its audit event and returns the ID of
	// the row: an earlier one where formKey was seen before.
	CreateManualToken(ctx context.Context, actor models.Actor, token models.Token, formKey string) (string, error)
	// TemporaryToken finds a member's temporary token that ends at ends.
	TemporaryToken(ctx context.Context, team, userID string, ends models.Time) (models.Token, error)
	// CreateTemporaryToken stores a token with its audit event and returns the row: an
	// earlier one where the actor has one that ends then.
	CreateTemporaryToken(ctx context.Context, actor models.Actor, token models.Token) (models.Token, error)
	// TokenByHash finds a token, good or not.
	TokenByHash(ctx context.Context, hash []byte) (models.Bearer, error)
	// ClientByID finds an application or a resource server.
	ClientByID(ctx context.Context, clientID string) (models.Client, error)
	// ForeignVersion returns another number where another process has changed the
	// database since the last call.
	ForeignVersion(ctx context.Context) (int64, error)
	// SaveLastUsed stores all times or none.
	SaveLastUsed(ctx context.Context, tokens []models.TokenUse, credentials []models.CredentialUse) error
}
