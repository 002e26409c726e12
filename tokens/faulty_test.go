package tokens_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

// T2: the row that the index found is compared once more. Whatever is sent, the
// answer is one of two words, and long values are not looked up.
func TestVerifyWithAFaultyStore(t *testing.T) {
	value := models.NewSecret(issue(t, "lk_at_", 1)[0])
	good := models.Bearer{Token: models.Token{ID: "t", Hash: secrets.Hash(value), ExpiresAt: noon + 1}}
	for _, test := range []struct {
		what    string
		value   string
		store   *fakeStore
		want    models.Refusal
		lookups int
	}{
		{"right row", value.Reveal(), &fakeStore{bearer: good}, "", 1},
		{"row of another value", issue(t, "lk_at_", 1)[0], &fakeStore{bearer: good}, models.RefusedUnknown, 1},
		{"row without a hash", value.Reveal(), &fakeStore{bearer: models.Bearer{Token: models.Token{ExpiresAt: noon + 1}}}, models.RefusedUnknown, 1},
		{"no row", value.Reveal(), &fakeStore{findErr: models.ErrNotFound}, models.RefusedUnknown, 1},
		{"no row, bad checksum", value.Reveal() + "x", &fakeStore{findErr: models.ErrNotFound}, models.RefusedCheckDigits, 1},
		{"found without a good checksum", "imported", &fakeStore{bearer: models.Bearer{Token: models.Token{Hash: secrets.Hash(models.NewSecret("imported")), ExpiresAt: noon + 1}}}, "", 1}, // T1
		{"empty", "", &fakeStore{bearer: good}, models.RefusedMalformed, 0},
		{"512 bytes", strings.Repeat("-", 512), &fakeStore{findErr: models.ErrNotFound}, models.RefusedMalformed, 1},
		{"513 bytes", strings.Repeat("a", 513), &fakeStore{bearer: good}, models.RefusedMalformed, 0}, // R2
	} {
		if got := refusal(t, tokens.NewVerifier(test.store, tokens.Trusted(), nil, fixed(noon)), models.NewSecret(test.value)); got != test.want {
			t.Errorf("%s: refused as %q, want %q", test.what, got, test.want)
		}
		if test.store.lookups != test.lookups {
			t.Errorf("%s: %d look-ups, want %d", test.what, test.store.lookups, test.lookups)
		}
	}
	// A6: a store that cannot say lets nothing through.
	for _, cause := range []error{models.ErrUnavailable, models.ErrBusy, context.DeadlineExceeded, errors.New("odd")} {
		grant, err := tokens.NewVerifier(&fakeStore{bearer: good, findErr: cause}, tokens.Trusted(), nil, fixed(noon)).Inspect(t.Context(), value, "")
		var refused tokens.RefusedError
		if !errors.Is(err, cause) || errors.As(err, &refused) || grant != (tokens.Grant{}) || strings.Contains(err.Error(), value.Reveal()) {
			t.Errorf("%v: got %+v, %v", cause, grant, err)
		}
	}
}
