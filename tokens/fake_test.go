package tokens_test

import (
	"context"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

var noon = models.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

func fixed(now models.Time) func() models.Time { return func() models.Time { return now } }

// fakeStore is a tokens.Store that can fail, hang and be asked what it got.
type fakeStore struct {
	// bearer and findErr answer TokenByHash, find where it is set.
	bearer  models.Bearer
	findErr error
	find    func(ctx context.Context, hash []byte) (models.Bearer, error)
	// insert, where set, answers InsertTokens.
	insert func(ctx context.Context, tokens []models.Token) error
	// client and clientErr answer ClientByID, who where it is set.
	client    models.Client
	clientErr error
	who       func(ctx context.Context, clientID string) (models.Client, error)
	// version answers ForeignVersion.
	version func(ctx context.Context) (int64, error)
	// hang, where set, holds SaveLastUsed up until it is closed or the context ends.
	hang chan struct{}

	mu       sync.Mutex
	lookups  int
	saveErrs []error // one for each of the next saves
	tries    int
	tokens   map[string]models.TokenUse
	secrets  map[string]models.CredentialUse
	rows     int
}

func (f *fakeStore) InsertTokens(ctx context.Context, tokens []models.Token) error {
	if f.insert != nil {
		return f.insert(ctx, tokens)
	}
	return nil
}

func (f *fakeStore) ClientByID(ctx context.Context, clientID string) (models.Client, error) {
	f.asked(1)
	if f.who != nil {
		return f.who(ctx, clientID)
	}
	return f.client, f.clientErr
}

func (f *fakeStore) ForeignVersion(ctx context.Context) (int64, error) {
	if f.version != nil {
		return f.version(ctx)
	}
	return 1, nil
}

func (f *fakeStore) CreateManualToken(_ context.Context, _ models.Actor, token models.Token, _ string) (string, error) {
	return token.ID, nil
}

func (f *fakeStore) TemporaryToken(context.Context, string, string, models.Time) (models.Token, error) {
	return models.Token{}, models.ErrNotFound
}

func (f *fakeStore) CreateTemporaryToken(_ context.Context, _ models.Actor, token models.Token) (models.Token, error) {
	return token, nil
}

func (f *fakeStore) TokenByHash(ctx context.Context, hash []byte) (models.Bearer, error) {
	f.asked(1)
	if f.find != nil {
		return f.find(ctx, hash)
	}
	return f.bearer, f.findErr
}

// asked adds to the look-ups of tokens and clients and returns how many there were.
func (f *fakeStore) asked(more int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups += more
	return f.lookups
}

func (f *fakeStore) SaveLastUsed(ctx context.Context, tokens []models.TokenUse, secrets []models.CredentialUse) error {
	f.mu.Lock()
	f.tries++
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.saveErrs) > 0 {
		err := f.saveErrs[0]
		f.saveErrs = f.saveErrs[1:]
		return err
	}
	if f.tokens == nil {
		f.tokens, f.secrets = map[string]models.TokenUse{}, map[string]models.CredentialUse{}
	}
	for _, use := range tokens {
		f.tokens[use.TokenID] = use
	}
	for _, use := range secrets {
		f.secrets[use.ID] = use
	}
	f.rows += len(tokens) + len(secrets)
	return nil
}

// saved returns how often SaveLastUsed was called and how many rows it stored.
func (f *fakeStore) saved() (tries, rows int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries, f.rows
}
