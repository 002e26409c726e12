package views

import (
	"net/url"
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

const (
	usualDays = 30
	// mostHourly is how long a chart by hour may be.
	mostHourly = 7 * 24 * time.Hour
)

// UsageChoice is the time that the page Usage is about.
type UsageChoice struct {
	// Days is as in the address.
	Days string
	Span models.UsageSpan
	// By is day or hour.
	By models.UsageBy
	// Text names the time: "Last 30 days".
	Text string
}

var usagePeriods = []struct {
	days, text string
}{{"1", "Last 24 hours"}, {"7", "Last 7 days"}, {"30", "Last 30 days"}, {"90", "Last 90 days"}, {UsagePeriod, "This period"}}

// NewUsageChoice reads the address; what it does not know is the last 30 days, by day.
func NewUsageChoice(days, by string, standing models.Standing, now models.Time) UsageChoice {
	choice := UsageChoice{Days: strconv.Itoa(usualDays), By: models.UsageByDay}
	for _, period := range usagePeriods {
		if period.days == days {
			choice.Days = days
		}
		if period.days == choice.Days {
			choice.Text = period.text
		}
	}
	switch choice.Days {
	case "1":
		choice.Span, choice.By = models.LastHours(24, now), models.UsageByHour
	case UsagePeriod:
		start, _ := standing.Period(now)
		choice.Span = models.NewUsageSpan(start, now+1, now)
	default:
		n, _ := strconv.Atoi(choice.Days)
		choice.Span = models.LastDays(n, now)
	}
	if by == string(models.UsageByHour) && choice.mayHours() {
		choice.By = models.UsageByHour
	}
	return choice
}

func (c UsageChoice) mayHours() bool { return !c.Span.LongerThan(mostHourly) }

func (c UsageChoice) options() []ui.Option {
	var options []ui.Option
	for _, period := range usagePeriods {
		options = append(options, ui.Option{Value: period.days, Text: period.text, Selected: period.days == c.Days})
	}
	return options
}

// other leads to the same time by hour, or back to days; empty where there is one way alone.
func (c UsageChoice) other() ui.Link {
	values := url.Values{UsageDays: {c.Days}}
	switch {
	case c.Days == "1" || !c.mayHours():
		return ui.Link{}
	case c.By == models.UsageByHour:
		return ui.Link{Text: "By day", Href: withQuery(UsagePath, values)}
	}
	values.Set(UsageUnit, string(models.UsageByHour))
	return ui.Link{Text: "By hour", Href: withQuery(UsagePath, values)}
}

var usageExports = []ui.Option{
	{Value: string(models.UsageByDay), Text: "Day"}, {Value: string(models.UsageByHour), Text: "Hour"}, {Value: string(models.UsageByApplication), Text: "Application"},
	{Value: string(models.UsageByRoute), Text: "Route"}, {Value: string(models.UsageByToken), Text: "Token"}, {Value: string(models.UsageByStatus), Text: "Status"},
}

// UsageExportBy reads what an export has a row for; what it does not know is a day.
func UsageExportBy(text string) models.UsageBy {
	for _, option := range usageExports {
		if option.Value == text {
			return models.UsageBy(text)
		}
	}
	return models.UsageByDay
}
