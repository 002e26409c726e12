package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
)

// steadyClock tells a time that never goes back: setting the system's clock back
// makes no token good again. From then on it goes by the monotonic clock alone,
// ahead of the system's until that has caught up or the program starts anew.
type steadyClock struct {
	start time.Time
	// ahead is by how much the system's clock was further than the monotonic one at
	// most, in nanoseconds. It only grows.
	ahead atomic.Int64
	// jumped is what the monotonic clock showed when the system's was last found to have been
	// set ahead, jump by how much. No jump is zero.
	jumped, jump atomic.Int64
}

const (
	// leap is by how much the system's clock is set ahead at least to be doubted, slack how
	// far it may be behind.
	leap  = 10 * time.Minute
	slack = time.Minute
	// doubtFor is how long nothing is deleted after a leap: what had ended only by a wrong clock is
	// still there when it was set right.
	doubtFor = 24 * time.Hour
)

var system = steadyClock{start: time.Now()}

// clock is where time comes from, in this program and nowhere else.
func clock() time.Time {
	return time.Unix(0, system.tell(system.read()))
}

// read asks both clocks.
func (s *steadyClock) read() (says, passed int64) {
	now := time.Now()
	return now.UnixNano(), int64(now.Sub(s.start))
}

// tell takes what the system's clock says and what has passed since the start by
// the monotonic one, both in nanoseconds.
func (s *steadyClock) tell(says, passed int64) int64 {
	for ahead := says - passed; ; {
		furthest := s.ahead.Load()
		if ahead <= furthest {
			return furthest + passed
		}
		if s.ahead.CompareAndSwap(furthest, ahead) {
			if furthest != 0 && ahead-furthest >= int64(leap) {
				s.jumped.Store(passed)
				s.jump.Store(ahead - furthest)
			}
			return says
		}
	}
}

// doubt tells why the time may be a wrong one; empty where nothing speaks against it.
func (s *steadyClock) doubt(says, passed int64) (why string, by time.Duration) {
	if behind := s.behind(says, passed); behind > slack {
		return "the system's clock was set back: the program goes on by its own; restart it once the system's is right", behind
	}
	if jump := s.jump.Load(); jump != 0 && passed-s.jumped.Load() < int64(doubtFor) {
		return "the system's clock was set ahead: nothing is deleted for a day", time.Duration(jump)
	}
	return "", 0
}

// behind is by how much the system's clock was set back and has not caught up yet.
func (s *steadyClock) behind(says, passed int64) time.Duration {
	return time.Duration(s.ahead.Load() - (says - passed))
}

// clockAhead is for the metrics.
func clockAhead() time.Duration {
	clock()
	return system.behind(system.read())
}

// watchClock logs when the time begins and ends to be doubted.
func watchClock(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for last, lastBy := "", time.Duration(0); ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		clock()
		why, by := system.doubt(system.read())
		switch {
		case why == last && (by-lastBy).Abs() < slack:
			continue
		case why == "":
			log.Info("the system's clock is trusted again")
		default:
			log.Warn(why, "by", by.Round(time.Second))
		}
		last, lastBy = why, by
	}
}

func clockMillis() models.Time { return models.At(clock()) }
