package gateway

import (
	"context"
	"io"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

const (
	// answerPatience is how long the answer may take to leave that says why a call ended.
	answerPatience = 250 * time.Millisecond
	// streamIdle ends a stream over which nothing has gone for so long.
	streamIdle = 10 * time.Minute
)

// stream is a call that is open.
type stream struct {
	set    *Streams
	holder *holder
	call   usage.Call
	scope  string
	limit  int64
	// began is when the call came, on the stopwatch of the set.
	began   time.Duration
	cancel  context.CancelCauseFunc
	control *http.ResponseController
	// claimed tells that it counts for the limit of streams. Guarded by Streams.mu.
	claimed bool
	// moved is when something went over it last, for those that it is known of.
	moved atomic.Int64
	// flows is when an answer began that has no known length, zero for none.
	flows atomic.Int64

	// mu guards what follows.
	mu      sync.Mutex
	begun   bool // the answer has
	watched bool // moved is kept
	left    bool
	why     *ending
	tunnel  *tunnel
}

type streamKey struct{}

// tied is a request that is tied to its token. leave ends that.
type tied struct {
	w     http.ResponseWriter
	r     *http.Request
	leave func()
}

// bounds are how much a team may have open at once: streams by its plan, zero for no limit,
// and calls of any kind.
type bounds struct{ streams, calls int64 }

// tie registers a call with a good token. It returns a usage.RefusedError where its team has
// too many open, or the call wants a stream and there are too many, and an ending where the
// node stops.
func (s *Streams) tie(w http.ResponseWriter, r *http.Request, route models.Upstream, grant tokens.Grant, call usage.Call, most bounds) (tied, error) {
	now := s.elapsed()
	c := &stream{set: s, call: call, scope: route.Scope, limit: most.streams, began: now, control: http.NewResponseController(w)}
	c.moved.Store(int64(now))
	upgrade := isUpgrade(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enter(c, grant, now)
	if s.teams[grant.TeamID].calls > most.calls {
		s.remove(c)
		return tied{}, tooManyCalls
	}
	if upgrade || wantsEvents(r) {
		if err := s.claim(c); err != nil {
			s.remove(c)
			return tied{}, err
		}
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), streamKey{}, c))
	c.cancel = cancel
	if upgrade {
		w = &upgradeWriter{ResponseWriter: w, stream: c}
	}
	return tied{w: w, r: r.WithContext(ctx), leave: c.leave}, nil
}

// enter needs s.mu.
func (s *Streams) enter(c *stream, grant tokens.Grant, now time.Duration) {
	h := s.holders[grant.Hash]
	if h == nil {
		h = &holder{
			hash: grant.Hash, team: grant.TeamID, application: grant.ApplicationID, token: grant.TokenID,
			streams: map[*stream]struct{}{}, provenAt: now,
		}
		s.holders[grant.Hash] = h
		of := s.teams[h.team]
		if of == nil {
			of = &teamStreams{holders: map[*holder]struct{}{}}
			s.teams[h.team] = of
		}
		of.holders[h] = struct{}{}
	}
	c.holder = h
	h.streams[c] = struct{}{}
	s.teams[h.team].calls++
}

// remove needs s.mu.
func (s *Streams) remove(c *stream) {
	h := c.holder
	s.unclaim(c)
	delete(h.streams, c)
	of := s.teams[h.team]
	of.calls--
	if len(h.streams) > 0 {
		return
	}
	delete(s.holders, h.hash)
	delete(of.holders, h)
	if len(of.holders) == 0 {
		delete(s.teams, h.team)
	}
	s.ifEmpty()
}

var tooManyCalls = usage.RefusedError{Limit: usage.LimitStreams, RetryAfter: time.Second,
	Text: "The team has as many calls open on this server as one team may have. Wait for some to end, or ask whoever runs this service for another server."}

