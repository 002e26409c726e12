package models

import (
	"testing"
	"time"
)

// T5: the windows begin at 00:00 and 12:00 UTC, whatever a zone does that day, and no
// token lives longer than the operator allows.
func TestRotation(t *testing.T) {
	usual := NewRotation(365 * 86400)
	if usual != (Rotation{12 * time.Hour, 5 * time.Minute}) {
		t.Fatalf("%+v", usual)
	}
	for now, want := range map[string]string{
		"2026-11-23T00:00:00Z": "2026-11-23T12:00:00Z", "2026-11-23T11:59:59.999Z": "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z": "2026-11-24T00:00:00Z",
		"2026-11-23T16:18:00Z": "2026-11-24T00:00:00Z", "2026-03-29T01:30:00Z": "2026-03-29T12:00:00Z", // clocks change in Europe
		"1970-01-01T00:00:00Z": "1970-01-01T12:00:00Z",
	} {
		at, _ := time.Parse(time.RFC3339, now)
		if got := usual.Changes(At(at)).Std().UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", now, got, want)
		}
		if got := usual.Ends(At(at)).Sub(usual.Changes(At(at))); got != 5*time.Minute {
			t.Errorf("%s: it ends %s after", now, got)
		}
	}
	for longest, every := range map[int64]time.Duration{43500: 12 * time.Hour, 43499: 6 * time.Hour, 43200: 6 * time.Hour, 3600: 45 * time.Minute} {
		if got := NewRotation(longest).Every; got != every {
			t.Errorf("%d: %s, want %s", longest, got, every)
		}
	}
	for longest := MinLifespan; longest < 50000; longest += 7 {
		r := NewRotation(longest)
		for _, now := range []Time{0, 1, 1763942400000, 1763942399999} {
			if lives := r.Ends(now).Sub(now); lives > time.Duration(longest)*time.Second || lives <= r.Grace || r.Grace <= 0 || r.Changes(now) <= now {
				t.Fatalf("%d: %+v lives for %s at %d", longest, r, lives, now)
			}
		}
	}
}
