package tokens_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Promise 2: revoked here is refused by the very next look, while others look at
// the same token all the time.
func TestRevokedIsRefusedByTheNextLook(t *testing.T) {
	b := newBench(t)
	for range 20 {
		token, value := b.issue(t)
		var stop atomic.Bool
		var others sync.WaitGroup
		for range 3 {
			others.Go(func() {
				for !stop.Load() {
					_, _ = b.verifier.Inspect(t.Context(), value, "")
				}
			})
		}
		if got := refusal(t, b.verifier, value); got != "" {
			t.Errorf("a new token is refused as %q", got)
		}
		_, revoked, err := b.RevokeToken(t.Context(), b.ana, b.app.ID, token.ID)
		if got := refusal(t, b.verifier, value); got != models.RefusedRevoked || !revoked || err != nil {
			t.Errorf("refused as %q, %v, %v", got, revoked, err)
		}
		stop.Store(true)
		others.Wait()
		if got := refusal(t, b.verifier, value); got != models.RefusedRevoked {
			t.Errorf("after the others are gone refused as %q", got)
		}
	}
}

// O6 T4: each deed reaches the next look at a token that is remembered.
func TestDeedsReachTheNextLook(t *testing.T) {
	b := newBench(t)
	_, value := b.issue(t)
	change := func(scopes string) error {
		return b.ChangeApplication(t.Context(), b.ana, b.app.ID, models.ApplicationValues{Name: b.app.Name, Lifespan: 3600, Scopes: scopes}, 0)
	}
	for _, step := range []struct {
		what   string
		deed   func() error
		want   models.Refusal
		scopes string
	}{
		{"made", func() error { return nil }, "", "api"},
		{"scope lost", func() error { return change("trade") }, "", ""},
		{"scope back", func() error { return change("trade api") }, "", "api"},
		{"off", func() error { return b.SwitchApplication(t.Context(), b.ana, b.app.ID, false) }, models.RefusedDisabled, ""},
		{"on", func() error { return b.SwitchApplication(t.Context(), b.ana, b.app.ID, true) }, "", "api"},
		{"all revoked", func() error { _, err := b.RevokeTokens(t.Context(), b.ana, b.app.ID); return err }, models.RefusedRevoked, ""},
	} {
		if err := step.deed(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		for range 2 {
			if got := refusal(t, b.verifier, value); got != step.want {
				t.Errorf("%s: refused as %q, want %q", step.what, got, step.want)
			}
		}
		if grant, _ := b.verifier.Inspect(t.Context(), value, ""); grant.Scopes != step.scopes {
			t.Errorf("%s: scopes %q, want %q", step.what, grant.Scopes, step.scopes)
		}
	}
}

// A token that was on its way while all were revoked is of the epoch before.
func TestTokenOfAnEarlierEpoch(t *testing.T) {
	b := newBench(t)
	b.issue(t)
	if _, err := b.RevokeTokens(t.Context(), b.ana, b.app.ID); err != nil {
		t.Fatal(err)
	}
	_, late := b.issue(t) // by what was known of the application before
	if got := refusal(t, b.verifier, late); got != models.RefusedRevoked {
		t.Errorf("refused as %q", got)
	}
	b.app.Epoch++
	if _, value := b.issue(t); refusal(t, b.verifier, value) != "" {
		t.Error("a token of the new epoch is refused")
	}
}

// T6 on a real database: a cache without a feed answers by the database alone.
func TestUntrustedCacheOverARealStore(t *testing.T) {
	b := newBench(t)
	v := tokens.NewVerifier(b.Store, tokens.NewCache(), b.lastUsed, b.Now)
	token, value := b.issue(t)
	if got := refusal(t, v, value); got != "" {
		t.Fatalf("refused as %q", got)
	}
	statement := "UPDATE tokens SET revoked_at = 1 WHERE id = ?" // behind the back of every cache
	if _, err := b.Raw(t).ExecContext(t.Context(), statement, token.ID); err != nil {
		t.Fatal(err)
	}
	if got := refusal(t, v, value); got != models.RefusedRevoked {
		t.Errorf("refused as %q", got)
	}
}
