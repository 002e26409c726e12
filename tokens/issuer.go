package tokens

import (
	"context"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Issuer makes tokens. It is safe for concurrent use.
type Issuer struct {
	store   Store
	batches *batches
	keys    *secrets.Keys
	prefix  string
	// longest is the operator's bound on a lifespan, in seconds.
	longest int64
	now     func() models.Time

	issued, generated, temporary atomic.Int64
}

// NewIssuer returns an issuer of tokens that begin with prefix and live for
// longest seconds at most, whatever an application says. ctx bounds what is
// stored, not the life of the issuer: Close ends it.
func NewIssuer(ctx context.Context, store Store, keys *secrets.Keys, prefix string, longest int64, now func() models.Time) *Issuer {
	return &Issuer{store: store, batches: newBatches(ctx, store), keys: keys, prefix: prefix, longest: longest, now: now}
}

// Close stores the tokens that wait, until ctx ends, and refuses new ones.
func (i *Issuer) Close(ctx context.Context) error { return i.batches.close(ctx) }

// Issue makes a token for a program that proved to be app. It is stored as a
// hash alone and durable when Issue returns. Many at once share a transaction.
// It returns models.ErrBusy where too many wait already.
func (i *Issuer) Issue(ctx context.Context, app *models.Application, scopes string) (models.Token, models.Secret, error) {
	token, value := i.make(app, models.KindClientCredentials, scopes, 0)
	if err := i.batches.insert(ctx, token); err != nil {
		return models.Token{}, models.Secret{}, err
	}
	i.issued.Add(1)
	return token, value, nil
}

// Generate makes a manual token and returns its ID. The value is sealed beside it,
// so that a member can copy it later. The same formKey again makes no second one.
func (i *Issuer) Generate(ctx context.Context, actor models.Actor, app models.Application, values models.TokenValues, formKey string) (string, error) {
	token, value := i.make(&app, models.KindManual, app.Scopes, values.Lifespan)
	token.Name = values.Name
	sealed, err := i.keys.Seal(value, tokenPlace(token.ID))
	if err != nil {
		return "", err
	}
	token.Sealed = sealed
	id, err := i.store.CreateManualToken(ctx, actor, token, formKey)
	if id == token.ID {
		i.generated.Add(1)
	}
	return id, err
}

// Open returns the value of a manual or temporary token that the store has revealed.
func (i *Issuer) Open(token models.Token) (models.Secret, error) {
	return i.keys.Open(token.Sealed, tokenPlace(token.ID))
}

func tokenPlace(id string) secrets.Place {
	return secrets.Place{Table: "tokens", Column: "sealed", Row: id}
}

func (i *Issuer) make(app *models.Application, kind models.TokenKind, scopes string, lifespan int64) (models.Token, models.Secret) {
	value := newValue(i.prefix)
	now := i.now()
	if lifespan <= 0 || lifespan > i.longest {
		lifespan = i.longest
	}
	return models.Token{
		ID: uuid.Must(uuid.NewV7()).String(), ApplicationID: app.ID, TeamID: app.TeamID, Kind: kind,
		Hash: secrets.Hash(value), Last4: value.Last4(), Scopes: scopes, Epoch: app.Epoch,
		CreatedAt: now, ExpiresAt: app.Expiry(now, lifespan),
	}, value
}
