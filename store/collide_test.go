package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// D8: of changes that collide all the time, on several nodes, none is in the way of others for
// so long as to come last whenever it came.
func TestChangesThatCollideTakeTurns(t *testing.T) {
	const nodes, workers, each = 3, 8, 40
	db := storetest.Postgres(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	tokens := db.Tokens(t, app, nodes*workers*each, models.Token{})
	var mu sync.Mutex
	var worst time.Duration
	var running sync.WaitGroup
	began := time.Now()
	for range nodes {
		s, err := store.Open(db.Path, db.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range workers {
			mine := tokens[:each]
			tokens = tokens[each:]
			running.Go(func() {
				for _, token := range mine {
					began := time.Now()
					_, _, err := s.RevokeToken(t.Context(), ana, app.ID, token.ID)
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
	running.Wait()
	if all := time.Since(began); worst > all/2 {
		t.Errorf("one change took %s of the %s that all took", worst, all)
	}
}
