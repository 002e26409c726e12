package secrets_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

var home = secrets.Place{Table: "tokens", Column: "sealed", Row: "0197-a"}

func newKeys(t *testing.T) (*secrets.Keys, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	keys, err := secrets.CreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys, path
}

func seal(t *testing.T, keys *secrets.Keys, value string, place secrets.Place) []byte {
	t.Helper()
	sealed, err := keys.Seal(models.NewSecret(value), place)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealRoundTrip(t *testing.T) {
	keys, path := newKeys(t)
	loaded, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"", "lk_at_abc", "пароль 🔑", strings.Repeat("x", 1<<16), "\x00\xff"} {
		sealed := seal(t, keys, value, home)
		if value != "" && bytes.Contains(sealed, []byte(value)) {
			t.Errorf("the sealed form of %.20q holds it in the clear", value)
		}
		got, err := loaded.Open(sealed, home)
		if err != nil || got.Reveal() != value {
			t.Errorf("Open(Seal(%.20q)) failed: %v", value, err)
		}
	}
}

// K2: a value that was moved to another row, column, table or installation does
// not open. K7: nor does a damaged one, and the error is the same.
func TestSealedValueOpensAtHomeOnly(t *testing.T) {
	keys, _ := newKeys(t)
	others, _ := newKeys(t)
	sealed := seal(t, keys, "canary-value", home)
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	unknownKey := bytes.Clone(sealed)
	unknownKey[1] ^= 1

	for _, tt := range []struct {
		name   string
		keys   *secrets.Keys
		sealed []byte
		place  secrets.Place
	}{
		{"other row", keys, sealed, secrets.Place{Table: "tokens", Column: "sealed", Row: "0197-b"}},
		{"other column", keys, sealed, secrets.Place{Table: "tokens", Column: "sealed2", Row: "0197-a"}},
		{"other table", keys, sealed, secrets.Place{Table: "client_secrets", Column: "sealed", Row: "0197-a"}},
		{"shifted border", keys, sealed, secrets.Place{Table: "tokenss", Column: "ealed", Row: "0197-a"}},
		{"swapped parts", keys, sealed, secrets.Place{Table: "sealed", Column: "tokens", Row: "0197-a"}},
		{"no place", keys, sealed, secrets.Place{}},
		{"other key file", others, sealed, home},
		{"changed", keys, flipped, home},
		{"unknown key id", keys, unknownKey, home},
		{"cut", keys, sealed[:len(sealed)-1], home},
		{"header alone", keys, sealed[:5], home},
		{"empty", keys, nil, home},
		{"not sealed", keys, []byte("canary-value"), home},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.keys.Open(tt.sealed, tt.place)
			if err != secrets.ErrSealed { //nolint:errorlint // the very word, nothing wrapped
				t.Errorf("error %v, want ErrSealed itself", err)
			}
			if !got.IsEmpty() {
				t.Error("a value came with the error")
			}
		})
	}
}

// K2: nonces are random, so equal values do not look equal.
func TestSealUsesFreshNonces(t *testing.T) {
	keys, _ := newKeys(t)
	seen := map[string]bool{}
	for range 500 {
		nonce := string(seal(t, keys, "same", home)[5:17])
		if seen[nonce] {
			t.Fatal("a nonce came twice")
		}
		seen[nonce] = true
	}
}

// K2: length before each part, so that no two places share bytes.
func TestAssociatedData(t *testing.T) {
	got := hex.EncodeToString(secrets.Place{Table: "t", Column: "", Row: "ab"}.AssociatedData())
	want := "0000000000000017" + hex.EncodeToString([]byte("latchkey sealed value 1")) +
		"0000000000000001" + "74" + "0000000000000000" + "0000000000000002" + "6162"
	if got != want {
		t.Errorf("associated data changed, stored values would not open any more:\n got %s\nwant %s", got, want)
	}
}

// K1: the sealed form is AES-256-GCM, as the standard library reads it.
func TestSealIsAES256GCM(t *testing.T) {
	keys, path := newKeys(t)
	sealed := seal(t, keys, "lk_at_example", home)
	block, err := aes.NewCipher(rawSealKey(t, path))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	got, err := gcm.Open(nil, sealed[5:17], sealed[17:], home.AssociatedData())
	if err != nil || string(got) != "lk_at_example" {
		t.Errorf("standard library opened %q, %v", got, err)
	}
}

// rawSealKey takes the key out of Tink's JSON: a protobuf with one field of 32 bytes.
func rawSealKey(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Seal struct {
			Key []struct{ KeyData struct{ Value []byte } }
		}
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	value := file.Seal.Key[0].KeyData.Value
	if len(value) != 34 || value[0] != 0x1a || value[1] != 32 {
		t.Fatalf("key of %d bytes, want 32 and a header", len(value)-2)
	}
	return value[2:]
}

// A value sealed by an earlier build opens: the format is kept.
func TestKnownSealedValueOpens(t *testing.T) {
	path := writeKeyFile(t, knownKeyFile, 0o600)
	keys, err := secrets.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hex.DecodeString(knownSealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keys.Open(sealed, home)
	if err != nil || got.Reveal() != "lk_at_known" {
		t.Errorf("Open = %q, %v", got.Reveal(), err)
	}
}
