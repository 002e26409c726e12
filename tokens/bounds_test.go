package tokens_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

// What architecture and documentation promise of the cache.
const (
	maxTokens       = 100_000
	maxApplications = 10_000
)

// settles waits until a size is at most limit: what is too much goes in the
// background.
func settles(t *testing.T, what string, limit int, size func() int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); size() > limit && time.Now().Before(deadline); {
		time.Sleep(10 * ms)
	}
	if got := size(); got > limit || got < limit*9/10 {
		t.Errorf("%s: %d are remembered, want %d", what, got, limit)
	}
}

// R3: the cache is bounded, however many good tokens of however many applications
// and clients there are, and it stays right beyond its bounds.
func TestCacheIsBounded(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	d.store.find = func(_ context.Context, hash []byte) (models.Bearer, error) {
		b := bearerOf(theValue)
		b.Hash, b.ID = hash, fmt.Sprintf("%x", hash[:8])
		b.ApplicationID = fmt.Sprint(binary.BigEndian.Uint16(hash) % 15_000)
		return b, nil
	}
	most := fillFromTwo(t, d, maxTokens*6/5)
	if most > maxTokens*11/10 {
		t.Errorf("at its largest it held %d", most)
	}
	settles(t, "applications", maxApplications, d.cache.Applications)
	settles(t, "tokens", maxTokens, func() int { kept, _ := d.cache.Holds(); return kept })
	for i := range 1000 {
		value := models.NewSecret(fmt.Sprint(i%2, " ", i))
		grant, err := d.Inspect(t.Context(), value, "")
		if hash := secrets.Hash(value); err != nil || grant.TokenID != fmt.Sprintf("%x", hash[:8]) || grant.ApplicationID != fmt.Sprint(binary.BigEndian.Uint16(hash)%15_000) {
			t.Fatalf("got %+v, %v", grant, err)
		}
	}
	checkClientBound(t, d)
}

// fillFromTwo verifies n tokens on two goroutines and returns how many the cache
// held at most.
func fillFromTwo(t *testing.T, d *desk, n int) int {
	t.Helper()
	var both sync.WaitGroup
	most := make([]int, 2)
	for worker := range most {
		both.Go(func() {
			for i := range n / 2 {
				if _, err := d.Inspect(t.Context(), models.NewSecret(fmt.Sprint(worker, " ", i)), ""); err != nil {
					t.Error(err)
					return
				}
				if i%100 == 0 {
					kept, _ := d.cache.Holds()
					most[worker] = max(most[worker], kept)
				}
			}
		})
	}
	both.Wait()
	return max(most[0], most[1])
}

func checkClientBound(t *testing.T, d *desk) {
	t.Helper()
	d.store.who = func(_ context.Context, id string) (models.Client, error) { return models.Client{ClientID: id}, nil }
	clients := tokens.NewClients(d.store, d.cache)
	for i := range maxApplications * 3 / 2 {
		if client, err := clients.Prove(t.Context(), fmt.Sprint(i), yes); err != nil || client.ClientID != fmt.Sprint(i) {
			t.Fatal(client, err)
		}
	}
	settles(t, "clients", maxApplications, func() int { _, kept := d.cache.Holds(); return kept })
}
