package store_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// D8: of changes that collide all the time, on nodes that also write when the same tokens were
// used, none is overtaken until it gives up.
func TestChangesThatCollideTakeTurns(t *testing.T) {
	const nodes, workers, each = 3, 8, 40
	db := storetest.Postgres(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	tokens := db.Tokens(t, app, nodes*workers*each, models.Token{})
	var mu sync.Mutex
	var worst time.Duration
	var changing, using sync.WaitGroup
	done := make(chan struct{})
	began := time.Now()
	for node := range nodes {
		s, err := store.Open(db.Path, db.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		using.Go(func() { useAgain(t, s, tokens, done) })
		for worker := range workers {
			changing.Go(func() {
				for i := range each {
					began := time.Now()
					_, _, err := s.RevokeToken(t.Context(), ana, app.ID, tokens[(node*workers+worker)*each+i].ID)
					mu.Lock()
					worst = max(worst, time.Since(began))
					mu.Unlock()
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	changing.Wait()
	all := time.Since(began)
	close(done)
	using.Wait()
	if worst > all/2 {
		t.Errorf("one change took %s of the %s that all took", worst, all)
	}
}

// useAgain writes that all tokens were used, each time later and in another order.
func useAgain(t *testing.T, s *store.Store, tokens []models.Token, done <-chan struct{}) {
	t.Helper()
	uses := make([]models.TokenUse, len(tokens))
	for i, token := range tokens {
		uses[i] = models.TokenUse{TokenID: token.ID, ApplicationID: token.ApplicationID, From: "192.0.2.7"}
	}
	for at := storetest.Start; ; at++ {
		for i := range uses {
			uses[i].At = at
		}
		rand.Shuffle(len(uses), func(i, j int) { uses[i], uses[j] = uses[j], uses[i] })
		if err := s.SaveLastUsed(t.Context(), uses[:500], nil); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}
