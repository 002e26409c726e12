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
	CreatedAt models.Time
}

// RefusedError means that a token is not good. Whoever sent it is told that
// much and no more.
type RefusedError struct{ Reason models.Refusal }

func (e RefusedError) Error() string { return "token refused: " + string(e.Reason) }

// Verifier says whether a bearer token is good. It is safe for concurrent use.
type Verifier struct {
	store    Store
	cache    *Cache
	lastUsed *LastUsed
	now      func() models.Time
}

// NewVerifier returns a verifier that remembers tokens in cache and reports those
// that were used to lastUsed.
func NewVerifier(store Store, cache *Cache, lastUsed *LastUsed, now func() models.Time) *Verifier {
	return &Verifier{store: store, cache: cache, lastUsed: lastUsed, now: now}
}

// Used notes that a good token was accepted from an address.
func (v *Verifier) Used(grant Grant, from string) {
	v.lastUsed.Token(models.TokenUse{TokenID: grant.TokenID, ApplicationID: grant.ApplicationID, At: v.now(), From: from})
}

// Inspect says what the value of a token allows. It returns a RefusedError for a token
// that is not good and an error of models where the store cannot say; there is no good
// answer without the store. Where team is given, the token of another team is refused
// like one that does not exist. It notes no use: see Used.
func (v *Verifier) Inspect(ctx context.Context, value models.Secret, team string) (Grant, error) {
	text := value.Reveal()
	if text == "" || len(text) > maxValue {
		return Grant{}, RefusedError{models.RefusedMalformed}
	}
	hash := tokenHash(secrets.Hash(value))
	now := v.now()
	bearer, ok := v.cache.token(hash)
	// What is not good at once is read from the store, whatever the cache holds: so
	// the store has the last word, and time tells a token of another team or one
	// that has ended from none as little as the answer does.
	if _, refused := bearer.Refused(now); !ok || refused || team != "" && bearer.TeamID != team {
		var err error
		if bearer, err = v.read(ctx, hash, text); err != nil {
			return Grant{}, err
		}
		now = v.now() // it may have ended while the store was asked
	}
	if reason, refused := bearer.Refused(now); refused {
		return Grant{}, RefusedError{reason}
	}
	if team != "" && bearer.TeamID != team {
		return Grant{}, RefusedError{models.RefusedForeign}
	}
	return Grant{
		TokenID: bearer.ID, TeamID: bearer.TeamID, ApplicationID: bearer.ApplicationID, ClientID: bearer.ClientID,
		Scopes: models.EffectiveScopes(bearer.Scopes, bearer.AppScopes), ExpiresAt: bearer.ExpiresAt, CreatedAt: bearer.CreatedAt,
	}, nil
}

// read asks the store and remembers what it found.
func (v *Verifier) read(ctx context.Context, hash tokenHash, text string) (models.Bearer, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	began := v.cache.notices.Load()
	bearer, err := v.store.TokenByHash(ctx, hash[:])
	if errors.Is(err, models.ErrNotFound) || err == nil && !secrets.Equal(hash[:], bearer.Hash) {
		return models.Bearer{}, RefusedError{unknown(text)}
	}
	if err != nil {
		return models.Bearer{}, err
	}
	if _, refused := bearer.Refused(v.now()); !refused {
		v.cache.keepToken(began, hash, bearer)
	}
	return bearer, nil
}

func unknown(text string) models.Refusal {
	if WellFormed(text) {
		return models.RefusedUnknown
	}
	return models.RefusedMalformed
}
