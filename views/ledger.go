package views

import (
	"net/url"
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// PointsFacts is how a team stands.
type PointsFacts struct {
	Status, StatusTone string
	// Meaning says what the status means for calls.
	Meaning string
	Balance string
	HasPlan bool
	Plan    string
	LastDay string
	// Granted is what the plan gives, Began and Ends the period that runs.
	Granted                string
	Began, Ends            ui.Moment
	Used, Bought           string
	Rate, Streams, Members string
}

// newPointsFacts shows a standing.
func newPointsFacts(st models.Standing, now Clock) PointsFacts {
	facts := PointsFacts{Balance: models.FormatNumber(st.Balance), HasPlan: st.HasPlan, Used: models.FormatNumber(st.Used), Bought: models.FormatNumber(st.Bought)}
	facts.Status, facts.StatusTone, facts.Meaning = pointsStatus(st, now)
	if !st.HasPlan {
		return facts
	}
	facts.Plan, facts.LastDay = st.Plan.Name, lastDayText(st.EndsAt)
	facts.Granted = models.FormatNumber(st.Plan.Points) + " " + eachPeriod(st.Plan)
	facts.Began, facts.Ends = day(st.PeriodStartedAt, now), until(st.PeriodEndsAt, now)
	facts.Rate, facts.Streams, facts.Members = models.LimitText(st.Plan.RateLimit), models.LimitText(st.Plan.Streams), models.LimitText(st.Plan.Members)
	return facts
}

func lastDayText(end models.Time) string {
	if end.IsZero() {
		return ""
	}
	return (end - 1).Std().Format("2 Jan 2006") + " (UTC)"
}

// pointsStatus is a status in words, with its tone and what it means for calls.
func pointsStatus(st models.Standing, now Clock) (text, tone, meaning string) {
	switch st.Status(now.Time) {
	case models.PointsGrace:
		return "Grace", "warning", "There are no points left. Calls go on, and what they cost is billed."
	case models.PointsExpired:
		return "Expired", "danger", "The plan has ended. Calls are refused until an operator gives another one."
	case models.PointsBlocked:
		if !st.SuspendedAt.IsZero() {
			return "Blocked", "danger", "The team is suspended. Calls are refused until it is resumed."
		}
		return "Blocked", "danger", "There are no points left. Calls are refused until points are added or the next period begins."
	}
	if !st.HasPlan {
		return "Active", "success", "There is no plan: the team is not limited and pays no points."
	}
	return "Active", "success", "Calls pass."
}

// LedgerCard is what came and went, newest first.
type LedgerCard struct {
	Rows  []LedgerItem
	Pager ui.Pager
	// PastEnd means that the list is shorter than the address says.
	PastEnd   bool
	FirstPage string
	Zone      string
}

// LedgerItem is a line of the ledger.
type LedgerItem struct {
	What      string
	Note      string
	Reference string
	By        string
	When      ui.Moment
	Points    string
	Balance   string
}

var ledgerColumns = []ui.Column{{Text: "Entry"}, {Text: "When"}, {Text: "By"}, {Text: "Points"}, {Text: "Balance after"}}

var ledgerWords = map[models.LedgerKind]string{
	models.LedgerPlan: "Points of the plan", models.LedgerLapse: "Lapsed", models.LedgerPurchase: "Added", models.LedgerCorrection: "Corrected",
	models.LedgerUse: "Calls", models.LedgerOverage: "Overage to be billed",
}

// newLedgerCard shows one page of a ledger that stands at path.
func newLedgerCard(list models.LedgerList, path string, page int, now Clock) LedgerCard {
	href := func(page int) string {
		values := url.Values{}
		if page > 1 {
			values.Set("page", strconv.Itoa(page))
		}
		return withQuery(path, values)
	}
	card := LedgerCard{
		Pager: newPager(list.Total, len(list.Rows), page, href), FirstPage: href(1),
		PastEnd: list.Total > 0 && len(list.Rows) == 0, Zone: now.zoneName(),
	}
	card.Pager.Back, card.Pager.On = "Newer", "Older"
	for _, entry := range list.Rows {
		card.Rows = append(card.Rows, newLedgerItem(entry, now))
	}
	return card
}

func newLedgerItem(entry models.LedgerEntry, now Clock) LedgerItem {
	item := LedgerItem{
		What: ledgerWords[entry.Kind], Note: entry.Note, Reference: entry.Reference, By: entry.ActorName,
		When: ago(entry.At, now), Points: signed(entry.Points), Balance: models.FormatNumber(entry.BalanceAfter),
	}
	if entry.Kind == models.LedgerUse {
		item.What, item.When = "Calls of a day", utcDay(entry.At)
	}
	return item
}

// utcDay is a day as the ledger sums it, whatever the reader's zone.
func utcDay(t models.Time) ui.Moment {
	text := t.Std().Format("2 Jan 2006") + " (UTC)"
	return ui.Moment{Text: text, Machine: t.Std().Format(time.DateOnly), Title: text}
}

// signed writes what came with a plus.
func signed(n int64) string {
	if n > 0 {
		return "+" + models.FormatNumber(n)
	}
	return models.FormatNumber(n)
}

// PointsView is the page Points of a team.
type PointsView struct {
	Facts  PointsFacts
	Ledger LedgerCard
}

// NewPointsView shows one page of the team's own ledger.
func NewPointsView(st models.Standing, list models.LedgerList, page int, now Clock) PointsView {
	return PointsView{Facts: newPointsFacts(st, now), Ledger: newLedgerCard(list, PointsPath, page, now)}
}
