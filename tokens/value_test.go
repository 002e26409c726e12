package tokens_test

import (
	"bytes"
	"hash/crc32"
	"math/big"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crc is the checksum of the contract, worked out apart from the product:
// CRC-32 of body as six base62 digits.
func crc(body string) string {
	swapped := strings.Map(func(r rune) rune { // math/big puts small letters first
		return rune(strings.ToUpper(string(r))[0]) ^ rune(strings.ToLower(string(r))[0]) ^ r
	}, new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))).Text(62))
	return strings.Repeat("0", 6-len(swapped)) + swapped
}

// issue makes n tokens and returns their values.
func issue(t *testing.T, prefix string, n int) []string {
	t.Helper()
	store := &fakeStore{}
	issuer := tokens.NewIssuer(t.Context(), store, nil, prefix, 365*86400, fixed(noon))
	defer closeIssuer(t, issuer)
	values := make([]string, n)
	for i := range values {
		token, value, err := issuer.Issue(t.Context(), &models.Application{ID: "a", Lifespan: 60}, "api")
		if err != nil {
			t.Fatal(err)
		}
		values[i] = value.Reveal()
		if !bytes.Equal(token.Hash, secrets.Hash(value)) || token.Last4 != values[i][len(values[i])-4:] {
			t.Fatalf("hash or last four characters of %+v do not fit the value", token)
		}
	}
	return values
}

func TestValueFormat(t *testing.T) {
	for _, prefix := range []string{"lk_at_", "ory_at_", "", "köy_"} {
		for _, value := range issue(t, prefix, 50) {
			body, found := strings.CutPrefix(value, prefix)
			if !found || len(body) != 43+6 || strings.Trim(body, digits62) != "" {
				t.Fatalf("%q is not %q, 43 and 6 base62 characters", value, prefix)
			}
			if cut := len(value) - 6; value[cut:] != crc(value[:cut]) {
				t.Fatalf("%q ends in %q, want %q", value, value[cut:], crc(value[:cut]))
			}
			if !tokens.WellFormed(value) {
				t.Fatalf("%q is not well formed", value)
			}
		}
	}
}

// T1: 10,000 values differ, and no part of them stands still.
func TestValuesAreUnique(t *testing.T) {
	const n = 10_000
	seen := map[string]bool{}
	places := make([]map[byte]bool, 43)
	for i := range places {
		places[i] = map[byte]bool{}
	}
	for _, value := range issue(t, "lk_at_", n) {
		random := value[len("lk_at_"):][:43]
		seen[random] = true
		for i := range places {
			places[i][random[i]] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d values in %d tokens", len(seen), n)
	}
	for i, characters := range places[1:] { // 256 bits do not fill the first digit
		if len(characters) != 62 {
			t.Errorf("character %d takes only %d values", i+1, len(characters))
		}
	}
}

func TestWellFormed(t *testing.T) {
	good := issue(t, "lk_at_", 1)[0]
	body := good[:len(good)-6]
	other := func(c byte) string {
		if c == 'a' {
			return "b"
		}
		return "a"
	}
	long := strings.Repeat("x", 512-6)
	for _, test := range []struct {
		what, text string
		want       bool
	}{
		{"as issued", good, true},
		{"another prefix", issue(t, "ory_at_", 1)[0], true},
		{"no prefix", issue(t, "", 1)[0], true},
		{"512 bytes", long + crc(long), true},
		{"513 bytes", long + "x" + crc(long+"x"), false},
		{"empty", "", false},
		{"prefix alone", "lk_at_", false},
		{"48 characters", strings.Repeat("x", 42) + crc(strings.Repeat("x", 42)), false},
		{"49 characters", strings.Repeat("x", 43) + crc(strings.Repeat("x", 43)), true},
		{"first character changed", other(good[0]) + good[1:], false},
		{"one random character changed", good[:20] + other(good[20]) + good[21:], false},
		{"last character changed", good[:len(good)-1] + other(good[len(good)-1]), false},
		{"cut short", good[:len(good)-1], false},
		{"one too many", good + "a", false},
		{"space behind", good + " ", false},
		{"in capitals", strings.ToUpper(good), false},
		{"punctuation with a right checksum", "lk_at_" + strings.Repeat("-", 43) + crc("lk_at_"+strings.Repeat("-", 43)), false},
		{"two bytes a letter with a right checksum", "lk_at_" + strings.Repeat("é", 43) + crc("lk_at_"+strings.Repeat("é", 43)), false},
		{"checksum of the random part alone", body + crc(body[len("lk_at_"):]), false},
		{"10 kB", strings.Repeat("a", 10_000), false},
	} {
		if got := tokens.WellFormed(test.text); got != test.want {
			t.Errorf("%s: got %v for %.80q", test.what, got, test.text)
		}
	}
}

func FuzzWellFormed(f *testing.F) {
	for _, seed := range []string{"", "lk_at_", strings.Repeat("x", 43) + crc(strings.Repeat("x", 43)), strings.Repeat("é", 30), strings.Repeat("a", 600)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// Most texts have a wrong checksum; with the right one the shape decides.
		for _, candidate := range []string{text, text + crc(text)} {
			want := len(candidate) >= 49 && len(candidate) <= 512
			if want {
				tail := candidate[len(candidate)-49:]
				want = strings.Trim(tail, digits62) == "" && candidate[len(candidate)-6:] == crc(candidate[:len(candidate)-6])
			}
			if got := tokens.WellFormed(candidate); got != want {
				t.Fatalf("%q: got %v, want %v", candidate, got, want)
			}
		}
	})
}
