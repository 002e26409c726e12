package tokens_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// Promise 2: a change of another process is seen also where a request that was
// given up in the middle of a write took the connection with it that counts them.
func TestForeignChangeIsSeenThroughALostConnection(t *testing.T) {
	w := newTwin(t)
	for round := range 2 {
		token, value := w.issue(t)
		w.remembered(t, value)
		w.giveUpWrites()
		before, err := w.ForeignVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.other.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
			t.Fatal(err)
		}
		w.giveUpWrites()
		after, err := w.ForeignVersion(t.Context())
		heard := w.OnPostgres() && refusal(t, w.verifier, value) == models.RefusedRevoked // before the answer
		if after == before && !heard || err != nil {
			t.Fatalf("round %d: version %d before the change and %d after it, %v", round, before, after, err)
		}
	}
}

// giveUpWrites begins writes that are cancelled earlier and later.
func (w *twin) giveUpWrites() {
	for at := range int64(30) {
		rows := make([]models.Token, 100)
		for i := range rows {
			rows[i] = models.Token{ID: store.NewID(), ApplicationID: w.app.ID, TeamID: w.app.TeamID, Kind: models.KindClientCredentials, Hash: []byte(store.NewID()), Last4: "abcd"}
		}
		ctx, cancel := context.WithCancel(context.Background())
		_ = w.InsertTokens(&fickle{Context: ctx, cancel: cancel, at: at}, rows)
		cancel()
	}
}

// fickle is a context that ends when it is asked for the at-th time, and gives
// whoever waits for its end the time to act.
type fickle struct {
	context.Context
	cancel context.CancelFunc
	asked  atomic.Int64
	at     int64
}

func (f *fickle) Done() <-chan struct{} {
	if f.asked.Add(1) == f.at {
		f.cancel()
		time.Sleep(2 * ms)
	}
	return f.Context.Done()
}
