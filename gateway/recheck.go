package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

func (s *Streams) run(ctx context.Context) {
	defer close(s.stopped)
	ticker := time.NewTicker(recheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.look(ctx, true)
		case <-s.wake:
			s.look(ctx, false)
		case <-ctx.Done():
			return
		}
	}
}

// verdict is a stream that has to end, and why.
type verdict struct {
	stream *stream
	why    ending
}

// look goes through what is open. It asks about each token that is due, on a regular look
// about all whose last answer is old, and waits for no answer: a slow one holds up its own
// token alone.
func (s *Streams) look(ctx context.Context, regular bool) {
	now := s.elapsed()
	var due []*holder
	var over []verdict
	s.mu.Lock()
	if regular {
		s.forgetElsewhere(now)
	}
	for _, h := range s.holders {
		if h.doubtedSince != 0 && now-h.doubtedSince >= doubt {
			over = h.all(over, cannotSay)
		} else if !h.asking && (h.due || regular && now-h.provenAt >= proven) {
			h.asking, h.due = true, false
			if h.doubtedSince == 0 {
				h.doubtedSince = now
			}
			due = append(due, h)
		}
		for c := range h.streams {
			if why, ends := c.overdue(now, s.stopping); ends {
				over = append(over, verdict{c, why})
			}
		}
	}
	s.mu.Unlock()
	for _, v := range over {
		v.stream.end(v.why)
	}
	s.askAbout(ctx, due)
}

// all needs Streams.mu.
func (h *holder) all(over []verdict, why ending) []verdict {
	for c := range h.streams {
		over = append(over, verdict{c, why})
	}
	return over
}

func (s *Streams) askAbout(ctx context.Context, due []*holder) {
	var next atomic.Int64
	for range min(len(due), askers) {
		s.asking.Go(func() {
			for i := next.Add(1); int(i) <= len(due); i = next.Add(1) {
				s.ask(ctx, due[i-1])
			}
		})
	}
}

// ask asks about one token and ends what is open with it where the answer is no.
func (s *Streams) ask(ctx context.Context, h *holder) {
	began := s.elapsed()
	ctx, cancel := context.WithTimeout(ctx, doubt)
	defer cancel()
	grant, err := s.verifier.Recheck(ctx, h.hash)
	var refused tokens.RefusedError
	no := errors.As(err, &refused)
	var over []verdict
	known := no || err == nil && grant.TokenID == h.token
	s.mu.Lock()
	if no {
		over = h.all(nil, tokenRefused)
	}
	open := h.all(nil, ending{})
	s.mu.Unlock()
	if known && !no {
		over, known = s.judge(ctx, open, grant)
	}
	for _, v := range over {
		v.stream.end(v.why)
	}
	s.answered(h, began, known)
}

// judge says which streams of a good token end all the same. known is false where the
// points of one of them could not be asked for.
func (s *Streams) judge(ctx context.Context, open []verdict, grant tokens.Grant) (over []verdict, known bool) {
	known = true
	asked := map[usage.Call]error{}
	scopes := strings.Fields(grant.Scopes)
	for _, v := range open {
		c := v.stream
		if c.scope != "" && !slices.Contains(scopes, c.scope) {
			over = append(over, verdict{c, scopeLost})
			continue
		}
		if !c.goesOn(s.elapsed()) {
			continue // what ends by itself was paid for when it began
		}
		err, ok := asked[c.call]
		if !ok {
			err = s.points.Recheck(ctx, c.call)
			asked[c.call] = err
		}
		var refused usage.RefusedError
		if errors.As(err, &refused) {
			over = append(over, verdict{c, noPoints(refused)})
		} else if err != nil {
			known = false
		}
	}
	return over, known
}

func (s *Streams) answered(h *holder, began time.Duration, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.asking = false
	if known {
		h.provenAt, h.doubtedSince = began, 0
	}
	if h.due {
		s.lookNow() // it was asked for again meanwhile
	}
}
