package secrets_test

import (
	"encoding/hex"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// T1 S1 S13: size and alphabet of what is made, no value twice.
func TestRandomValues(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func() models.Secret
		want *regexp.Regexp
	}{
		{"code", secrets.Code, regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)},
		{"client secret", secrets.NewClientSecret, regexp.MustCompile(`^lk_cs_[0-9A-Za-z]{43}$`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 2000 {
				value := tt.make().Reveal()
				if !tt.want.MatchString(value) {
					t.Fatalf("%q does not match %s", value, tt.want)
				}
				if seen[value] {
					t.Fatalf("%q was made twice", value)
				}
				seen[value] = true
			}
		})
	}
}

func TestBase62(t *testing.T) {
	all := strings.Repeat("\xff", 32)
	for _, tt := range []struct {
		bytes  string
		length int
		want   string
	}{
		{"", 3, "000"},
		{"\x00", 1, "0"},
		{"\x3d", 1, "z"},
		{"\x3e", 2, "10"},
		{"\x00\x00\x0a", 4, "000A"},
		{"\x24", 2, "0a"},
		{"\xff\xff\xff\xff", 6, "4gfFC3"},
		{all, 43, viaBigInt(all, 43)},
		{"\x00" + all[1:], 43, viaBigInt(all[1:], 43)},
	} {
		in := []byte(tt.bytes)
		if got := secrets.Base62(in, tt.length); got != tt.want {
			t.Errorf("Base62(%x, %d) = %q, want %q", tt.bytes, tt.length, got, tt.want)
		}
		if string(in) != tt.bytes {
			t.Errorf("Base62 changed its argument to %x", in)
		}
	}
}

// viaBigInt: math/big has the same digits with the cases swapped.
func viaBigInt(bytes string, length int) string {
	text := new(big.Int).SetBytes([]byte(bytes)).Text(62)
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, text)
	return strings.Repeat("0", length-len(text)) + text
}

func TestBase62RefusesToTruncate(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a number that does not fit")
		}
	}()
	secrets.Base62([]byte{62}, 1)
}

// T2: look-up is by SHA-256; FIPS 180-2 example.
func TestHash(t *testing.T) {
	got := hex.EncodeToString(secrets.Hash(models.NewSecret("abc")))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("Hash(abc) = %s", got)
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"ab", "ab", true}, {"ab", "ac", false}, {"ab", "abc", false}, {"", "", true}, {"a", "", false}} {
		if got := secrets.Equal([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("Equal(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}
