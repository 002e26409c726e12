package tokens

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Grant is what a good token allows.
type Grant struct {
	TokenID       string
	TeamID        string
	ApplicationID string
	ClientID      string
	// Scopes is what was granted and the application still has, separated by spaces.
	Scopes    string
	ExpiresAt models.Time
}

// RefusedError means that a token is not good. Whoever sent it is told that
// much and no more.
type RefusedError struct{ Reason models.Refusal }

func (e RefusedError) Error() string { return "token refused: " + string(e.Reason) }

// Verifier says whether a bearer token is good. It is safe for concurrent use.
type Verifier struct {
	store    Store
	lastUsed *LastUsed
	now      func() models.Time
}

// NewVerifier returns a verifier that reports good tokens to lastUsed.
func NewVerifier(store Store, lastUsed *LastUsed, now func() models.Time) *Verifier {
	return &Verifier{store: store, lastUsed: lastUsed, now: now}
}

// Verify checks the value that a client at address from sent. It returns a
// RefusedError for a token that is not good and an error of models where the
// store cannot say; there is no good answer without the store.
func (v *Verifier) Verify(ctx context.Context, value models.Secret, from string) (Grant, error) {
	text := value.Reveal()
	if text == "" || len(text) > maxValue {
		return Grant{}, RefusedError{models.RefusedMalformed}
	}
	hash := secrets.Hash(value)
	bearer, err := v.store.TokenByHash(ctx, hash)
	if errors.Is(err, models.ErrNotFound) || err == nil && !secrets.Equal(hash, bearer.Hash) {
		return Grant{}, RefusedError{unknown(text)}
	}
	if err != nil {
		return Grant{}, err
	}
	now := v.now()
	if reason, refused := bearer.Refused(now); refused {
		return Grant{}, RefusedError{reason}
	}
	v.lastUsed.Token(models.TokenUse{TokenID: bearer.ID, ApplicationID: bearer.ApplicationID, At: now, From: from})
	return Grant{
		TokenID: bearer.ID, TeamID: bearer.TeamID, ApplicationID: bearer.ApplicationID, ClientID: bearer.ClientID,
		Scopes: models.EffectiveScopes(bearer.Scopes, bearer.AppScopes), ExpiresAt: bearer.ExpiresAt,
	}, nil
}

func unknown(text string) models.Refusal {
	if WellFormed(text) {
		return models.RefusedUnknown
	}
	return models.RefusedMalformed
}
