package main

import (
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
)

// newest is the latest time that was seen, in nanoseconds.
var newest atomic.Int64

// clock is where time comes from, in this program and nowhere else. It never
// goes back, so that setting the system's clock back makes no token good again;
// it stands still then until the system's clock has caught up.
func clock() time.Time {
	now := time.Now()
	return notBefore(&newest, now)
}

// notBefore returns now, or the latest of earlier calls where now is before it.
func notBefore(newest *atomic.Int64, now time.Time) time.Time {
	nanos := now.UnixNano()
	for {
		latest := newest.Load()
		if nanos < latest {
			return time.Unix(0, latest)
		}
		if newest.CompareAndSwap(latest, nanos) {
			return now
		}
	}
}

func clockMillis() models.Time { return models.At(clock()) }
