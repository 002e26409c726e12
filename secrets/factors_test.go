package secrets

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp/hotp"

	"github.com/latchkey/latchkey/models"
)

// K1, S17: the vectors of RFC 6238 appendix B, the last six digits of eight, with HMAC-SHA-1.
func TestCodesOfTheRFC(t *testing.T) {
	seed := models.NewSecret(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")))
	for seconds, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		at, ok := CodeStep(seed, models.NewSecret(code), models.Time(seconds*1000))
		if !ok || at != seconds/30 {
			t.Errorf("%s at %d: step %d, %v", code, seconds, at, ok)
		}
	}
}

// S17: one step of drift either way and no more; 160 bits; nothing but six digits.
func TestCodeSteps(t *testing.T) {
	seed := NewSeed()
	if raw, err := base32.StdEncoding.DecodeString(seed.Reveal()); err != nil || len(raw) != 20 || seed.Reveal() == NewSeed().Reveal() {
		t.Fatalf("a seed of %d bytes, %v", len(raw), err)
	}
	now := models.Time(1_795_449_600_000)
	for drift := int64(-3); drift <= 3; drift++ {
		code := codeAt(t, seed, int64(now)/30_000+drift)
		at, ok := CodeStep(seed, models.NewSecret(code), now)
		near := drift >= -1 && drift <= 1
		if ok != near || near && at != int64(now)/30_000+drift {
			t.Errorf("%d steps off: %v, step %d", drift, ok, at)
		}
	}
	code := codeAt(t, seed, int64(now)/30_000)
	for typed, want := range map[string]bool{code: true, " " + code[:3] + " " + code[3:] + " ": true, "": false, code[:5]: false, code + "0": false, "+" + code[1:]: false, strings.Repeat("9", 9999): false} {
		if _, ok := CodeStep(seed, models.NewSecret(typed), now); ok != want {
			t.Errorf("%.20q: %v", typed, ok)
		}
	}
	if _, ok := CodeStep(models.NewSecret("not base32!"), models.NewSecret(""), now); ok {
		t.Error("an empty code is good for a seed that cannot be read")
	}
}

func codeAt(t *testing.T, seed models.Secret, step int64) string {
	t.Helper()
	code, err := hotp.GenerateCode(seed.Reveal(), uint64(step))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestSeedAddress(t *testing.T) {
	seed := NewSeed()
	at, err := url.Parse(SeedAddress(seed, "Latchkey", "ana+x@northwind.example").Reveal())
	if err != nil || at.Scheme != "otpauth" || at.Host != "totp" || at.Path != "/Latchkey:ana+x@northwind.example" || at.Query().Get("secret") != seed.Reveal() || at.Query().Get("issuer") != "Latchkey" {
		t.Errorf("%v, %v", at, err)
	}
}

// S18: ten codes of 80 bits, which may be typed in any case and without hyphens.
func TestRecoveryCodes(t *testing.T) {
	codes := NewRecoveryCodes()
	seen := map[string]bool{}
	for i, shown := range codes {
		number, code, ok := ReadRecoveryCode(shown)
		if raw, err := unpadded.DecodeString(code.Reveal()[1:]); !ok || number != i || err != nil || len(raw) != 10 || seen[code.Reveal()[1:]] {
			t.Errorf("code %d: %d, %v, %d bytes", i, number, ok, len(raw))
		}
		seen[code.Reveal()[1:]] = true
		for _, typed := range []string{strings.ToLower(shown.Reveal()), strings.ReplaceAll(shown.Reveal(), "-", ""), " " + strings.ReplaceAll(shown.Reveal(), "-", " ") + " ",
			shown.Reveal()[:1] + strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(shown.Reveal()[1:])} {
			if n, again, ok := ReadRecoveryCode(models.NewSecret(typed)); !ok || n != i || again.Reveal() != code.Reveal() {
				t.Errorf("typed as %q: %d, %v", typed, n, ok)
			}
		}
	}
	if len(codes) != 10 {
		t.Errorf("%d codes", len(codes))
	}
	for _, bad := range []string{"", "-", "A", "3", "3-ABCD", "x-ABCD-ABCD-ABCD-ABCD", "3-ABCD-ABCD-ABCD-ABCDE", "\u0663-ABCD-ABCD-ABCD-ABCD"} {
		if _, _, ok := ReadRecoveryCode(models.NewSecret(bad)); ok {
			t.Errorf("%q is read as a code", bad)
		}
	}
}

// S19: passkeys are of the configured host; a site at an address has none.
func TestPasskeySites(t *testing.T) {
	for base, want := range map[string]bool{"https://account.example.com": true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "http://[::1]:8080": false} {
		passkeys, err := NewPasskeys(base)
		if err != nil || passkeys.Available() != want {
			t.Errorf("%s: %v, %v", base, passkeys.Available(), err)
		}
	}
	for base, want := range map[string]string{"https://Account.Example.com:443": "https://account.example.com", "http://localhost:80": "http://localhost", "http://localhost:443": "http://localhost:443", "https://x.example": "https://x.example"} {
		passkeys, err := NewPasskeys(base)
		if err != nil || passkeys.site.Config.RPOrigins[0] != want {
			t.Errorf("%s: %v, %v", base, passkeys, err)
		}
	}
	if _, err := NewPasskeys("http://exa mple"); err == nil {
		t.Error("a base address that is none")
	}
}
