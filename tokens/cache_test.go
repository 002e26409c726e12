package tokens_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

func TestVerifyAsksTheStoreOnce(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	d.wants(t, "first", "", 1)
	fresh, err := d.Inspect(t.Context(), theValue, "")
	if err != nil {
		t.Fatal(err)
	}
	want := tokens.Grant{Hash: [32]byte(secrets.Hash(theValue)), TokenID: "t", TeamID: "team", ApplicationID: "app", ClientID: "client", Scopes: "api trade", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	for range 100 {
		if got, err := d.Inspect(t.Context(), theValue, ""); got != want || got != fresh || err != nil {
			t.Fatalf("from the cache %+v, %v, want %+v", got, err, want)
		}
	}
	if d.store.asked(0) != 1 {
		t.Errorf("%d look-ups", d.store.asked(0))
	}
}

// T5 T6: each hit compares the expiry with the clock that was passed in, to the
// millisecond; the store has the last word on a token that has ended.
func TestExpiryIsCheckedAtEachHit(t *testing.T) {
	ends := noon.Add(time.Hour)
	d := newDesk(t, tokens.Trusted())
	d.wants(t, "first", "", 1)
	for _, step := range []struct {
		what  string
		now   models.Time
		want  models.Refusal
		asked int
	}{
		{"a millisecond before", ends - 1, "", 0},
		{"at the moment", ends, models.RefusedExpired, 1},
		{"and again", ends, models.RefusedExpired, 1},
		{"a millisecond later", ends + 1, models.RefusedExpired, 1},
	} {
		d.now = step.now
		d.wants(t, step.what, step.want, step.asked)
	}
	d.store.bearer.ExpiresAt = ends + 10
	d.wants(t, "where the store knows better", "", 1)
}

// T5: the time that passes is not the clock, and does not end or lengthen a token.
func TestExpiryUsesTheClockAlone(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		d := &desk{store: &fakeStore{bearer: bearerOf(theValue)}, cache: tokens.Trusted(), now: noon}
		d.Verifier = tokens.NewVerifier(d.store, d.cache, nil, func() models.Time { return d.now })
		d.wants(t, "first", "", 1)
		time.Sleep(100 * time.Hour)
		d.wants(t, "the clock stands", "", 0)
		d.now = noon.Add(time.Hour)
		d.wants(t, "the clock jumps ahead", models.RefusedExpired, 1)
	})
}

// T5: a token that ends while the store is asked is not good by the time it answers.
func TestTokenThatEndsDuringTheRead(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	d.store.find = func(context.Context, []byte) (models.Bearer, error) {
		d.now = noon.Add(time.Hour)
		return bearerOf(theValue), nil
	}
	d.wants(t, "the store was slow", models.RefusedExpired, 1)
	d.wantsEmpty(t)
}

// R3 T6: a guesser fills nothing.
func TestCacheKeepsNoMisses(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	d.store.findErr = models.ErrNotFound
	for i := range 1000 {
		for _, value := range []string{fmt.Sprintf("lk_at_%043d", i) + crc(fmt.Sprintf("lk_at_%043d", i)), fmt.Sprint("guess ", i), strings.Repeat("x", 500+i)} {
			if got, _ := d.inspectFor(t, models.NewSecret(value), ""); got != models.RefusedUnknown && got != models.RefusedMalformed && got != models.RefusedCheckDigits {
				t.Fatalf("%.60q is refused as %q", value, got)
			}
		}
	}
	d.wantsEmpty(t)
}

// T6: what is refused is read anew each time, so that a deed undone counts at once.
func TestCacheKeepsNothingRefused(t *testing.T) {
	for want, deed := range map[models.Refusal]func(b *models.Bearer){
		models.RefusedRevoked:   func(b *models.Bearer) { b.RevokedAt = noon },
		models.RefusedExpired:   func(b *models.Bearer) { b.ExpiresAt = noon },
		models.RefusedDisabled:  func(b *models.Bearer) { b.AppDisabledAt = noon },
		models.RefusedDeleted:   func(b *models.Bearer) { b.AppDeletedAt = noon },
		models.RefusedSuspended: func(b *models.Bearer) { b.TeamSuspendedAt = noon },
		models.RefusedUnknown:   func(b *models.Bearer) { b.Hash = secrets.Hash(models.NewSecret("another")) },
	} {
		d := newDesk(t, tokens.Trusted())
		deed(&d.store.bearer)
		reason := want
		if want == models.RefusedUnknown {
			reason = models.RefusedMalformed // the value of the desk has no checksum
		}
		d.wants(t, "first", reason, 1)
		d.wants(t, "second", reason, 1)
		d.wantsEmpty(t)
		d.store.bearer = bearerOf(theValue)
		d.wants(t, "good again", "", 1)
	}
}

// O3: neither the answer nor the work tells a foreign token from none.
func TestForeignTokenCostsWhatNoneCosts(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	for range 3 {
		if got, asked := d.inspectFor(t, theValue, "other team"); got != models.RefusedForeign || asked != 1 {
			t.Errorf("foreign: %q with %d look-ups", got, asked)
		}
	}
	if got, asked := d.inspectFor(t, theValue, "team"); got != "" || asked != 0 {
		t.Errorf("own: %q with %d look-ups", got, asked)
	}
	if got, asked := d.inspectFor(t, theValue, "other team"); got != models.RefusedForeign || asked != 1 {
		t.Errorf("foreign, in the cache: %q with %d look-ups", got, asked)
	}
	d.store.bearer, d.store.findErr = models.Bearer{}, models.ErrNotFound
	for range 2 {
		if _, asked := d.inspectFor(t, models.NewSecret("none"), "other team"); asked != 1 {
			t.Errorf("unknown: %d look-ups", asked)
		}
	}
}

// T6: without a feed the cache is neither read nor filled.
func TestUntrustedCacheIsNotUsed(t *testing.T) {
	d := newDesk(t, tokens.NewCache())
	for range 3 {
		d.wants(t, "no feed", "", 1)
	}
	d.wantsEmpty(t)
	d.cache.Forget(models.Notice{TokenHash: secrets.Hash(theValue), ApplicationID: "app", ClientID: "client"})
	d.wants(t, "after a notice", "", 1)
	d.store.findErr = models.ErrUnavailable
	if grant, err := d.Inspect(t.Context(), theValue, ""); !errors.Is(err, models.ErrUnavailable) || grant != (tokens.Grant{}) {
		t.Errorf("the store is away: %+v, %v", grant, err)
	}
}

// R3: a notice with a hash of another length reaches the application all the same.
func TestOddNotices(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	for _, length := range []int{0, 1, sha256.Size - 1, sha256.Size + 1, 4096} {
		d.wants(t, "filled", "", 1)
		d.cache.Forget(models.Notice{TokenHash: make([]byte, length), ApplicationID: "app"})
	}
}
