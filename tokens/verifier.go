package tokens

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Grant is what a good token allows.
type Grant struct {
	// Hash is the SHA-256 of the value, for asking again: see Recheck.
	Hash          [sha256.Size]byte
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
type RefusedError struct {
	Reason models.Refusal
	// Hash is the SHA-256 of the value; TokenID, ApplicationID and TeamID are empty where
	// there is no such token.
	Hash                           [sha256.Size]byte
	TokenID, ApplicationID, TeamID string
	// Scope is what the token lacks, for models.RefusedScope.
	Scope string
}

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
	return v.inspectValue(ctx, v.cache, value, team)
}

// InspectNow is Inspect past the cache, for somebody who remembers the answer: what another
// node has ended before the question is refused.
func (v *Verifier) InspectNow(ctx context.Context, value models.Secret, team string) (Grant, error) {
	return v.inspectValue(ctx, nil, value, team)
}

func (v *Verifier) inspectValue(ctx context.Context, cache *Cache, value models.Secret, team string) (Grant, error) {
	text := value.Reveal()
	if text == "" || len(text) > maxValue {
		return Grant{}, RefusedError{Reason: models.RefusedMalformed, Hash: tokenHash(secrets.Hash(value))}
	}
	return v.inspect(ctx, cache, tokenHash(secrets.Hash(value)), text, team)
}

// Recheck is Inspect for a token that was good before, by the hash of its grant. Who keeps
// something open for a token asks by it, again and again.
func (v *Verifier) Recheck(ctx context.Context, hash [sha256.Size]byte) (Grant, error) {
	return v.inspect(ctx, v.cache, hash, "", "")
}

// inspect looks into cache, which may be nil, and then asks the store.
func (v *Verifier) inspect(ctx context.Context, cache *Cache, hash tokenHash, text, team string) (Grant, error) {
	now := v.now()
	bearer, ok := cache.token(hash)
	// What is not good at once is read from the store, whatever the cache holds: so
	// the store has the last word, and time tells a token of another team or one
	// that has ended from none as little as the answer does.
	if _, refused := bearer.Refused(now); !ok || refused || team != "" && bearer.TeamID != team {
		var err error
		if bearer, err = v.read(ctx, hash, text); err != nil {
			return Grant{}, err
		}
		now = v.now() // it may have ended while the store was asked
	} else {
		v.cache.asked.tokenHits.Add(1)
	}
	if reason, refused := bearer.Refused(now); refused {
		return Grant{}, refusal(reason, hash, bearer)
	}
	if team != "" && bearer.TeamID != team {
		return Grant{}, refusal(models.RefusedForeign, hash, bearer)
	}
	return Grant{
		Hash: hash, TokenID: bearer.ID, TeamID: bearer.TeamID, ApplicationID: bearer.ApplicationID, ClientID: bearer.ClientID,
		Scopes: models.EffectiveScopes(bearer.Scopes, bearer.AppScopes), ExpiresAt: bearer.ExpiresAt, CreatedAt: bearer.CreatedAt,
	}, nil
}

// read asks the store and remembers what it found.
func (v *Verifier) read(ctx context.Context, hash tokenHash, text string) (models.Bearer, error) {
	v.cache.asked.tokenMisses.Add(1)
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	began := v.cache.notices.Load()
	bearer, err := v.store.TokenByHash(ctx, hash[:])
	if errors.Is(err, models.ErrNotFound) || err == nil && !secrets.Equal(hash[:], bearer.Hash) {
		return models.Bearer{}, RefusedError{Reason: unknown(text), Hash: hash}
	}
	if err != nil {
		return models.Bearer{}, err
	}
	if _, refused := bearer.Refused(v.now()); !refused {
		v.cache.keepToken(began, hash, bearer)
	}
	return bearer, nil
}

// Lacks refuses the token of a grant, which is good, for a scope that it does not have.
func (g Grant) Lacks(scope string) RefusedError {
	return RefusedError{Reason: models.RefusedScope, Hash: g.Hash, TokenID: g.TokenID, ApplicationID: g.ApplicationID, TeamID: g.TeamID, Scope: scope}
}

func refusal(reason models.Refusal, hash tokenHash, b models.Bearer) RefusedError {
	return RefusedError{Reason: reason, Hash: hash, TokenID: b.ID, ApplicationID: b.ApplicationID, TeamID: b.TeamID}
}

// unknown says why there is no such token; an empty text is one that was there before.
func unknown(text string) models.Refusal {
	switch {
	case text == "" || WellFormed(text):
		return models.RefusedUnknown
	case shaped(text):
		return models.RefusedCheckDigits
	}
	return models.RefusedMalformed
}
