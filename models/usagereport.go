package models

import "time"

// How long counters are kept: by hour with their tokens, and by day.
const (
	KeepHourlyUse = 92 * 24 * time.Hour
	KeepDailyUse  = 800 * 24 * time.Hour
)

const (
	hourMillis = Time(time.Hour / time.Millisecond)
	dayMillis  = 24 * hourMillis
)

// HourOf is the beginning of the UTC hour that t is in.
func HourOf(t Time) Time { return t - t%hourMillis }

// DayOf is the beginning of the UTC day that t is in.
func DayOf(t Time) Time { return t - t%dayMillis }

// UsageSpan is the time from From to To, whole UTC hours: From is in it, To is not.
type UsageSpan struct {
	From, To Time
}

// NewUsageSpan widens a time to whole hours, and to whole days at its beginning where
// its hours are no longer kept.
func NewUsageSpan(from, to, now Time) UsageSpan {
	from, to = max(HourOf(from), 0), HourOf(to+hourMillis-1)
	if from < now.Add(-KeepHourlyUse) {
		from = DayOf(from)
	}
	return UsageSpan{From: from, To: max(from, to)}
}

// LastHours are n hours, the one that runs included.
func LastHours(n int, now Time) UsageSpan {
	end := HourOf(now) + hourMillis
	return UsageSpan{From: end - Time(n)*hourMillis, To: end}
}

// LastDays are n days, today included.
func LastDays(n int, now Time) UsageSpan {
	end := DayOf(now) + dayMillis
	return UsageSpan{From: end - Time(n)*dayMillis, To: end}
}

// Days is the part of the span that is whole days; what is left of it before and after is
// less than a day each.
func (s UsageSpan) Days() UsageSpan {
	from, to := DayOf(s.From+dayMillis-1), DayOf(s.To)
	if from >= to {
		return UsageSpan{From: s.To, To: s.To}
	}
	return UsageSpan{From: from, To: to}
}

// LongerThan compares in milliseconds: a time.Duration holds no more than 292 years.
func (s UsageSpan) LongerThan(d time.Duration) bool { return int64(s.To-s.From) > d.Milliseconds() }

// UsageBy is what calls are added up by.
type UsageBy string

// The ways.
const (
	UsageByDay         UsageBy = "day"
	UsageByHour        UsageBy = "hour"
	UsageByApplication UsageBy = "application"
	UsageByRoute       UsageBy = "route"
	UsageByToken       UsageBy = "token"
	UsageByAPI         UsageBy = "api"
	UsageByStatus      UsageBy = "status"
)

// IsTime tells whether it gives a series.
func (b UsageBy) IsTime() bool { return b == UsageByDay || b == UsageByHour }

// UsageSum is calls added up. Errors counts those answered with 400 or more.
type UsageSum struct {
	Requests, Points, Errors int64
}

// Plus adds another sum.
func (s UsageSum) Plus(other UsageSum) UsageSum {
	return UsageSum{s.Requests + other.Requests, s.Points + other.Points, s.Errors + other.Errors}
}

// UsagePoint is what was counted under one API version in the day or hour that begins at At.
type UsagePoint struct {
	At       Time
	API      string
	UsageSum `gorm:"embedded"`
}

// UsageRow is what was counted under one key. Of what it is by, only the fields that name it are set.
type UsageRow struct {
	// Key is the ID of an application or a token, a route, an API version or a status.
	Key      string
	UsageSum `gorm:"embedded"`
	// Name is an application's or a token's, empty where the token has none and where no
	// row of it is left: see Known.
	Name  string
	Known bool
	// Last4 and ApplicationName are a token's.
	Last4           string
	ApplicationID   string
	ApplicationName string
	// BuiltIn and Deleted are the application's.
	BuiltIn, Deleted bool
}

// UsageTable is the rows with the most points, and what the others come to.
type UsageTable struct {
	Rows []UsageRow
	// Others counts the rows that are left out.
	Others int64
	Rest   UsageSum
}

// Total is all of it.
func (t UsageTable) Total() UsageSum {
	total := t.Rest
	for _, row := range t.Rows {
		total = total.Plus(row.UsageSum)
	}
	return total
}

// Period is the billing period, or the calendar month (UTC) of a team without a plan.
func (s Standing) Period(now Time) (start, end Time) {
	if s.HasPlan {
		return s.PeriodStartedAt, s.PeriodEndsAt
	}
	at := now.Std()
	start = At(time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC))
	return start, Plan{}.PeriodEnd(start)
}

// Total is all that a team could spend in this period and has or had: what is left and
// what was used.
func (s Standing) Total() int64 { return max(0, s.Balance+s.Used) }

// UsedPercent is the share of Total that was used, rounded down; 100 where there was
// nothing to use.
func (s Standing) UsedPercent() int64 {
	total := s.Total()
	if total == 0 {
		return 100
	}
	return int64(float64(s.Used) * 100 / float64(total))
}

// PointsMark is the highest of PointAlertMarks that the team has reached in a period that
// runs at now; zero for none, and without a plan.
func (s Standing) PointsMark(now Time) int64 {
	if !s.HasPlan || now >= s.PeriodEndsAt {
		return 0
	}
	reached := int64(0)
	for _, mark := range PointAlertMarks {
		if s.UsedPercent() >= mark || s.Balance <= 0 {
			reached = max(reached, mark)
		}
	}
	return reached
}

// DaysLeft is how long the points last at the pace of so many in a time: zero where there
// are none left or nothing is used.
func (s Standing) DaysLeft(points int64, in time.Duration) float64 {
	if s.Balance <= 0 || points <= 0 || in <= 0 {
		return 0
	}
	return float64(s.Balance) / float64(points) * in.Hours() / 24
}
