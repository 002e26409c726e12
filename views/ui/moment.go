package ui

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Moment is a time as a page shows it: in words, with the exact moment for
// machines and in the title. A Moment without Machine is plain muted text,
// such as "Never".
type Moment struct {
	Text    string
	Machine string
	Title   string
}

const (
	dayLayout    = "2 Jan 2006"
	clockLayout  = "15:04"
	minuteLayout = dayLayout + ", " + clockLayout
	secondLayout = dayLayout + ", 15:04:05 MST"
)

// Never stands for a moment that has not been.
var Never = Moment{Text: "Never"}

// Ago writes a moment that has passed: relative for the last 24 hours, else
// with date and time, in the zone of now. A clock that runs slightly ahead counts as now.
func Ago(t, now time.Time) Moment {
	t = t.In(now.Location())
	return newMoment(t, ago(t, now))
}

// Until writes a moment that is to come ("in 3 days"), or Ago where it has passed.
func Until(t, now time.Time) Moment {
	if !t.After(now) {
		return Ago(t, now)
	}
	return newMoment(t.In(now.Location()), "in "+until(t.Sub(now)))
}

// Day writes the date alone, in the zone of t.
func Day(t time.Time) Moment { return newMoment(t, t.Format(dayLayout)) }

// DateTime writes date and time and nothing about now.
func DateTime(t time.Time) Moment { return newMoment(t, t.Format(minuteLayout)) }

// Exact writes date and time with the zone, for sentences that decide something.
func Exact(t time.Time) Moment { return newMoment(t, t.Format(minuteLayout+" MST")) }

// Second writes date and time to the second; the exact moment, for machines and in the
// title, has milliseconds.
func Second(t time.Time) Moment {
	return Moment{Text: t.Format(dayLayout + ", 15:04:05"), Machine: t.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Title: t.Format(dayLayout + ", 15:04:05.000 MST")}
}

// Within is the moment as it stands in the middle of a sentence.
func (m Moment) Within() Moment {
	first, size := utf8.DecodeRuneInString(m.Text)
	m.Text = string(unicode.ToLower(first)) + m.Text[size:]
	return m
}

func newMoment(t time.Time, text string) Moment {
	return Moment{Text: text, Machine: t.UTC().Format(time.RFC3339), Title: t.Format(secondLayout)}
}

// ago says "5 hours ago" within a day and "Yesterday, 23:00" once more than
// half a day and a midnight lie between.
func ago(t, now time.Time) string {
	passed := now.Sub(t)
	switch {
	case passed < time.Minute:
		return "Just now"
	case passed < time.Hour:
		return count(int(passed/time.Minute), "minute") + " ago"
	case passed < 12*time.Hour, passed < 24*time.Hour && t.Day() == now.Day():
		return count(int(passed/time.Hour), "hour") + " ago"
	case passed < 24*time.Hour:
		return "Yesterday, " + t.Format(clockLayout)
	}
	return t.Format(minuteLayout)
}

// until rounds to the nearest unit, so that a token just made for 5 hours
// expires "in 5 hours".
func until(left time.Duration) string {
	switch {
	case left < time.Minute:
		return "less than a minute"
	case left.Round(time.Minute) < time.Hour:
		return count(int(left.Round(time.Minute)/time.Minute), "minute")
	case left.Round(time.Hour) < 48*time.Hour:
		return count(int(left.Round(time.Hour)/time.Hour), "hour")
	}
	return count(int(left.Round(24*time.Hour)/(24*time.Hour)), "day")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
