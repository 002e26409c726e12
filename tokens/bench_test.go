package tokens_test

import (
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

func BenchmarkWellFormed(b *testing.B) {
	text := "lk_at_" + digits62[:43]
	text += crc(text)
	b.ReportAllocs()
	for b.Loop() {
		if !tokens.WellFormed(text) {
			b.Fatal("not well formed")
		}
	}
}

// One caller: a value, its hash and a commit that is on disk.
func BenchmarkIssueAlone(b *testing.B) {
	w := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		w.issue(b)
	}
}

// 64 callers for each core share the commits.
func BenchmarkIssueParallel(b *testing.B) {
	w := newBench(b)
	b.SetParallelism(64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := w.issuer.Issue(b.Context(), &w.app, "api"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyFromCache(b *testing.B) {
	w := newBench(b)
	_, value := w.issue(b)
	verifyAgain(b, w.verifier, value)
}

func BenchmarkVerifyFromCacheParallel(b *testing.B) {
	w := newBench(b)
	_, value := w.issue(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := w.verifier.Inspect(b.Context(), value, ""); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyFromStore(b *testing.B) {
	w := newBench(b)
	_, value := w.issue(b)
	verifyAgain(b, tokens.NewVerifier(w.Store, tokens.NewCache(), w.lastUsed, w.Now), value)
}

// What a guesser costs.
func BenchmarkVerifyUnknown(b *testing.B) {
	w := newBench(b)
	text := "lk_at_" + digits62[:43]
	value := models.NewSecret(text + crc(text))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.verifier.Inspect(b.Context(), value, ""); err == nil {
			b.Fatal("an unknown token is good")
		}
	}
}

func verifyAgain(b *testing.B, v *tokens.Verifier, value models.Secret) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Inspect(b.Context(), value, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProveFromCache(b *testing.B) { proveAgain(b, tokens.Trusted()) }
func BenchmarkProveFromStore(b *testing.B) { proveAgain(b, tokens.NewCache()) }

func proveAgain(b *testing.B, cache *tokens.Cache) {
	b.Helper()
	w := newBench(b)
	clients, check := tokens.NewClients(w.Store, cache), presentsHash(w.app.Name)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := clients.Prove(b.Context(), w.app.ClientID, check); err != nil {
			b.Fatal(err)
		}
	}
}
