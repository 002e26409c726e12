package secrets_test

import (
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// A token value is hashed at each use.
func BenchmarkHash(b *testing.B) {
	value := models.NewSecret("lk_at_" + secrets.RandomText() + "000000")
	b.ReportAllocs()
	for b.Loop() {
		_ = secrets.Hash(value)
	}
}

// The random part of each token.
func BenchmarkRandomText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = secrets.RandomText()
	}
}
