package tokens_test

import (
	"context"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// R5: a database that hangs does not hold up the end of the program.
func TestLastUsedCloseHasADeadline(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{hang: make(chan struct{})}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), every)
		l.Token(token("t", noon))
		time.Sleep(every + time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		closed := make(chan error, 1)
		go func() { closed <- l.Close(ctx) }()
		time.Sleep(time.Minute)
		select {
		case err := <-closed:
			if err == nil {
				t.Error("Close says that all is written")
			}
		default:
			t.Error("Close waits for a hanging write after its deadline")
		}
		close(store.hang)
	})
}

func TestLastUsedCloseWritesTheRest(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), time.Hour)
		l.Token(token("t", noon))
		l.Credential(secret("s", noon))
		closeNow(t, l)
		if tries, rows := store.saved(); tries != 1 || rows != 2 {
			t.Errorf("%d writes of %d rows", tries, rows)
		}
		time.Sleep(3 * time.Hour)
		if tries, _ := store.saved(); tries != 1 {
			t.Error("it writes after Close")
		}
		failing := tokens.NewLastUsed(t.Context(), &fakeStore{saveErrs: []error{models.ErrUnavailable}}, quiet(), time.Hour)
		failing.Token(token("t", noon))
		if err := failing.Close(t.Context()); err == nil {
			t.Error("Close hides that the rest was not written")
		}
	})
}
