package tokens_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Promise 5: where a commit fails, every caller of it is told, and no other.
func TestIssueFailsWithItsCommit(t *testing.T) {
	for _, cause := range []error{models.ErrUnavailable, models.ErrBusy, errors.New("odd")} {
		onOneProcessor(t, func(t *testing.T) {
			book := &ledger{takes: commit, outcome: func(n int) error {
				if n == 2 {
					return cause
				}
				return nil
			}}
			issuer := book.issuer(t)
			defer closeIssuer(t, issuer)
			_, answers := queue(t.Context(), issuer, 1+500+20)
			for i, answer := range answers {
				got, second := <-answer, i >= 1 && i <= 500
				if errors.Is(got.err, cause) != second || (got.err != nil) != second || got.value.IsEmpty() != second {
					t.Fatalf("caller %d: %v", i, got.err)
				}
			}
			if got := <-ask(t.Context(), issuer, "later"); got.err != nil {
				t.Errorf("after the failure: %v", got.err)
			}
			if got := book.sizes(); !slices.Equal(got, []int{1, 20, 1}) {
				t.Errorf("commits of %v rows", got)
			}
		})
	}
}

// R5: a database that hangs holds a caller up until the caller's own deadline.
func TestIssueGivesUpInTime(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{hold: make(chan struct{})}
		issuer := book.issuer(t)
		short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		left, leave := context.WithCancel(t.Context())
		taken := ask(short, issuer, "taken")
		synctest.Wait()
		waiting, gone, patient := ask(short, issuer, "waiting"), ask(left, issuer, "gone"), ask(t.Context(), issuer, "patient")
		time.Sleep(time.Second)
		leave()
		if got := at(t, gone); !errors.Is(got.err, models.ErrUnavailable) || got.took != time.Second || !got.value.IsEmpty() {
			t.Errorf("who left: %v after %s", got.err, got.took)
		}
		time.Sleep(time.Second)
		for _, answers := range []<-chan answer{taken, waiting} {
			if got := at(t, answers); !errors.Is(got.err, models.ErrUnavailable) || !errors.Is(got.err, context.DeadlineExceeded) || got.took != 2*time.Second {
				t.Errorf("%v after %s", got.err, got.took)
			}
		}
		if !waits(patient) {
			t.Error("one who has time is sent away")
		}
		close(book.hold)
		closeIssuer(t, issuer)
		if got := at(t, patient); got.err != nil {
			t.Error(got.err)
		}
		if got := book.callers(); !slices.Equal(got, []string{"taken", "patient"}) { // nobody waits for the others
			t.Errorf("stored %v", got)
		}
	})
}

// A commit for which nobody waits any more is not made.
func TestIssueStoresNothingForNobody(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{hold: make(chan struct{})}
		issuer := book.issuer(t)
		first := ask(t.Context(), issuer, "first")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, answers := queue(ctx, issuer, 700)
		time.Sleep(time.Second)
		for _, answer := range answers {
			if got := at(t, answer); !errors.Is(got.err, models.ErrUnavailable) {
				t.Fatal(got.err)
			}
		}
		close(book.hold)
		closeIssuer(t, issuer)
		if got := at(t, first); got.err != nil || book.began != 1 {
			t.Errorf("%v, %d commits", got.err, book.began)
		}
	})
}

// lateContext has ended, and whoever waits for it is held up on the way: what a
// scheduler does to a caller between joining a batch and waiting for it.
type lateContext struct{ context.Context }

func (c lateContext) Done() <-chan struct{} {
	time.Sleep(time.Second)
	return c.Context.Done()
}

// Promise 5: nobody is told that a token is stored which is not.
func TestIssueNeverConfirmsWhatItDidNotStore(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		issuer := book.issuer(t)
		defer closeIssuer(t, issuer)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 64 {
			got := <-ask(lateContext{ended}, issuer, "gone")
			if got.err == nil && len(book.callers()) == 0 {
				t.Fatal("a token that was skipped is answered as stored")
			}
			if got.err != nil && !errors.Is(got.err, models.ErrUnavailable) {
				t.Fatal(got.err)
			}
		}
	})
}

// The context of the issuer reaches the transactions and ends one that hangs.
func TestIssuerContextEndsACommit(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{hold: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		issuer := tokens.NewIssuer(ctx, &fakeStore{insert: book.insert}, nil, "lk_at_", 3600, fixed(noon))
		defer closeIssuer(t, issuer)
		asked := ask(t.Context(), issuer, "a")
		if !waits(asked) {
			t.Fatal("a commit that hangs is answered")
		}
		cancel()
		if got := at(t, asked); !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
	})
}
