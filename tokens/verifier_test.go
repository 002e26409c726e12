package tokens_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
)

// bench is an issuer and a verifier over a real database.
type bench struct {
	*storetest.DB
	keys     *secrets.Keys
	issuer   *tokens.Issuer
	verifier *tokens.Verifier
	lastUsed *tokens.LastUsed
	ana      models.Actor
	app      models.Application
}

func newBench(t testing.TB) *bench {
	t.Helper()
	db := storetest.New(t)
	keys, err := secrets.CreateKeys(t.TempDir() + "/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{DB: db, keys: keys, lastUsed: tokens.NewLastUsed(t.Context(), db.Store, quiet(), time.Hour)}
	b.issuer = tokens.NewIssuer(t.Context(), db.Store, keys, "lk_at_", 365*86400, db.Now)
	t.Cleanup(func() { _ = b.issuer.Close(context.Background()) })
	cache := tokens.Trusted()
	db.Subscribe(cache.Forget)
	b.verifier = tokens.NewVerifier(db.Store, cache, b.lastUsed, db.Now)
	b.ana = db.Member(t, "northwind", "ana", models.RoleOwner)
	b.app = db.Application(t, b.ana, "Trading bot")
	return b
}

func (b *bench) issue(t testing.TB) (models.Token, models.Secret) {
	t.Helper()
	token, value, err := b.issuer.Issue(t.Context(), &b.app, "api")
	if err != nil {
		t.Fatal(err)
	}
	return token, value
}

// refusal returns why a token is refused, "" where it is good.
func refusal(t *testing.T, v *tokens.Verifier, value models.Secret) models.Refusal {
	t.Helper()
	grant, err := v.Inspect(t.Context(), value, "")
	var refused tokens.RefusedError
	if err != nil && !errors.As(err, &refused) || err != nil && grant != (tokens.Grant{}) {
		t.Fatalf("got %+v, %v", grant, err)
	}
	return refused.Reason
}

func TestIssueAndVerify(t *testing.T) {
	b := newBench(t)
	token, value := b.issue(t)
	grant, err := b.verifier.Inspect(t.Context(), value, "")
	want := tokens.Grant{
		Hash: [32]byte(secrets.Hash(value)), TokenID: token.ID, TeamID: b.ana.TeamID, ApplicationID: b.app.ID, ClientID: b.app.ClientID,
		Scopes: "api", CreatedAt: storetest.Start, ExpiresAt: storetest.Start.Add(time.Hour),
	}
	if err != nil || grant != want {
		t.Fatalf("got %+v, %v, want %+v", grant, err, want)
	}
	b.verifier.Used(grant, "192.0.2.7")
	// T2: stored as a hash alone.
	found, err := b.TokenByHash(t.Context(), secrets.Hash(value))
	if err != nil || found.ID != token.ID || found.Kind != models.KindClientCredentials || len(found.Sealed) != 0 || len(found.Hash) != 32 {
		t.Errorf("stored %+v, %v", found.Token, err)
	}
	closeNow(t, b.lastUsed)
	used, err := b.Store.Token(t.Context(), b.ana.TeamID, b.app.ID, token.ID)
	if err != nil || used.LastUsedAt != storetest.Start || used.LastUsedFrom != "192.0.2.7" {
		t.Errorf("last used at %d from %q, %v", used.LastUsedAt, used.LastUsedFrom, err)
	}
}

// Promise: the very next look after the deed refuses the token.
func TestVerifyRefuses(t *testing.T) {
	for _, test := range []struct {
		what string
		deed func(b *bench, token models.Token) error
		want models.Refusal
	}{
		{"a millisecond before expiry", func(b *bench, _ models.Token) error { b.Wait(time.Hour - time.Millisecond); return nil }, ""},
		{"at the moment of expiry", func(b *bench, _ models.Token) error { b.Wait(time.Hour); return nil }, models.RefusedExpired}, // T5
		{"revoked", func(b *bench, token models.Token) error {
			_, _, err := b.RevokeToken(context.Background(), b.ana, b.app.ID, token.ID)
			return err
		}, models.RefusedRevoked},
		{"all revoked", func(b *bench, _ models.Token) error {
			_, err := b.RevokeTokens(context.Background(), b.ana, b.app.ID)
			return err
		}, models.RefusedRevoked},
		{"switched off", func(b *bench, _ models.Token) error {
			return b.SwitchApplication(context.Background(), b.ana, b.app.ID, false)
		}, models.RefusedDisabled}, // T4
		{"deleted", func(b *bench, _ models.Token) error {
			_, err := b.DeleteApplication(context.Background(), b.ana, b.app.ID)
			return err
		}, models.RefusedDeleted}, // T4
	} {
		t.Run(test.what, func(t *testing.T) {
			b := newBench(t)
			token, value := b.issue(t)
			if got := refusal(t, b.verifier, value); got != "" {
				t.Fatalf("a new token is refused as %q", got)
			}
			if err := test.deed(b, token); err != nil {
				t.Fatal(err)
			}
			if got := refusal(t, b.verifier, value); got != test.want {
				t.Errorf("refused as %q, want %q", got, test.want)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	b := newBench(t)
	id, err := b.issuer.Generate(t.Context(), b.ana, b.app, models.TokenValues{Name: "CI", Lifespan: 60}, "form-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.issuer.Generate(t.Context(), b.ana, b.app, models.TokenValues{Name: "CI", Lifespan: 60}, "form-1")
	if err != nil || again != id {
		t.Errorf("the same form again gives %s, %v, want %s", again, err, id)
	}
	shown, err := b.RevealToken(t.Context(), b.ana, b.app.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	value, err := b.issuer.Open(shown)
	if err != nil || !tokens.WellFormed(value.Reveal()) || refusal(t, b.verifier, value) != "" {
		t.Fatalf("the value that is shown is not good: %v", err)
	}
	if strings.Contains(string(shown.Sealed), value.Reveal()) || value.Last4() != shown.Last4 {
		t.Error("the sealed value is not sealed, or the last four characters are of another")
	}
	elsewhere := shown
	elsewhere.ID = "another row"
	if _, err := b.issuer.Open(elsewhere); err == nil {
		t.Error("a sealed value opens in another row")
	}
	b.Wait(time.Minute) // T5: the shorter lifespan of the form
	if got := refusal(t, b.verifier, value); got != models.RefusedExpired {
		t.Errorf("refused as %q", got)
	}
}
