package views

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// RefusedView is the page Refused calls.
type RefusedView struct {
	Lead            string
	Empty, PastEnd  bool
	Filtered        bool
	FirstPage       string
	Application     ui.Dropdown
	HasApplications bool
	Rows            []RefusedItem
	Pager           ui.Pager
	Zone            string
}

// RefusedItem is a row: one call, or several alike.
type RefusedItem struct {
	Last, First ui.Moment // First is zero for a single call
	Calls       string
	Why         RefusedWhy
	Token       string
	TokenName   string
	AppName     string
	AppHref     string // empty where it was deleted
	Route       string
	Address     string
	Agent       string
}

// RefusedWhy is a reason in words: Text, then By and At where they are known, then Note.
type RefusedWhy struct {
	Text, By string
	At       ui.Moment
	Note     string
}

// NewRefusedView shows one page of the list. chosen is the application that it is filtered
// by, zero for all.
func NewRefusedView(list models.RefusedList, number int, apps []models.Application, chosen models.Application, now Clock) RefusedView {
	href := func(page int) string {
		values := url.Values{}
		if chosen.ID != "" {
			values.Set("application", chosen.ID)
		}
		if page > 1 {
			values.Set("page", strconv.Itoa(page))
		}
		return withQuery(RefusedPath, values)
	}
	view := RefusedView{
		Lead:  "Calls with a token of your team that were answered 401 or 403, and why. The newest " + models.FormatNumber(models.MaxRefused) + " are kept, for " + days(models.KeepRefused) + ".",
		Empty: list.Total == 0, PastEnd: list.Total > 0 && len(list.Rows) == 0, Filtered: chosen.ID != "", FirstPage: href(1),
		HasApplications: len(apps) > 0, Application: refusedChoices(apps, chosen), Pager: newPager(list.Total, len(list.Rows), number, href), Zone: now.zoneName(),
	}
	for _, row := range list.Rows {
		view.Rows = append(view.Rows, newRefusedItem(row, now))
	}
	return view
}

func days(d time.Duration) string { return strconv.Itoa(int(d/(24*time.Hour))) + " days" }

func refusedChoices(apps []models.Application, chosen models.Application) ui.Dropdown {
	if chosen.ID != "" && !slices.ContainsFunc(apps, func(app models.Application) bool { return app.ID == chosen.ID }) {
		apps = append([]models.Application{chosen}, apps...)
	}
	d := ui.Dropdown{ID: "r-application", Name: "application", Label: "Application", Options: []ui.Option{{Text: "All applications", Selected: chosen.ID == ""}}}
	for _, app := range apps {
		d.Options = append(d.Options, ui.Option{Value: app.ID, Text: app.Name, Selected: app.ID == chosen.ID})
	}
	return d
}

func newRefusedItem(row models.RefusedRow, now Clock) RefusedItem {
	fate := row.Fate
	item := RefusedItem{
		Last: ago(row.LastAt, now), Calls: models.FormatNumber(row.Times), Why: whyRefused(row, now),
		Token: "Deleted since", AppName: fate.ApplicationName, Route: row.Route, Address: row.Address, Agent: row.Agent,
	}
	if row.Times > 1 {
		item.First = ago(row.FirstAt, now).Within()
	}
	if fate.TokenID != "" {
		item.Token, item.TokenName = mask+fate.Last4, fate.TokenName
	}
	if fate.AppDeletedAt.IsZero() && fate.ApplicationID != "" {
		item.AppHref = ApplicationPath(fate.ApplicationID)
	}
	return item
}

func whyRefused(row models.RefusedRow, now Clock) RefusedWhy {
	fate := row.Fate
	why := RefusedWhy{}
	switch row.Why() {
	case models.RefusedExpired:
		why.Text = "Expired"
		if fate.TokenID != "" {
			why.Text = "Expired " + roughly(row.LastAt.Sub(fate.ExpiresAt)) + " before the call"
		}
	case models.RefusedRevoked:
		why.Text = "Revoked"
		if fate.TokenID != "" {
			why.By, why.At = revoker(fate), moment(fate.RevokedAt, now)
		}
	case models.RefusedDisabled:
		why.Text = "Application switched off"
		if fate.ApplicationID != "" && fate.AppDisabledAt.IsZero() && fate.AppDeletedAt.IsZero() {
			why.Note = "It is switched on again."
		}
	case models.RefusedDeleted:
		why.Text, why.At = "Application deleted", moment(fate.AppDeletedAt, now)
	case models.RefusedSuspended:
		why.Text = "Team suspended"
	case models.RefusedScope:
		why.Text = "Lacks the scope that the call needs"
		if row.Scope != "" {
			why.Text = "Lacks the scope " + row.Scope
		}
	default:
		why.Text = "Not a good token"
	}
	if fate.TokenID == "" {
		why.Note = "The token was deleted since."
	}
	return why
}

// revoker is who revoked a token, in words; empty where that is not known.
func revoker(fate models.TokenFate) string {
	if fate.ByProgram {
		return "a program of " + fate.RevokedByName
	}
	return fate.RevokedByName
}

func moment(t models.Time, now Clock) ui.Moment {
	if t.IsZero() {
		return ui.Moment{}
	}
	return ui.DateTime(now.in(t))
}

// roughly is a time between two moments in its largest unit, rounded down.
func roughly(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		noun string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= unit.of {
			return models.Count(int64(d/unit.of), unit.noun)
		}
	}
	return "less than a second"
}

// RefusedCard is the last refused calls of one application, on its page.
type RefusedCard struct {
	Rows []RefusedItem
	Href string
	Zone string
}

// RefusedCardRows is how many of them an application's page shows.
const RefusedCardRows = 5

// NewRefusedCard shows them; the page Refused calls has the others.
func NewRefusedCard(appID string, rows []models.RefusedRow, now Clock) RefusedCard {
	card := RefusedCard{Href: RefusedOfPath(appID), Zone: now.zoneName()}
	for _, row := range rows {
		card.Rows = append(card.Rows, newRefusedItem(row, now))
	}
	return card
}
