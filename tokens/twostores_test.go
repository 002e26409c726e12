package tokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

// twin is one database file with two stores on it: two processes. The first has a
// verifier whose cache a feed keeps true.
type twin struct {
	*bench
	other   *store.Store
	cache   *tokens.Cache
	clients *tokens.Clients
}

func newTwin(t *testing.T) *twin {
	t.Helper()
	w := &twin{bench: newBench(t), cache: tokens.NewCache()}
	w.Subscribe(w.cache.Forget)
	feed := tokens.NewFeed(t.Context(), w.Store, w.cache, quiet())
	t.Cleanup(feed.Close)
	w.verifier = tokens.NewVerifier(w.Store, w.cache, w.lastUsed, w.Now)
	w.clients = tokens.NewClients(w.Store, w.cache)
	var err error
	if w.other, err = store.Open(w.Path, w.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.other.Close() })
	return w
}

// within waits until something is so, long enough for any machine, and says how
// long it took: a second is what is promised.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%s: not after 20 seconds", what)
		}
		time.Sleep(ms)
	}
	t.Logf("%s: after %s", what, time.Since(began).Round(ms))
}

func (w *twin) remembered(t *testing.T, value models.Secret) {
	t.Helper()
	within(t, "remembered", func() bool {
		if got := refusal(t, w.verifier, value); got != "" {
			t.Fatalf("a new token is refused as %q", got)
		}
		kept, _ := w.cache.Holds()
		return kept == 1 && w.cache.IsTrusted()
	})
}

// Promise 2 T4 O10: what another process ends is refused here within a second.
func TestDeedsOfAnotherProcessReachTheCache(t *testing.T) {
	for want, deed := range map[models.Refusal]func(w *twin, token models.Token) error{
		models.RefusedRevoked: func(w *twin, token models.Token) error {
			_, _, err := w.other.RevokeToken(context.Background(), w.ana, w.app.ID, token.ID)
			return err
		},
		models.RefusedDisabled: func(w *twin, _ models.Token) error {
			return w.other.SwitchApplication(context.Background(), w.ana, w.app.ID, false)
		},
		models.RefusedDeleted: func(w *twin, _ models.Token) error {
			_, err := w.other.DeleteApplication(context.Background(), w.ana, w.app.ID)
			return err
		},
	} {
		t.Run(string(want), func(t *testing.T) {
			w := newTwin(t)
			token, value := w.issue(t)
			w.remembered(t, value)
			if err := deed(w, token); err != nil {
				t.Fatal(err)
			}
			within(t, "refused", func() bool { return refusal(t, w.verifier, value) == want })
		})
	}
}

// O6: so is a scope that the application loses there, and a secret that is rotated.
func TestChangesOfAnotherProcessReachTheCache(t *testing.T) {
	w := newTwin(t)
	_, value := w.issue(t)
	w.remembered(t, value)
	values := models.ApplicationValues{Name: w.app.Name, Lifespan: 3600, Scopes: "trade"}
	if err := w.other.ChangeApplication(t.Context(), w.ana, w.app.ID, values, 0); err != nil {
		t.Fatal(err)
	}
	within(t, "scope lost", func() bool {
		grant, err := w.verifier.Inspect(t.Context(), value, "")
		return err == nil && grant.Scopes == ""
	})
	first := presentsHash(w.app.Name)
	within(t, "client remembered", func() bool {
		if _, err := w.clients.Prove(t.Context(), w.app.ClientID, first); err != nil {
			t.Fatal(err)
		}
		_, kept := w.cache.Holds()
		return kept == 1
	})
	rotation := store.Rotation{Secret: models.ClientSecret{ID: store.NewID(), Hash: []byte("second"), Sealed: []byte("sealed"), Last4: "2222"}}
	if err := w.other.RotateSecret(t.Context(), w.ana, w.app.ID, rotation); err != nil {
		t.Fatal(err)
	}
	within(t, "old secret refused", func() bool {
		_, err := w.clients.Prove(t.Context(), w.app.ClientID, first)
		return errors.Is(err, models.ErrNotFound)
	})
	if _, err := w.clients.Prove(t.Context(), w.app.ClientID, presentsHash("second")); err != nil {
		t.Errorf("the new secret: %v", err)
	}
}

func presentsHash(hash string) func(*models.Client) bool {
	return func(c *models.Client) bool {
		for _, secret := range c.Secrets {
			if string(secret.Hash) == hash {
				return true
			}
		}
		return false
	}
}

// What this process writes is no foreign change: issuing does not empty the cache.
func TestOwnWritesAreNotForeign(t *testing.T) {
	w := newTwin(t)
	before, err := w.ForeignVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.issue(t)
		if _, err := w.RevokeTokens(t.Context(), w.ana, w.app.ID); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := w.ForeignVersion(t.Context()); after != before || err != nil {
		t.Errorf("the version went from %d to %d, %v", before, after, err)
	}
}
