package tokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

// theValue is good for as long as the desk's store says so.
var theValue = models.NewSecret("lk_at_the-value-of-the-token-at-the-desk")

// desk is a verifier over a fake store, with one good token in it and a clock
// that the test sets.
type desk struct {
	*tokens.Verifier
	store *fakeStore
	cache *tokens.Cache
	now   models.Time
}

func bearerOf(value models.Secret) models.Bearer {
	return models.Bearer{
		Token:    models.Token{ID: "t", ApplicationID: "app", TeamID: "team", Hash: secrets.Hash(value), Scopes: "api trade", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)},
		ClientID: "client", AppScopes: "api trade",
	}
}

func newDesk(t testing.TB, cache *tokens.Cache) *desk {
	t.Helper()
	d := &desk{store: &fakeStore{bearer: bearerOf(theValue)}, cache: cache, now: noon}
	used := tokens.NewLastUsed(t.Context(), &fakeStore{}, quiet(), time.Hour)
	t.Cleanup(func() { _ = used.Close(context.Background()) })
	d.Verifier = tokens.NewVerifier(d.store, cache, used, func() models.Time { return d.now })
	return d
}

// inspect returns why the token is refused, and how often the store was asked.
func (d *desk) inspect(t testing.TB) (models.Refusal, int) {
	t.Helper()
	return d.inspectFor(t, theValue, "")
}

func (d *desk) inspectFor(t testing.TB, value models.Secret, team string) (models.Refusal, int) {
	t.Helper()
	before := d.store.asked(0)
	grant, err := d.Inspect(t.Context(), value, team)
	var refused tokens.RefusedError
	if err != nil && !errors.As(err, &refused) || err != nil && grant != (tokens.Grant{}) {
		t.Fatalf("got %+v, %v", grant, err)
	}
	return refused.Reason, d.store.asked(0) - before
}

// wants checks one look at the token.
func (d *desk) wants(t testing.TB, what string, want models.Refusal, wantAsked int) {
	t.Helper()
	if got, asked := d.inspect(t); got != want || asked != wantAsked {
		t.Errorf("%s: refused as %q with %d look-ups, want %q with %d", what, got, asked, want, wantAsked)
	}
}

func (d *desk) wantsEmpty(t testing.TB) {
	t.Helper()
	if kept, clients := d.cache.Holds(); kept+clients+d.cache.Applications() != 0 {
		t.Errorf("the cache holds %d tokens, %d applications, %d clients", kept, d.cache.Applications(), clients)
	}
}

// slow has the store answer only once it is told to: with what it knew when it
// was asked.
func (d *desk) slow() (answer func()) {
	hold, known := make(chan struct{}), d.store.bearer
	d.store.find = func(context.Context, []byte) (models.Bearer, error) {
		<-hold
		return known, nil
	}
	return func() { d.store.find = nil; close(hold) }
}
