package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
)

// What waits is stored, what comes is refused. R5: no goroutine is left, or
// synctest would say so.
func TestIssuerCloseDrains(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit, hold: make(chan struct{})}
		issuer := book.issuer(t)
		names, answers := queue(t.Context(), issuer, 1200)
		closed := make(chan error, 1)
		go func() { closed <- issuer.Close(t.Context()) }()
		synctest.Wait()
		if got := at(t, ask(t.Context(), issuer, "late")); !errors.Is(got.err, models.ErrUnavailable) || got.took != 0 || !got.value.IsEmpty() {
			t.Errorf("while it drains: %v after %s", got.err, got.took)
		}
		close(book.hold)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		for i, answer := range answers {
			if got := at(t, answer); got.err != nil {
				t.Fatalf("caller %d: %v", i, got.err)
			}
		}
		if got := at(t, ask(t.Context(), issuer, "later")); !errors.Is(got.err, models.ErrUnavailable) {
			t.Errorf("after Close: %v", got.err)
		}
		closeIssuer(t, issuer) // once more does no harm
		if !slices.Equal(book.callers(), names) {
			t.Errorf("commits of %v rows", book.sizes())
		}
	})
}

func TestIssuerCloseWithNothingToDo(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		began := time.Now()
		closeIssuer(t, book.issuer(t))
		used := book.issuer(t)
		<-ask(t.Context(), used, "a")
		closeIssuer(t, used)
		if took := time.Since(began); took != commit || len(book.callers()) != 1 {
			t.Errorf("%s, %d stored", took, len(book.callers()))
		}
	})
}

// What waits hears of a commit that fails at the end too.
func TestIssuerCloseOverAFailingStore(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit, outcome: func(int) error { return models.ErrUnavailable }}
		issuer := book.issuer(t)
		_, answers := queue(t.Context(), issuer, 3)
		closeIssuer(t, issuer)
		for _, answer := range answers {
			if got := at(t, answer); !errors.Is(got.err, models.ErrUnavailable) {
				t.Error(got.err)
			}
		}
	})
}

// R5: a database that hangs does not hold up the end of the program.
func TestIssuerCloseHasADeadline(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{hold: make(chan struct{})}
		issuer := book.issuer(t)
		asked := ask(t.Context(), issuer, "a")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := issuer.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if !waits(asked) {
			t.Error("a commit that hangs is answered")
		}
		close(book.hold)
		closeIssuer(t, issuer)
	})
}

// Real threads, real time, a store that fails now and then, callers who leave:
// whoever is told yes finds the token stored once, and no other token is stored
// than of those who were told yes or had left.
func TestIssueUnderStress(t *testing.T) {
	book := &ledger{takes: 50 * time.Microsecond, outcome: func(int) error {
		if rand.IntN(4) == 0 {
			return models.ErrUnavailable
		}
		return nil
	}}
	issuer := book.issuer(t)
	var answers sync.Map
	var left atomic.Int64
	var all sync.WaitGroup
	for worker := range 64 {
		all.Go(func() {
			for i := range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(20_000))*time.Microsecond)
				caller := fmt.Sprint(worker, " ", i)
				got := <-ask(ctx, issuer, caller)
				if ctx.Err() != nil && got.err != nil {
					left.Add(1)
				}
				answers.Store(caller, got.err)
				cancel()
			}
		})
	}
	all.Wait()
	closeIssuer(t, issuer)
	checkStored(t, book, &answers, int(left.Load()))
}

func checkStored(t *testing.T, book *ledger, answers *sync.Map, left int) {
	t.Helper()
	stored := map[string]int{}
	for _, caller := range book.callers() {
		stored[caller]++
	}
	yes := 0
	answers.Range(func(caller, err any) bool {
		name, _ := caller.(string)
		if err == nil {
			yes++
		}
		if err == nil && stored[name] != 1 || stored[name] > 1 {
			t.Errorf("caller %s: told %v, stored %d times", name, err, stored[name])
		}
		return true
	})
	if len(stored) < yes || len(stored) > yes+left || yes == 0 || slices.Max(book.sizes()) > 500 {
		t.Errorf("%d stored, %d told yes, %d had left", len(stored), yes, left)
	}
	t.Logf("%d of 6,400 told yes, %d had left, %d commits", yes, left, len(book.sizes()))
}
