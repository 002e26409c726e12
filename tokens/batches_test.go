package tokens_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
)

const commit = 5 * time.Millisecond

// No waiting window: who comes alone waits for one commit and not a nanosecond more.
func TestIssueAloneTakesOneCommit(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		issuer := book.issuer(t)
		defer closeIssuer(t, issuer)
		for i := range 10 {
			if got := <-ask(t.Context(), issuer, "a"); got.err != nil || got.took != commit {
				t.Fatalf("caller %d: %v after %s", i, got.err, got.took)
			}
			time.Sleep(time.Duration(i) * time.Millisecond)
		}
		if got := book.sizes(); !slices.Equal(got, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}) {
			t.Errorf("commits of %v rows", got)
		}
	})
}

// Who comes while a commit runs shares the next one.
func TestIssueTogetherTakesFewCommits(t *testing.T) {
	for _, test := range []struct {
		what    string
		callers int
		apart   time.Duration
		want    []int
	}{
		{"the rest while the first commits", 100, 0, []int{1, 99}},
		{"one each millisecond", 100, 999 * time.Microsecond, append([]int{1}, append(slices.Repeat([]int{5}, 19), 4)...)},
		{"one for each commit", 5, commit + 1, []int{1, 1, 1, 1, 1}},
	} {
		t.Run(test.what, func(t *testing.T) {
			onOneProcessor(t, func(t *testing.T) {
				book := &ledger{takes: commit}
				issuer := book.issuer(t)
				defer closeIssuer(t, issuer)
				var answers []<-chan answer
				for i := range test.callers {
					answers = append(answers, ask(t.Context(), issuer, fmt.Sprint(i)))
					synctest.Wait()
					time.Sleep(test.apart)
				}
				for i, answer := range answers {
					if got := <-answer; got.err != nil || got.took > 2*commit {
						t.Errorf("caller %d: %v after %s", i, got.err, got.took)
					}
				}
				if got := book.sizes(); !slices.Equal(got, test.want) {
					t.Errorf("commits of %v rows, want %v", got, test.want)
				}
			})
		})
	}
}

// 100 at the same moment are in the first commit or in the second.
func TestIssueAtOnceTakesTwoCommits(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		issuer := book.issuer(t)
		defer closeIssuer(t, issuer)
		values := map[string]bool{}
		var answers []<-chan answer
		for i := range 100 {
			answers = append(answers, ask(t.Context(), issuer, fmt.Sprint(i)))
		}
		for _, answer := range answers {
			got := <-answer
			if got.err != nil || got.took > 2*commit {
				t.Errorf("%v after %s", got.err, got.took)
			}
			values[got.value.Reveal()] = true
		}
		if len(book.sizes()) > 2 || len(book.callers()) != 100 || len(values) != 100 {
			t.Errorf("commits of %v rows, %d values", book.sizes(), len(values))
		}
	})
}

// At most 500 rows a commit; first come, first stored; each stored once.
func TestIssueKeepsOrderAndSize(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		issuer := book.issuer(t)
		defer closeIssuer(t, issuer)
		names, answers := queue(t.Context(), issuer, 1801)
		for i, answer := range answers {
			if got := <-answer; got.err != nil {
				t.Fatalf("caller %d: %v", i, got.err)
			}
		}
		if got := book.sizes(); !slices.Equal(got, []int{1, 500, 500, 500, 300}) {
			t.Errorf("commits of %v rows", got)
		}
		if !slices.Equal(book.callers(), names) {
			t.Error("stored in another order than asked")
		}
	})
}

// R3: the queue is bounded. Who does not fit is told at once, and nobody else suffers.
func TestIssueIsBusyWhenTheQueueIsFull(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit, hold: make(chan struct{})}
		issuer := book.issuer(t)
		defer closeIssuer(t, issuer)
		names, answers := queue(t.Context(), issuer, 1+8*500)
		for range 3 {
			got := at(t, ask(t.Context(), issuer, "too many"))
			if !errors.Is(got.err, models.ErrBusy) || got.took != 0 || !got.value.IsEmpty() {
				t.Fatalf("%v after %s", got.err, got.took)
			}
		}
		close(book.hold)
		for i, answer := range answers {
			if got := <-answer; got.err != nil {
				t.Fatalf("caller %d: %v", i, got.err)
			}
		}
		if got := <-ask(t.Context(), issuer, "later"); got.err != nil {
			t.Errorf("after the queue has emptied: %v", got.err)
		}
		if !slices.Equal(book.callers(), append(names, "later")) || slices.Max(book.sizes()) != 500 {
			t.Errorf("commits of %v rows", book.sizes())
		}
	})
}

// There is room again with the first batch that is taken, not only with the last.
func TestIssueHasRoomWithEachCommit(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		book := &ledger{takes: commit}
		issuer := book.issuer(t)
		_, answers := queue(t.Context(), issuer, 1+8*500)
		if got := at(t, ask(t.Context(), issuer, "too early")); !errors.Is(got.err, models.ErrBusy) {
			t.Fatalf("%v", got.err)
		}
		<-answers[0]
		synctest.Wait()
		later := ask(t.Context(), issuer, "in time")
		if !waits(later) {
			t.Errorf("%v with one batch less in the queue", (<-later).err)
		}
		closeIssuer(t, issuer)
		if got := at(t, later); got.err != nil {
			t.Error(got.err)
		}
	})
}
