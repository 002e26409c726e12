package main

import (
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
}

var system = steadyClock{start: time.Now()}

// clock is where time comes from, in this program and nowhere else.
func clock() time.Time {
	now := time.Now()
	return time.Unix(0, system.tell(now.UnixNano(), int64(now.Sub(system.start))))
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
			return says
		}
	}
}

func clockMillis() models.Time { return models.At(clock()) }