// claim counts c for the limits, or says which one is reached. It needs s.mu, so that of
// many at once no more pass than there is room for.
func (s *Streams) claim(c *stream) error {
	if c.claimed {
		return nil
	}
	of := s.teams[c.holder.team]
	elsewhere, _ := s.foreign(c.holder.team)
	switch {
	case s.stopping:
		return goingAway
	case c.limit > 0 && of.claimed+elsewhere >= c.limit:
		return usage.RefusedError{Limit: usage.LimitStreams, Text: "The team's plan allows " + models.Count(c.limit, "stream") +
			" at once, and that many are open. Close one, or ask whoever runs Latchkey for a larger plan."}
	case of.claimed >= maxTeamStreams || s.claimed >= maxStreams:
		return usage.RefusedError{Limit: usage.LimitStreams, RetryAfter: time.Second,
			Text: "This server has as many streams open as it can keep. Try again in a second, or ask whoever runs Latchkey for another server."}
	}
	c.claimed = true
	of.claimed++
	s.claimed++
	return nil
}

// unclaim needs s.mu.
func (s *Streams) unclaim(c *stream) {
	if !c.claimed {
		return
	}
	c.claimed = false
	s.teams[c.holder.team].claimed--
	s.claimed--
}

// leave is the end of the call, after which nothing may touch its connection.
func (c *stream) leave() {
	c.mu.Lock()
	c.left = true
	c.mu.Unlock()
	c.cancel(nil)
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	c.set.remove(c)
}

// answering looks at the upstream's answer before it is passed on: ReverseProxy's
// ModifyResponse. It returns a usage.RefusedError for one stream too many.
func answering(res *http.Response) error {
	c, ok := res.Request.Context().Value(streamKey{}).(*stream)
	if !ok {
		return nil
	}
	socket, events := res.StatusCode == http.StatusSwitchingProtocols, isEvents(res.Header.Get("Content-Type"))
	if err := c.settle(socket || events); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return *c.why
	}
	c.begun, c.watched = true, socket || events
	if events {
		res.Body = watchedBody{res.Body, c}
	}
	if !socket && (events || res.ContentLength < 0) {
		c.flows.Store(int64(max(1, c.set.elapsed())))
	}
	return nil
}

// settle claims a stream that became one, and lets go of one that did not.
func (c *stream) settle(is bool) error {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	if is {
		return c.set.claim(c)
	}
	c.set.unclaim(c)
	return nil
}

// watchedBody notes when something comes.
type watchedBody struct {
	io.ReadCloser
	stream *stream
}

func (b watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.stream.move()
	return n, err
}

func (c *stream) move() { c.moved.Store(int64(c.set.elapsed())) }

// goesOn tells what may go on for ever from a call that ends by itself.
func (c *stream) goesOn(now time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watched || c.flows.Load() != 0 && now-time.Duration(c.flows.Load()) > streamAfter
}

// overdue needs Streams.mu. It says whether the stream ends for a reason of its own. One that was ended before
// is ended again: it may have moved its deadlines since.
func (c *stream) overdue(now time.Duration, stopping bool) (ending, bool) {
	if stopping && c.goesOn(now) {
		return goingAway, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return *c.why, true
	}
	idle := c.set.idle
	if c.tunnel != nil && c.tunnel.clientGone.Load() {
		idle = goneIdle
	}
	return idleTooLong, c.watched && now-time.Duration(c.moved.Load()) > idle
}

func (c *stream) isTunnel() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tunnel != nil
}

// end ends the call, whatever it waits for.
func (c *stream) end(why ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return
	}
	first := c.why == nil
	if first {
		c.why = &why
	}
	if c.tunnel != nil {
		if first {
			go c.tunnel.finish(why)
		}
		return
	}
	// The cause stands before the deadlines make another one.
	c.cancel(*c.why)
	now := time.Now() //nolint:forbidigo // of the socket, which knows no other clock
	_ = c.control.SetReadDeadline(now)
	if !c.begun {
		now = now.Add(answerPatience)
	}
	_ = c.control.SetWriteDeadline(now)
}

func isEvents(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "text/event-stream"
}

// wantsEvents tells whether a request takes nothing but events, as a browser's EventSource
// does.
func wantsEvents(r *http.Request) bool { return isEvents(r.Header.Get("Accept")) }
