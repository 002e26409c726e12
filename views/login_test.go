package views

import (
	"testing"
	"time"
)

func TestTooManyAttempts(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0:                              "1 second",
		time.Millisecond:               "1 second",
		30 * time.Second:               "30 seconds",
		58500 * time.Millisecond:       "59 seconds",
		time.Minute:                    "1 minute",
		time.Minute + time.Millisecond: "2 minutes",
		5 * time.Minute:                "5 minutes",
	} {
		if got := TooManyAttempts(wait); got != "Too many attempts. Try again in "+want+"." {
			t.Errorf("%v: %q", wait, got)
		}
	}
}
