package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// paceDays is how many days tell how fast points go.
const paceDays = 7

// PaceSpan is the time that tells how fast points go: the last 7 days (UTC), today included.
func PaceSpan(now models.Time) models.UsageSpan { return models.LastDays(paceDays, now) }

// BalanceCard is how a team stands.
type BalanceCard struct {
	// NoPlan means that calls are counted and not limited.
	NoPlan       bool
	Plan         string
	Status, Tone string
	// Explain says what a status other than active means.
	Explain        string
	From, To       ui.Moment
	Left, Of       string
	MeterUsed      string
	MeterMax       string
	MeterText      string
	MeterTone      string
	Used           string
	Refill         string // "Refills on" or "The plan ends on"
	RefillAt       ui.Moment
	DaysLeft       string
	Forecast       string
	Facts          []UsageFact
	LedgerHref     string
	UnchargedNotes string
}

// UsageFact is a limit or a figure with its name.
type UsageFact struct{ Name, Value string }

// newBalanceCard shows a standing; week is what was used in PaceSpan.
func newBalanceCard(st models.Standing, week []models.UsagePoint, streams int, now Clock) BalanceCard {
	card := BalanceCard{NoPlan: !st.HasPlan, LedgerHref: PointsPath}
	if !st.HasPlan {
		card.Facts = []UsageFact{{"Live streams", models.FormatNumber(int64(streams)) + " open now"}}
		if st.Balance != 0 {
			card.UnchargedNotes = models.Count(st.Balance, "point") + " are in your account; none are charged without a plan."
		}
		return card
	}
	status, ended := st.Status(now.Time), !st.EndsAt.IsZero() && st.EndsAt <= st.PeriodEndsAt
	card.Plan = st.Plan.Name
	card.Status, card.Tone = statusWord(status)
	card.From, card.To = day(st.PeriodStartedAt, now), day(st.PeriodEndsAt-1, now)
	card.Left, card.Of = models.FormatNumber(max(0, st.Balance)), models.FormatNumber(st.Total())
	card.MeterMax, card.MeterUsed = strconv.FormatInt(max(1, st.Total()), 10), strconv.FormatInt(min(max(0, st.Used), max(1, st.Total())), 10)
	card.MeterText = models.FormatNumber(st.Used) + " of " + card.Of
	if st.PointsMark(now.Time) > 0 {
		card.MeterTone = "warning"
	}
	card.Used = models.FormatNumber(st.Used) + " used (" + usedShare(st) + ")"
	card.Refill, card.RefillAt = "Refills on", day(st.PeriodEndsAt, now)
	if ended {
		card.Refill, card.RefillAt = "The plan ends on", day(st.EndsAt, now)
	}
	if status == models.PointsExpired {
		card.Refill = "The plan ended on"
	} else {
		card.DaysLeft = periodLeft(card.RefillAt, min(st.PeriodEndsAt, orLater(st.EndsAt, st.PeriodEndsAt)), now)
		card.Forecast = forecast(st, week, !ended, now.Time)
	}
	card.Explain = explainStatus(st, status)
	card.Facts = []UsageFact{
		{"Rate limit", limitText(st.Plan.RateLimit, models.Count(st.Plan.RateLimit, "request")+" a minute")},
		{"Live streams", streamsText(streams, st.Plan.Streams)},
		{"Members", limitText(st.Plan.Members, models.FormatNumber(st.Plan.Members)+" at most")},
	}
	return card
}

func orLater(t, fallback models.Time) models.Time {
	if t.IsZero() {
		return fallback
	}
	return t
}

func limitText(limit int64, text string) string {
	if limit == 0 {
		return "No limit"
	}
	return text
}

func streamsText(open int, limit int64) string {
	if limit == 0 {
		return models.FormatNumber(int64(open)) + " open now, no limit"
	}
	return models.FormatNumber(int64(open)) + " of " + models.FormatNumber(limit) + " open now"
}

func statusWord(status models.PointsStatus) (word, tone string) {
	switch status {
	case models.PointsGrace:
		return "Grace", "warning"
	case models.PointsBlocked:
		return "Blocked", "danger"
	case models.PointsExpired:
		return "Expired", "danger"
	}
	return "Active", "success"
}

const whoAdds = "whoever runs Latchkey can add points or change the plan"

func explainStatus(st models.Standing, status models.PointsStatus) string {
	switch status {
	case models.PointsGrace:
		return "All points are used. Calls go on: " + models.Count(-st.Balance, "point") + " beyond the plan so far."
	case models.PointsBlocked:
		return "All points are used: calls are refused with 402 until the points refill. Sooner, " + whoAdds + "."
	case models.PointsExpired:
		return "The plan has ended: calls are refused with 402. To go on, " + whoAdds + "."
	}
	return ""
}

func periodLeft(end ui.Moment, at models.Time, now Clock) string {
	if at <= now.Time || end.Text == "" {
		return ""
	}
	return strings.TrimPrefix(until(at, now).Text, "in ") + " left in this period"
}

// forecast says how long the points last if the last days go on. refills tells that the
// plan gives new ones at the end of the period.
func forecast(st models.Standing, week []models.UsagePoint, refills bool, now models.Time) string {
	if st.Balance <= 0 {
		return ""
	}
	// Who began within the week has not had all of it.
	first, points := now, int64(0)
	for _, p := range week {
		if p.Points > 0 {
			first = min(first, p.At)
		}
		points += p.Points
	}
	if points <= 0 {
		return "No points were used in the last 7 days, so there is no forecast."
	}
	days := st.DaysLeft(points, max(now.Sub(first), 24*time.Hour))
	switch {
	case refills && days*24 >= st.PeriodEndsAt.Sub(now).Hours():
		return "At this pace, they last until the refill."
	case days < 1:
		return "At this pace, less than a day left."
	case days > 365:
		return "At this pace, more than a year left."
	}
	return "At this pace, " + models.Count(int64(days), "day") + " left."
}

// usedShare is in percent, and 100 only where nothing is left.
func usedShare(st models.Standing) string {
	share := percent(st.Used, st.Total())
	if share == "100%" && st.Balance > 0 {
		return "99%"
	}
	return share
}

// PointsNotice is the banner of a team whose points run out.
type PointsNotice struct {
	Tone, Title, Text string
	// RefillAt is when new ones come, without Machine where none do.
	RefillAt ui.Moment
}

// NewPointsNotice is nil where there is nothing to tell.
func NewPointsNotice(st models.Standing, now Clock) *PointsNotice {
	status, mark := st.Status(now.Time), st.PointsMark(now.Time)
	if !st.HasPlan || status == models.PointsActive && mark == 0 {
		return nil
	}
	notice := &PointsNotice{Tone: "warning", Title: usedShare(st) + " of this period’s points are used", Text: models.Count(st.Balance, "point") + " left."}
	switch status {
	case models.PointsGrace:
		notice.Title, notice.Text = "All points of this period are used", "Calls go on and are counted beyond the plan."
	case models.PointsBlocked:
		notice.Tone, notice.Title, notice.Text = "danger", "No points left", "Calls are refused with 402."
	case models.PointsExpired:
		return &PointsNotice{Tone: "danger", Title: "The plan has ended", Text: "Calls are refused with 402. To go on, " + whoAdds + "."}
	}
	if st.EndsAt.IsZero() || st.EndsAt > st.PeriodEndsAt {
		notice.RefillAt = day(st.PeriodEndsAt, now)
	}
	return notice
}
