package models_test

import (
	"math"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

func TestPeriodAt(t *testing.T) {
	date := func(y int, m time.Month, d, h int) models.Time {
		return models.At(time.Date(y, m, d, h, 0, 0, 0, time.UTC))
	}
	for _, test := range []struct {
		days                 int64
		start, now, from, to models.Time
	}{
		{0, date(2026, 11, 23, 12), date(2026, 11, 23, 12), date(2026, 11, 23, 12), date(2026, 12, 1, 0)},
		{0, date(2026, 12, 1, 0), date(2026, 12, 31, 23), date(2026, 12, 1, 0), date(2027, 1, 1, 0)},
		{0, date(2026, 12, 1, 0), date(2028, 2, 29, 5), date(2028, 2, 1, 0), date(2028, 3, 1, 0)},
		{7, date(2026, 11, 23, 12), date(2026, 11, 30, 11), date(2026, 11, 23, 12), date(2026, 11, 30, 12)},
		{7, date(2026, 11, 23, 12), date(2026, 11, 30, 12), date(2026, 11, 30, 12), date(2026, 12, 7, 12)},
		{1, date(2000, 1, 1, 0), date(2026, 11, 23, 12), date(2026, 11, 23, 0), date(2026, 11, 24, 0)},
		{1, date(2026, 11, 23, 12), date(2026, 11, 20, 0), date(2026, 11, 23, 12), date(2026, 11, 24, 12)},
	} {
		from, to := models.Plan{PeriodDays: test.days}.PeriodAt(test.start, test.now)
		if from != test.from || to != test.to {
			t.Errorf("%d days from %s: %s to %s at %s", test.days, test.start.Std(), from.Std(), to.Std(), test.now.Std())
		}
	}
}

func TestPeriodIsDue(t *testing.T) {
	const now = models.Time(1000)
	for _, test := range []struct {
		plan models.TeamPlan
		want bool
	}{
		{models.TeamPlan{PeriodEndsAt: 1001, Granted: 5}, false},
		{models.TeamPlan{PeriodEndsAt: 1000, Granted: 5}, true},
		{models.TeamPlan{PeriodEndsAt: 1000, EndsAt: 1001}, true},
		{models.TeamPlan{PeriodEndsAt: 2000, Granted: 5, EndsAt: 1000}, true},
		{models.TeamPlan{PeriodEndsAt: 2000, EndsAt: 1000}, true},
		{models.TeamPlan{PeriodEndsAt: 1000, Granted: 5, EndsAt: 1000}, true},
		{models.TeamPlan{PeriodEndsAt: 1000, EndsAt: 1000}, false}, // closed
	} {
		if got := test.plan.Due(now); got != test.want {
			t.Errorf("%+v is due: %v", test.plan, got)
		}
	}
}

// D6: shares of large numbers do not overflow.
func TestReached(t *testing.T) {
	for _, test := range []struct{ used, total, want int64 }{
		{0, 0, 0}, {5, 0, 0}, {5, -1, 0}, {79, 100, 0}, {80, 100, 80}, {99, 100, 80}, {100, 100, 100}, {500, 100, 100}, {1, 1, 100}, {0, 1, 0},
		{5, 7, 0}, {6, 7, 80}, {math.MaxInt64, math.MaxInt64, 100}, {math.MaxInt64 / 10 * 8, math.MaxInt64, 0}, {math.MaxInt64 / 10 * 9, math.MaxInt64, 80},
	} {
		if got := (models.PointAlert{Used: test.used, Total: test.total}).Reached(); got != test.want {
			t.Errorf("%d of %d: %d, want %d", test.used, test.total, got, test.want)
		}
	}
}

func TestHourAndDay(t *testing.T) {
	at := models.At(time.Date(2026, 11, 23, 17, 45, 3, 7, time.UTC))
	if at.Hour().Std() != time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC) || at.Day().Std() != time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%s, %s", at.Hour().Std(), at.Day().Std())
	}
}
