package models_test

import (
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

var noon = models.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

func TestTokenStatus(t *testing.T) {
	for _, test := range []struct {
		what    string
		expires models.Time
		revoked models.Time
		want    models.Status
	}{
		{"a millisecond before it expires", noon + 1, 0, models.StatusActive},
		{"at the moment of expiry", noon, 0, models.StatusExpired}, // T5
		{"a millisecond after", noon - 1, 0, models.StatusExpired},
		{"no expiry is not never", 0, 0, models.StatusExpired}, // T5
		{"revoked", noon + 1, noon, models.StatusRevoked},
		{"revoked and expired", noon - 1, noon - 2, models.StatusRevoked},
	} {
		token := models.Token{ExpiresAt: test.expires, RevokedAt: test.revoked}
		if got := token.Status(noon); got != test.want {
			t.Errorf("%s: got %s, want %s", test.what, got, test.want)
		}
	}
}

func TestBearerRefused(t *testing.T) {
	for _, test := range []struct {
		what   string
		bearer models.Bearer
		want   models.Refusal
	}{
		{"good", models.Bearer{}, ""},
		{"at the moment of expiry", models.Bearer{Token: models.Token{ExpiresAt: noon}}, models.RefusedExpired},      // T5
		{"revoked", models.Bearer{Token: models.Token{ExpiresAt: noon + 1, RevokedAt: noon}}, models.RefusedRevoked}, // T4
		{"revoked by a clock ahead", models.Bearer{Token: models.Token{ExpiresAt: noon + 1, RevokedAt: noon + 9}}, models.RefusedRevoked},
		{"switched off", models.Bearer{AppDisabledAt: noon}, models.RefusedDisabled}, // T4
		{"deleted", models.Bearer{AppDeletedAt: noon}, models.RefusedDeleted},        // T4
		{"suspended", models.Bearer{TeamSuspendedAt: noon}, models.RefusedSuspended}, // T4
		{"deleted comes first", models.Bearer{AppDeletedAt: noon, AppDisabledAt: noon, TeamSuspendedAt: noon, Token: models.Token{ExpiresAt: 1, RevokedAt: 1}}, models.RefusedDeleted},
	} {
		if test.bearer.ExpiresAt == 0 {
			test.bearer.ExpiresAt = noon + 1
		}
		reason, refused := test.bearer.Refused(noon)
		if reason != test.want || refused != (test.want != "") {
			t.Errorf("%s: got %q, %v, want %q", test.what, reason, refused, test.want)
		}
	}
}

func TestGrant(t *testing.T) {
	for _, test := range []struct {
		asked, owned, want string
		ok                 bool
	}{
		{"", "api stream", "api stream", true},
		{" ", "api stream", "", false},
		{"api stream ", "api stream", "", false},
		{"api\tstream", "api stream", "", false},
		{"api\u00a0stream", "api stream", "", false},
		{"api\nstream", "api stream", "", false},
		{"api", "api stream", "api", true},
		{"stream api", "api stream", "stream api", true},
		{"api api", "api", "api", true},
		{"api  api", "api", "", false},
		{"admin", "api", "", false}, // O6
		{"api admin", "api", "", false},
		{"API", "api", "", false},
		{"ap", "api", "", false},
		{"api,stream", "api stream", "", false},
		{"api", "", "", false},
		{"", "", "", true},
	} {
		if got, ok := models.Grant(test.asked, test.owned); got != test.want || ok != test.ok {
			t.Errorf("%q of %q: got %q, %v", test.asked, test.owned, got, ok)
		}
	}
}

// O6: what counts is what was granted and the application still has.
func TestEffectiveScopes(t *testing.T) {
	for _, test := range []struct{ granted, owned, want string }{
		{"api stream", "api stream", "api stream"},
		{"api stream", "stream", "stream"},
		{"api", "api stream", "api"},
		{"api", "stream", ""},
		{"", "api", ""},
		{"api", "", ""},
		{"api", "apis", ""},
	} {
		if got := models.EffectiveScopes(test.granted, test.owned); got != test.want {
			t.Errorf("granted %q, owned %q: got %q, want %q", test.granted, test.owned, got, test.want)
		}
	}
}

// T5: a token lives no longer than its application says.
func TestExpiry(t *testing.T) {
	app := models.Application{Lifespan: 3600}
	for lifespan, want := range map[int64]time.Duration{0: time.Hour, -5: time.Hour, 60: time.Minute, 3600: time.Hour, 3601: time.Hour, 1 << 62: time.Hour} {
		if got := app.Expiry(noon, lifespan).Sub(noon); got != want {
			t.Errorf("lifespan %d: expires after %v, want %v", lifespan, got, want)
		}
	}
}

// T8: an old secret ends at the chosen moment.
func TestClientSecretGood(t *testing.T) {
	for expires, want := range map[models.Time]bool{0: true, noon + 1: true, noon: false, noon - 1: false} {
		if got := (models.ClientSecret{ExpiresAt: expires}).Good(noon); got != want {
			t.Errorf("expires %d from now: got %v", expires-noon, got)
		}
	}
}
