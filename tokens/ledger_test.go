package tokens_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// ledger is a store of issued tokens that can be slow, hang and fail. It knows a
// token by its application, which tests make the name of the caller.
type ledger struct {
	takes time.Duration
	// hold, where set, holds every commit up until it is closed.
	hold chan struct{}
	// outcome, where set, answers the n-th commit, from 1.
	outcome func(n int) error

	mu     sync.Mutex
	began  int
	stored [][]string // one list of callers for each commit that went well
}

func (l *ledger) insert(ctx context.Context, list []models.Token) error {
	l.mu.Lock()
	l.began++
	n := l.began
	l.mu.Unlock()
	if l.hold != nil {
		select {
		case <-l.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	time.Sleep(l.takes)
	if l.outcome != nil {
		if err := l.outcome(n); err != nil {
			return err
		}
	}
	callers := make([]string, len(list))
	for i, token := range list {
		callers[i] = token.ApplicationID
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored = append(l.stored, callers)
	return nil
}

// sizes is how many rows each commit stored.
func (l *ledger) sizes() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sizes := make([]int, len(l.stored))
	for i, commit := range l.stored {
		sizes[i] = len(commit)
	}
	return sizes
}

// callers is whose tokens are stored, in order.
func (l *ledger) callers() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.stored...)
}

func (l *ledger) issuer(t testing.TB) *tokens.Issuer {
	return tokens.NewIssuer(t.Context(), &fakeStore{insert: l.insert}, nil, "lk_at_", 3600, fixed(noon))
}

type answer struct {
	value models.Secret
	err   error
	took  time.Duration
}

// ask issues a token for a caller, on a goroutine of its own.
func ask(ctx context.Context, issuer *tokens.Issuer, caller string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		began := time.Now()
		_, value, err := issuer.Issue(ctx, &models.Application{ID: caller, Lifespan: 60}, "api")
		answers <- answer{value, err, time.Since(began)}
	}()
	return answers
}

// queue has n callers ask one after the other, none of whom is answered yet.
func queue(ctx context.Context, issuer *tokens.Issuer, n int) (names []string, answers []<-chan answer) {
	for i := range n {
		names = append(names, strconv.Itoa(i))
		answers = append(answers, ask(ctx, issuer, names[i]))
		synctest.Wait()
	}
	return names, answers
}

// at returns the answer of a caller that must have one by now.
func at(t *testing.T, answers <-chan answer) answer {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-answers:
		return got
	default:
		t.Fatal("no answer yet")
		return answer{}
	}
}

func waits(answers <-chan answer) bool {
	synctest.Wait()
	return len(answers) == 0
}
