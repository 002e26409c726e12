package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/tokens"
)

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"

	// What they answer.
	alive, isReady, notReady = "ok\n", "ready\n", "not ready\n"

	// answerWithin is how long the database may take to answer, checkEvery how long an answer
	// spares the next question, however many ask.
	answerWithin = 2 * time.Second
	checkEvery   = 500 * time.Millisecond
)

// condition is one reason to be ready; problem is empty where it holds.
type condition struct{ name, problem string }

// health tells whether this process answers and whether it should be sent requests. It is
// safe for concurrent use.
type health struct {
	log      *slog.Logger
	stopping atomic.Bool

	// mu guards the others.
	mu sync.Mutex
	// ask and feed are nil until the program has started, latest is its own migration.
	ask    func(context.Context) (version int64, err error)
	feed   func() tokens.FeedStats
	latest int64
	// last is the question that runs, or the last one.
	last *question
	// unready is what was logged last.
	unready bool
}

// question is put to the database by one goroutine. The others are set before done is closed.
type question struct {
	began   time.Time
	done    chan struct{}
	ended   time.Time
	version int64
	err     error
}

// started has the checks begin.
func (h *health) started(latest int64, ask func(context.Context) (int64, error), feed func() tokens.FeedStats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest, h.ask, h.feed = latest, ask, feed
}

// ready runs all checks, together with whoever else asks just now.
func (h *health) ready() (checks []condition, ok bool) {
	h.mu.Lock()
	ask, feed, latest := h.ask, h.feed, h.latest
	h.mu.Unlock()
	if ask == nil {
		return []condition{{"start", "not done yet"}}, false
	}
	version, err := h.answer(ask)
	database, migrations := condition{name: "database"}, condition{name: "migrations"}
	switch {
	case err != nil:
		database.problem, migrations.problem = err.Error(), "not known"
	case version < latest: // a newer program may have gone further
		migrations.problem = fmt.Sprintf("the database is at version %d, this program needs %d", version, latest)
	}
	follows := condition{name: "feed"}
	if of := feed(); !of.Alive {
		follows.problem = "no answer for " + of.Lag.Round(time.Millisecond).String()
	}
	runs := condition{name: "run"}
	if h.stopping.Load() {
		runs.problem = "stopping"
	}
	checks = []condition{database, migrations, follows, runs}
	ok = database.problem+migrations.problem+follows.problem+runs.problem == ""
	h.report(checks, ok)
	return checks, ok
}

// answer waits for the answer of a question that is young enough, its own if need be. One
// that hangs is not put again.
func (h *health) answer(ask func(context.Context) (int64, error)) (int64, error) {
	h.mu.Lock()
	q := h.last
	if q == nil || q.over() && time.Since(q.ended) > checkEvery {
		q = &question{began: time.Now(), done: make(chan struct{})}
		h.last = q
		go q.put(ask)
	}
	h.mu.Unlock()
	patience, enough := context.WithDeadline(context.Background(), q.began.Add(answerWithin))
	defer enough()
	select {
	case <-q.done:
		return q.version, q.err
	case <-patience.Done():
		if q.over() {
			return q.version, q.err
		}
		return 0, errors.New("no answer within " + answerWithin.String())
	}
}

func (q *question) over() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

// put lets the database take longer than whoever waits: a disk that hangs hears nothing of
// the context either.
func (q *question) put(ask func(context.Context) (int64, error)) {
	defer close(q.done)
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	q.version, q.err = ask(ctx)
	q.ended = time.Now()
}

// report logs what has changed. That a stop was asked for is logged elsewhere.
func (h *health) report(checks []condition, ok bool) {
	if h.stopping.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unready == !ok {
		return
	}
	h.unready = !ok
	if ok {
		h.log.Info("ready again")
		return
	}
	h.log.Warn("not ready", "checks", problems(checks))
}

func problems(checks []condition) string {
	var failed []string
	for _, c := range checks {
		if c.problem != "" {
			failed = append(failed, c.name+": "+c.problem)
		}
	}
	return strings.Join(failed, "; ")
}

// serve answers both paths. What fails it tells those alone who may know.
func (h *health) serve(w http.ResponseWriter, r *http.Request, detailed bool) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", middleware.DataPolicy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	text, status := alive, http.StatusOK
	if r.URL.Path == readyPath {
		checks, ok := h.ready()
		text = isReady
		if !ok {
			text, status = notReady, http.StatusServiceUnavailable
		}
		if detailed {
			text += detail(checks)
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // whoever left does not miss it
}

func detail(checks []condition) string {
	var lines strings.Builder
	for _, c := range checks {
		problem := c.problem
		if problem == "" {
			problem = "ok"
		}
		lines.WriteString(c.name + ": " + problem + "\n")
	}
	return lines.String()
}

// values are the checks for the metrics.
func (h *health) values() (values map[string]bool, ready bool) {
	checks, ok := h.ready()
	values = map[string]bool{}
	for _, c := range checks {
		values[c.name] = c.problem == ""
	}
	return values, ok
}
