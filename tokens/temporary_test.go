package tokens_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

func (b *bench) temporary(t testing.TB, actor models.Actor) (models.Token, models.Secret) {
	t.Helper()
	token, value, err := b.issuer.Temporary(t.Context(), actor, "api")
	if err != nil {
		t.Fatal(err)
	}
	return token, value
}

// T4: fifty ask at once and all get the same value, which works.
func TestAllWhoAskGetTheSameTemporaryToken(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	values := make([]models.Secret, 50)
	for i := range values {
		wg.Go(func() {
			_, value, err := b.issuer.Temporary(context.Background(), b.ana, "api")
			if err != nil {
				t.Error(err)
			}
			values[i] = value
		})
	}
	wg.Wait()
	for _, value := range values {
		if value.Reveal() != values[0].Reveal() || !tokens.WellFormed(value.Reveal()) {
			t.Fatal("they got different values")
		}
	}
	if n := b.Number(t, "SELECT COUNT(*) FROM tokens"); n != 1 || refusal(t, b.verifier, values[0]) != "" {
		t.Errorf("%d rows, refused as %q", n, refusal(t, b.verifier, values[0]))
	}
}

// The value changes with the window and no sooner; the one before is good for 5 minutes
// more. T5: its end is compared at each use.
func TestTheTemporaryTokenChanges(t *testing.T) {
	b := newBench(t)
	token, first := b.temporary(t, b.ana)
	midnight := models.At(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	if token.ExpiresAt != midnight.Add(5*time.Minute) || token.Kind != models.KindTemporary {
		t.Errorf("%+v", token)
	}
	for _, step := range []struct {
		at    models.Time
		same  bool
		first models.Refusal
	}{{midnight - 1, true, ""}, {midnight, false, ""}, {midnight.Add(5*time.Minute) - 1, false, ""}, {midnight.Add(5 * time.Minute), false, models.RefusedExpired}} {
		b.Until(step.at)
		_, value := b.temporary(t, b.ana)
		if same := value.Reveal() == first.Reveal(); same != step.same || refusal(t, b.verifier, value) != "" || refusal(t, b.verifier, first) != step.first {
			t.Errorf("at %s: the same %v, the first %q", step.at.Std().UTC(), same, refusal(t, b.verifier, first))
		}
	}
	if n := b.Number(t, "SELECT COUNT(*) FROM tokens"); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// T4: the very next look refuses what has ended, from a cache that knew it as good.
func TestTemporaryTokensAreRefusedAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		deed func(b *bench, jon models.Actor, token models.Token) error
		want models.Refusal
	}{
		"removed": {func(b *bench, jon models.Actor, _ models.Token) error {
			_, err := b.RemoveMember(context.Background(), b.ana, jon.UserID)
			return err
		}, models.RefusedRevoked},
		"a viewer": {func(b *bench, jon models.Actor, _ models.Token) error {
			_, err := b.ChangeRole(context.Background(), b.ana, jon.UserID, models.RoleViewer)
			return err
		}, models.RefusedRevoked},
		"disabled": {func(b *bench, jon models.Actor, _ models.Token) error {
			return b.DisableUser(context.Background(), models.CommandLine, jon.UserID)
		}, models.RefusedRevoked},
		"replaced": {func(b *bench, jon models.Actor, _ models.Token) error {
			_, err := b.ReplaceTemporaryToken(context.Background(), jon)
			return err
		}, models.RefusedRevoked},
		"revoked for all": {func(b *bench, _ models.Actor, token models.Token) error {
			_, err := b.RevokeTokens(context.Background(), b.ana, token.ApplicationID)
			return err
		}, models.RefusedRevoked},
		"switched off": {func(b *bench, _ models.Actor, token models.Token) error {
			return b.SwitchApplication(context.Background(), b.ana, token.ApplicationID, false)
		}, models.RefusedDisabled},
		"suspended": {func(b *bench, _ models.Actor, token models.Token) error {
			return b.SuspendTeam(context.Background(), models.CommandLine, token.TeamID, "unpaid")
		}, models.RefusedSuspended},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			jon := b.Member(t, "northwind", "jon", models.RoleDeveloper)
			token, value := b.temporary(t, jon)
			for range 2 { // the second time from the cache
				if got := refusal(t, b.verifier, value); got != "" {
					t.Fatalf("before: %q", got)
				}
			}
			if err := test.deed(b, jon, token); err != nil {
				t.Fatal(err)
			}
			if got := refusal(t, b.verifier, value); got != test.want {
				t.Errorf("refused as %q, want %q", got, test.want)
			}
		})
	}
}

// K2: a value opens in its own row alone.
func TestATemporaryValueOpensInItsOwnRow(t *testing.T) {
	b := newBench(t)
	jon := b.Member(t, "northwind", "jon", models.RoleDeveloper)
	token, _ := b.temporary(t, b.ana)
	other, _ := b.temporary(t, jon)
	ends := models.NewRotation(365 * 86400).Ends(b.Now())
	stored, err := b.TemporaryToken(t.Context(), jon.TeamID, jon.UserID, ends)
	if err != nil || stored.ID != other.ID {
		t.Fatal(err)
	}
	stored.ID = token.ID
	if _, err := b.issuer.Open(stored); err == nil {
		t.Error("it opens in another row")
	}
	if _, err := b.Raw(t).ExecContext(t.Context(), "UPDATE tokens SET sealed = (SELECT sealed FROM tokens WHERE id = ?) WHERE id = ?", other.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	if token, value, err := b.issuer.Temporary(t.Context(), b.ana, "api"); err == nil || value.Reveal() != "" {
		t.Errorf("a moved value was opened: %+v", token)
	}
}

// T5: an operator's bound holds for temporary tokens too.
func TestTemporaryTokensKeepTheOperatorsBound(t *testing.T) {
	b := newBench(t)
	short := tokens.NewIssuer(t.Context(), b.Store, b.keys, "lk_at_", 3600, b.Now)
	t.Cleanup(func() { _ = short.Close(context.Background()) })
	token, _, err := short.Temporary(t.Context(), b.ana, "api")
	if lives := token.ExpiresAt.Sub(token.CreatedAt); err != nil || lives > time.Hour {
		t.Errorf("it lives for %s, %v", lives, err)
	}
}

// A store that cannot say gives no token.
func TestNoTemporaryTokenWithoutTheStore(t *testing.T) {
	b := newBench(t)
	b.temporary(t, b.ana)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if token, value, err := b.issuer.Temporary(t.Context(), b.ana, "api"); !errors.Is(err, models.ErrUnavailable) || token.ID != "" || value.Reveal() != "" {
		t.Errorf("%+v, %v", token, err)
	}
}
