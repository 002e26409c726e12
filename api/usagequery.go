package api

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/latchkey/latchkey/models"
)

// usageQuery is what was asked for besides the billing period.
type usageQuery struct {
	asked bool
	span  models.UsageSpan
	by    models.UsageBy
}

var usageWays = []models.UsageBy{models.UsageByDay, models.UsageByHour, models.UsageByApplication, models.UsageByToken, models.UsageByRoute}

// How long a time may be asked for, by hour and in all.
const (
	longestHourly = 31 * 24 * time.Hour
	longestAsked  = models.KeepDailyUse
)

func invalid(sentence string) error {
	return &Error{http.StatusBadRequest, "invalid_request", sentence}
}

// parseUsageQuery reads from, to and by. What is left out is the billing period so far, by
// day; a date as to is in the time, a moment is its end.
func parseUsageQuery(params url.Values, st models.Standing, now models.Time) (usageQuery, error) {
	given := func(name string) string {
		if values := params[name]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	for _, name := range []string{"from", "to", "by"} {
		if len(params[name]) > 1 {
			return usageQuery{}, invalid("Give " + name + " once.")
		}
	}
	query := usageQuery{asked: given("from") != "" || given("to") != "" || given("by") != "", by: models.UsageByDay}
	if by := models.UsageBy(given("by")); by != "" {
		if !slices.Contains(usageWays, by) {
			return usageQuery{}, invalid("by is day, hour, application, token or route.")
		}
		query.by = by
	}
	from, _ := st.Period(now)
	to := now + 1
	if text := given("from"); text != "" {
		at, _, ok := parseMoment(text)
		if !ok {
			return usageQuery{}, invalid("from is a date such as 2026-11-01 or a time such as 2026-11-01T00:00:00Z.")
		}
		from = at
	}
	if text := given("to"); text != "" {
		at, date, ok := parseMoment(text)
		if !ok {
			return usageQuery{}, invalid("to is a date such as 2026-11-30 or a time such as 2026-12-01T00:00:00Z.")
		}
		to = at
		if date {
			to = at.Add(24 * time.Hour)
		}
	}
	query.span = models.NewUsageSpan(from, to, now)
	switch {
	case from >= to:
		return usageQuery{}, invalid("from must be before to.")
	case query.by == models.UsageByHour && query.span.LongerThan(longestHourly):
		return usageQuery{}, invalid("by=hour covers 31 days at most. Ask for less, or by=day.")
	case query.span.LongerThan(longestAsked):
		return usageQuery{}, invalid("from and to may lie 800 days apart at most, which is as long as figures are kept.")
	}
	return query, nil
}

// parseMoment reads RFC 3339, or a date in UTC. Years are those that a clock can show.
func parseMoment(text string) (at models.Time, date, ok bool) {
	t, err := time.Parse(time.DateOnly, text)
	date = err == nil
	if !date {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return 0, false, false
		}
	}
	if t.Year() < 1970 || t.Year() > 9999 {
		return 0, false, false
	}
	return models.At(t), date, true
}
