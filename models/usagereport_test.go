package models

import (
	"testing"
	"time"
)

// D6: a cap is a whole number with bounds.
func TestParsePointsPerDay(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "  ": 0, "1": 1, " 1,000 ": 1000, "1000000000000": MaxPointsPerDay} {
		if got, problem := ParsePointsPerDay(text); got != want || problem != "" {
			t.Errorf("%q: %d %q", text, got, problem)
		}
	}
	for _, text := range []string{"0", "-1", "+1", "1.5", "1e3", "0x10", "ten", "1000000000001", "9223372036854775808", "-9223372036854775809"} {
		if _, problem := ParsePointsPerDay(text); problem == "" {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestUsageSpans(t *testing.T) {
	at := func(text string) Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return At(moment)
	}
	now := at("2026-11-23T16:20:00Z")
	for name, c := range map[string]struct {
		got      UsageSpan
		from, to string
	}{
		"hours":             {LastHours(24, now), "2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z"},
		"days":              {LastDays(7, now), "2026-11-17T00:00:00Z", "2026-11-24T00:00:00Z"},
		"rounded":           {NewUsageSpan(at("2026-11-20T10:59:59Z"), at("2026-11-20T12:00:01Z"), now), "2026-11-20T10:00:00Z", "2026-11-20T13:00:00Z"},
		"exact":             {NewUsageSpan(at("2026-11-20T10:00:00Z"), at("2026-11-20T12:00:00Z"), now), "2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"},
		"hours are gone":    {NewUsageSpan(at("2026-08-01T10:00:00Z"), now, now), "2026-08-01T00:00:00Z", "2026-11-23T17:00:00Z"},
		"backwards":         {NewUsageSpan(now, at("2026-11-20T10:00:00Z"), now), "2026-11-23T16:00:00Z", "2026-11-23T16:00:00Z"},
		"days of a part":    {NewUsageSpan(at("2026-11-20T10:00:00Z"), at("2026-11-22T01:00:00Z"), now).Days(), "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		"days of no day":    {NewUsageSpan(at("2026-11-20T10:00:00Z"), at("2026-11-20T12:00:00Z"), now).Days(), "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"},
		"days of all whole": {LastDays(2, now).Days(), "2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z"},
	} {
		if c.got != (UsageSpan{From: at(c.from), To: at(c.to)}) {
			t.Errorf("%s: %s to %s", name, c.got.From.Std(), c.got.To.Std())
		}
	}
}

func TestUsedPercent(t *testing.T) {
	for _, c := range []struct{ left, used, percent, mark int64 }{
		{100, 0, 0, 0}, {21, 79, 79, 0}, {71, 29, 29, 0}, {20, 80, 80, 80}, {1, 999, 99, 80}, {0, 100, 100, 100}, {-3, 103, 103, 100}, {0, 0, 100, 100}, {-5, 5, 100, 100},
	} {
		st := Standing{HasPlan: true, TeamPlan: TeamPlan{PeriodEndsAt: 10}, Balance: c.left, Used: c.used}
		if st.UsedPercent() != c.percent || st.PointsMark(5) != c.mark || st.PointsMark(10) != 0 {
			t.Errorf("%+v: %d%%, mark %d", c, st.UsedPercent(), st.PointsMark(5))
		}
	}
}
