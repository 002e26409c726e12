package gateway

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

const (
	// recheckEvery is how often each token with something open is asked about, besides
	// at once where this node hears of a change.
	recheckEvery = 250 * time.Millisecond
	// proven is how long an answer spares the next question.
	proven = 200 * time.Millisecond
	// doubt is how long questions may stay without an answer. With the time to the question
	// and to the look that finds it, it stays below the second that is promised.
	doubt = 500 * time.Millisecond
	// askers bounds the questions that one look puts to the store at once.
	askers = 16
	// streamAfter is how long a call runs before it counts as a stream.
	streamAfter = time.Second
	// maxStreams bounds what is open on a node, maxTeamStreams what of it one team may have.
	maxStreams     = 10_000
	maxTeamStreams = maxStreams / 2
)

// Points says whether a call that is open may stay so.
type Points interface {
	// Recheck returns a usage.RefusedError where it may not, another error where that
	// cannot be said.
	Recheck(ctx context.Context, call usage.Call) error
}

// Streams are the calls that are open on this node, each tied to its token: what is open
// ends with it. It is safe for concurrent use.
type Streams struct {
	verifier *tokens.Verifier
	points   Points
	start    time.Time
	wake     chan struct{}
	stop     context.CancelFunc
	stopped  chan struct{}
	asking   sync.WaitGroup

	// mu guards the others and what of each holder and stream says so. It is taken before
	// the lock of a stream, and never held over I/O.
	mu       sync.Mutex
	holders  map[[sha256.Size]byte]*holder
	teams    map[string]*teamStreams
	claimed  int64
	stopping bool
	// idle is streamIdle but in tests.
	idle time.Duration
	// empty is closed when nothing is open any more and the node stops.
	empty chan struct{}
}

// teamStreams is guarded by Streams.mu.
type teamStreams struct {
	holders map[*holder]struct{}
	// calls are all that are open, claimed those that are streams.
	calls, claimed int64
}

// holder is a token with something open. It is guarded by Streams.mu, but for what never
// changes: hash, team, application and token.
type holder struct {
	hash                     [sha256.Size]byte
	team, application, token string
	streams                  map[*stream]struct{}
	// provenAt is when the question was asked that was answered with yes last.
	provenAt time.Duration
	// doubtedSince is when the first question was asked that had no answer since; zero for none.
	doubtedSince time.Duration
	// due asks at once, asking tells that a question is on its way.
	due, asking bool
}

// NewStreams returns an empty set and starts watching, until Close.
func NewStreams(ctx context.Context, verifier *tokens.Verifier, points Points) *Streams {
	ctx, stop := context.WithCancel(ctx)
	s := &Streams{
		verifier: verifier, points: points, wake: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}),
		start:   time.Now(), //nolint:forbidigo // a stopwatch, not the time of day
		holders: map[[sha256.Size]byte]*holder{}, teams: map[string]*teamStreams{}, empty: make(chan struct{}), idle: streamIdle,
	}
	go s.run(ctx)
	return s
}

func (s *Streams) elapsed() time.Duration { return time.Since(s.start) } //nolint:forbidigo // see start

// Hear has the tokens that a notice is about asked about at once. The cache of tokens must
// hear it before.
func (s *Streams) Hear(notice models.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	if len(notice.TokenHash) == sha256.Size {
		if h := s.holders[[sha256.Size]byte(notice.TokenHash)]; h != nil {
			h.due, found = true, true
		}
	}
	if notice.ApplicationID != "" || notice.TeamID != "" {
		for _, h := range s.holders {
			if h.application == notice.ApplicationID || h.team == notice.TeamID {
				h.due, found = true, true
			}
		}
	}
	if found {
		s.lookNow()
	}
}

func (s *Streams) lookNow() {
	select {
	case s.wake <- struct{}{}:
	default: // it is woken already
	}
}

// OfToken counts the streams that are open with a token: WebSockets, server-sent events, and
// calls that have run for more than a second.
func (s *Streams) OfToken(team, token string) int {
	return s.count(team, func(h *holder) bool { return h.token == token })
}

// OfApplication counts those of all its tokens.
func (s *Streams) OfApplication(team, application string) int {
	return s.count(team, func(h *holder) bool { return h.application == application })
}

// OfTeam counts those of all its applications.
func (s *Streams) OfTeam(team string) int {
	return s.count(team, func(*holder) bool { return true })
}

func (s *Streams) count(team string, counts func(h *holder) bool) int {
	now, n := s.elapsed(), 0
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.teams[team]
	if of == nil {
		return 0
	}
	for h := range of.holders {
		if !counts(h) {
			continue
		}
		n += h.open(now)
	}
	return n
}

// Stop begins the end: what would go on without one is told that the node goes away, and no
// stream is opened any more. Calls that end by themselves may do so.
func (s *Streams) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	s.stopping = true
	s.ifEmpty()
	s.lookNow()
}

// Close waits until nothing is open any more, until ctx ends, and stops watching.
func (s *Streams) Close(ctx context.Context) error {
	s.Stop()
	var err error
	select {
	case <-s.empty:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stop()
	<-s.stopped
	s.asking.Wait()
	return err
}

// ifEmpty needs s.mu.
func (s *Streams) ifEmpty() {
	if !s.stopping || len(s.holders) > 0 {
		return
	}
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}
