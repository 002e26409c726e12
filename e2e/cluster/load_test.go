package cluster

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// promise is how long after the answer a revoked token may still be good elsewhere.
const promise = time.Second

// load is programs that get tokens, have them verified and revoke them through the
// balancer, and watchers that ask each node by itself. It keeps books of what was answered.
type load struct {
	w           *world
	credentials url.Values
	stop        chan struct{}
	running     sync.WaitGroup

	// mu guards the others.
	mu sync.Mutex
	// good are tokens that were answered and not revoked, gone those whose revocation was
	// answered, at which time.
	good map[string]bool
	gone []revoked
	// latest is how long after the answer a revoked token was last good.
	latest time.Duration
	// wrong is what must never be.
	wrong []string
	// errors are when a request began that was not answered as it should be, and how.
	failures []failure
	answered int
	// watched counts, for each node, what it said of tokens by status.
	watched []map[int]int
	// busy is since when each of those that run waits for an answer.
	busy map[int]time.Time
}

type revoked struct {
	token string
	at    time.Time
}

type failure struct {
	ended time.Time
	text  string
}

func (w *world) load(credentials url.Values) *load {
	l := &load{w: w, credentials: credentials, stop: make(chan struct{}), good: map[string]bool{}, busy: map[int]time.Time{}}
	for i, n := range w.nodes {
		l.watched = append(l.watched, map[int]int{})
		l.run(func(p *person) { l.watch(p, i) }, n.base)
		l.run(func(p *person) { l.watch(p, i) }, n.base)
	}
	for range 6 {
		l.run(l.issue, w.base)
		l.run(l.verify, w.base)
		l.run(l.revokeOne, w.base)
	}
	return l
}

// run repeats a step until the load ends.
func (l *load) run(step func(p *person), base string) {
	p := newPerson(l.w, base)
	l.mu.Lock()
	id := len(l.busy)
	l.busy[id] = time.Time{}
	l.mu.Unlock()
	l.running.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			case <-time.After(20 * time.Millisecond):
				l.works(id, time.Now())
				step(p)
				l.works(id, time.Time{})
			}
		}
	})
}

func (l *load) works(id int, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy[id] = since
}

// stuck tells whether anybody waits for an answer for long.
func (l *load) stuck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, since := range l.busy {
		if !since.IsZero() && time.Since(since) > time.Second {
			return true
		}
	}
	return false
}

func (l *load) note(err error, got answer, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && got.status == http.StatusOK {
		l.answered++
		return
	}
	l.failures = append(l.failures, failure{time.Now(), fmt.Sprintf("%s: %d %.120s %v", what, got.status, got.body, err)})
}

func (l *load) issue(p *person) {
	token, got, err := p.token(l.credentials)
	l.note(err, got, "token")
	if token != "" {
		l.mu.Lock()
		l.good[token] = true
		l.mu.Unlock()
	}
}

// pick returns some good token. Taken, it counts as neither good nor gone: who knows
// whether a revocation took effect that was not answered?
func (l *load) pick(take bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for token := range l.good {
		if take {
			delete(l.good, token)
		}
		return token
	}
	return ""
}

func (l *load) verify(p *person) {
	if token := l.pick(false); token != "" {
		got, err := p.send(http.MethodGet, "/oauth2/verify", "", http.Header{"Authorization": {"Bearer " + token}})
		if got.status == http.StatusUnauthorized && l.stillGood(token) {
			l.never("a good token was refused")
		}
		if got.status != http.StatusUnauthorized {
			l.note(err, got, "verify")
		}
	}
}

func (l *load) stillGood(token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.good[token]
}

func (l *load) never(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, text)
}

func (l *load) revokeOne(p *person) {
	token := l.pick(true)
	if token == "" {
		return
	}
	// Where it can be, all remember it. A node that hangs is not waited for.
	for _, n := range l.w.nodes {
		quick := *p
		quick.base, quick.http = n.base, &http.Client{Transport: p.http.Transport, Timeout: 300 * time.Millisecond}
		_, _ = quick.verify(token)
	}
	got, err := p.revoke(l.credentials, token)
	l.note(err, got, "revoke")
	if err != nil || got.status != http.StatusOK {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = append(l.gone, revoked{token, time.Now()})
}

// watch asks one node about a token that was revoked lately, and sometimes about a good one.
func (l *load) watch(p *person, node int) {
	l.mu.Lock()
	asked := revoked{}
	if n := len(l.gone); n > 0 {
		asked = l.gone[max(0, n-1-l.answered%40)]
	}
	l.mu.Unlock()
	if asked.token == "" {
		return
	}
	began := time.Now()
	status, err := p.verify(asked.token)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		return
	}
	l.watched[node][status]++
	if status != http.StatusOK {
		return
	}
	late := began.Sub(asked.at)
	l.latest = max(l.latest, late)
	if late > promise {
		l.wrong = append(l.wrong, fmt.Sprintf("node %d accepted a token %s after its revocation was answered", node, late))
	}
}

// settled waits after a fault has ended until nothing has failed for a while, and returns
// when the last failure was, counted from the end of the fault.
func (l *load) settled(ended time.Time) time.Duration {
	l.w.Helper()
	const quiet = 2 * time.Second
	for {
		last := l.lastFailure()
		if last.Before(ended) {
			last = ended
		}
		if time.Since(last) > quiet && !l.stuck() {
			return last.Sub(ended)
		}
		if time.Since(ended) > patience+quiet {
			l.w.Errorf("errors go on %s after the fault: %s", time.Since(ended), l.text())
			return time.Since(ended)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// warm says what is missing until there is something to lose.
func (l *load) warm() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.good) > 30 && len(l.gone) > 10 {
		return ""
	}
	return fmt.Sprintf("%d tokens, %d revocations: %v", len(l.good), len(l.gone), l.failures)
}

func (l *load) lastFailure() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) == 0 {
		return time.Time{}
	}
	return slices.MaxFunc(l.failures, func(a, b failure) int { return a.ended.Compare(b.ended) }).ended
}

func (l *load) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := map[string]int{}
	for _, f := range l.failures[max(0, len(l.failures)-20):] {
		kinds[f.text]++
	}
	return fmt.Sprint("the last ones: ", kinds)
}

func (l *load) end() {
	close(l.stop)
	l.running.Wait()
}

// audit asks each node about all tokens: none that was answered is lost, none that was
// revoked is good.
func (l *load) audit() {
	l.w.Helper()
	for _, problem := range l.wrong {
		l.w.Error(problem)
	}
	if len(l.good) < 50 || len(l.gone) < 20 {
		l.w.Errorf("only %d tokens and %d revocations were answered: %s", len(l.good), len(l.gone), l.text())
	}
	each(l.w.nodes, func(i int, n *node) {
		p := newPerson(l.w, n.base)
		for token := range l.good {
			if status, err := p.verify(token); status != http.StatusOK {
				l.w.Errorf("node %d: a token that was answered: %d %v", i, status, err)
				return
			}
		}
		for _, one := range l.gone {
			if status, err := p.verify(one.token); status != http.StatusUnauthorized {
				l.w.Errorf("node %d: a token that was revoked: %d %v", i, status, err)
				return
			}
		}
	})
	l.w.Logf("%d tokens, %d revocations, %d requests answered, %d failed; a revoked token was last good %s after the answer",
		len(l.good), len(l.gone), l.answered, len(l.failures), l.latest.Round(time.Millisecond))
}
