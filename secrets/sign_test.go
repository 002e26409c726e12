package secrets_test

import (
	"encoding/hex"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// The second vector of RFC 4231.
func TestSign(t *testing.T) {
	got := hex.EncodeToString(secrets.Sign(models.NewSecret("Jefe"), "what do ya want for nothing?"))
	if want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
