package ui

import (
	"testing"
	"time"
)

var noon = time.Date(2026, time.November, 23, 16, 0, 5, 0, time.UTC)

func TestAgo(t *testing.T) {
	for passed, want := range map[time.Duration]string{
		-3 * time.Second:     "Just now",
		0:                    "Just now",
		59 * time.Second:     "Just now",
		time.Minute:          "1 minute ago",
		119 * time.Second:    "1 minute ago",
		59 * time.Minute:     "59 minutes ago",
		time.Hour:            "1 hour ago",
		15 * time.Hour:       "15 hours ago",
		17 * time.Hour:       "Yesterday, 23:00",
		23 * time.Hour:       "Yesterday, 17:00",
		24 * time.Hour:       "22 Nov 2026, 16:00",
		265 * 24 * time.Hour: "3 Mar 2026, 16:00",
	} {
		if got := Ago(noon.Add(-passed), noon).Text; got != want {
			t.Errorf("%v ago: %q, want %q", passed, got, want)
		}
	}
}

func TestAgoAcrossMidnight(t *testing.T) {
	now := time.Date(2026, time.November, 24, 0, 30, 0, 0, time.UTC)
	if got := Ago(now.Add(-40*time.Minute), now).Text; got != "40 minutes ago" {
		t.Errorf("shortly before midnight: %q", got)
	}
}

func TestUntil(t *testing.T) {
	for left, want := range map[time.Duration]string{
		-time.Hour:                      "1 hour ago",
		0:                               "Just now",
		30 * time.Second:                "in less than a minute",
		90 * time.Second:                "in 2 minutes",
		59*time.Minute + 40*time.Second: "in 1 hour",
		5*time.Hour - 2*time.Second:     "in 5 hours",
		24 * time.Hour:                  "in 24 hours",
		47 * time.Hour:                  "in 47 hours",
		3*24*time.Hour - time.Minute:    "in 3 days",
		365 * 24 * time.Hour:            "in 365 days",
	} {
		if got := Until(noon.Add(left), noon).Text; got != want {
			t.Errorf("in %v: %q, want %q", left, got, want)
		}
	}
}

func TestMomentsAreInTheZoneOfTheReader(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	night := time.Date(2026, time.November, 23, 23, 30, 5, 0, time.UTC)
	for zone, want := range map[*time.Location]Moment{
		time.UTC: {Text: "23 Nov 2026, 23:30 UTC", Machine: "2026-11-23T23:30:05Z", Title: "23 Nov 2026, 23:30:05 UTC"},
		berlin:   {Text: "24 Nov 2026, 00:30 CET", Machine: "2026-11-23T23:30:05Z", Title: "24 Nov 2026, 00:30:05 CET"},
	} {
		if got := Exact(night.In(zone)); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := Day(night.In(berlin)).Text; got != "24 Nov 2026" {
		t.Errorf("day: %q", got)
	}
	if got := Ago(night, night.Add(48*time.Hour).In(berlin)).Text; got != "24 Nov 2026, 00:30" {
		t.Errorf("ago: %q", got)
	}
}

func TestMomentWithinASentence(t *testing.T) {
	for text, want := range map[string]string{"Just now": "just now", "Yesterday, 23:00": "yesterday, 23:00", "5 hours ago": "5 hours ago"} {
		if got := (Moment{Text: text}).Within().Text; got != want {
			t.Errorf("%q gives %q", text, got)
		}
	}
}
