package main

import (
	"context"
	"fmt"
	"net/http"
)

// measured is one run of wrk against one server.
type measured struct {
	rate     float64 // requests a second
	p50, p99 float64 // ms
	memory   float64 // MB, the peak
}

// round is bare echo and, right after it, the product. Where it is measured
// beside a purge, calm is the product without one, just before both.
type round struct{ bare, own, calm measured }

// result is one row: an endpoint at a number of connections.
type result struct {
	key, title  string
	connections int
	rounds      []round
}

// measure does the rounds of one row.
func (l *lab) measure(ctx context.Context, r *result, e endpoint, purging bool) error {
	hello, err := l.endpoint("hello")
	if err != nil {
		return err
	}
	beside := bar{l.hello, hello}
	if e.bar != nil {
		beside = *e.bar
	}
	purged := int64(0)
	for i := range l.rounds {
		var took round
		if purging {
			if took.calm, err = l.loadCalm(ctx, e, r.connections); err != nil {
				return err
			}
		}
		if took.bare, err = l.load(ctx, beside.server, beside.endpoint, r.connections, l.seconds); err != nil {
			return fmt.Errorf("what is bare: %w", err)
		}
		if purging {
			if err := l.whileStopped(ctx, (*lab).expireSome); err != nil {
				return err
			}
		}
		if took.own, err = l.load(ctx, l.web, e, r.connections, l.seconds); err != nil {
			return err
		}
		if purging {
			gone, err := l.checkPurged(ctx)
			if err != nil {
				return err
			}
			purged += gone
		}
		if e.bar == nil {
			l.bare[r.connections] = append(l.bare[r.connections], took.bare)
		}
		r.rounds = append(r.rounds, took)
		l.say("%-20s %2d connections, round %d: %6.0f/s, p50 %.2f ms, p99 %.2f ms, %.3f of bare",
			r.key, r.connections, i+1, took.own.rate, took.own.p50, took.own.p99, took.own.rate/took.bare.rate)
	}
	if purging {
		l.notes = append(l.notes, fmt.Sprintf("%s: %s rows were purged in %d s.", r.title, thousands(purged), l.rounds*l.seconds))
	}
	return nil
}

// load lets wrk loose on a server. Before and after, one answer is looked at
// with Go's client, and afterwards everything that wrk cannot know.
func (l *lab) load(ctx context.Context, s *server, e endpoint, connections, seconds int) (measured, error) {
	if err := l.log.Truncate(0); err != nil {
		return measured{}, err
	}
	length, err := l.checkOne(ctx, s, e, e.requests[0])
	if err != nil {
		return measured{}, err
	}
	var before int64
	if e.durable {
		if before, err = l.lastToken(ctx); err != nil {
			return measured{}, err
		}
	}
	s.resetPeak()
	c, err := l.wrk(ctx, s.base, e, connections, seconds)
	if err != nil {
		return measured{}, fmt.Errorf("%w\n%s", err, l.logTail())
	}
	peak, err := s.memory("VmHWM")
	if err != nil {
		return measured{}, err
	}
	if e.durable {
		if err := l.checkStored(ctx, before, c.Requests); err != nil {
			return measured{}, err
		}
	}
	// A redirect is no error for wrk, but it is short.
	if c.Bytes < c.Requests*length*9/10 {
		return measured{}, fmt.Errorf("%d answers have %d bytes, the one that was looked at had a body of %d", c.Requests, c.Bytes, length)
	}
	if _, err := l.checkOne(ctx, s, e, e.requests[len(e.requests)-1]); err != nil {
		return measured{}, err
	}
	rate := float64(c.Requests) / float64(c.Duration) * 1e6
	return measured{rate: rate, p50: c.P50 / 1000, p99: c.P99 / 1000, memory: peak}, l.logErrors()
}

// checkStored wants a row for every token that was answered.
func (l *lab) checkStored(ctx context.Context, before, answered int64) error {
	stored, err := l.tokensAfter(ctx, before)
	if err == nil && stored < answered {
		err = fmt.Errorf("%d tokens were answered and %d are stored", answered, stored)
	}
	return err
}

// checkOne looks at one answer and returns the length of its body.
func (l *lab) checkOne(ctx context.Context, s *server, e endpoint, r request) (int64, error) {
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := http1(ctx, client, s.base, r)
	if err != nil && !s.alive() {
		err = fmt.Errorf("the server has ended by itself, %s: %w", s.cmd.ProcessState, err)
	}
	if err != nil {
		return 0, err
	}
	return int64(len(got.body)), e.check(got)
}
