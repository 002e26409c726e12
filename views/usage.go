package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// UsageRows is how many rows a table of the page shows; an export has more.
const UsageRows = 25

// UsageState is what handlers know of a team's use.
type UsageState struct {
	Standing models.Standing
	Streams  int
	// Week is what was used in PaceSpan, by day.
	Week   []models.UsagePoint
	Choice UsageChoice
	// Series and the tables are of the time chosen.
	Series                                 []models.UsagePoint
	Applications, Routes, Tokens, Statuses models.UsageTable
	// Never means that nothing was ever used.
	Never bool
}

// UsageView is the page Usage.
type UsageView struct {
	Notice  *PointsNotice
	Balance BalanceCard
	Zone    string
	// Never replaces all but the balance; HideBalance also that, where it says nothing.
	Never, HideBalance bool
	Periods            []ui.Option
	// Other leads to the same period by hour, or back to days.
	Other  ui.Link
	Chart  UsageChart
	Tables []UsageTable
	Errors UsageTable
	Export ui.Dropdown
	Days   string
}

// UsageTable is what was used by something; without rows it is not shown.
type UsageTable struct {
	ID, Title, Lead string
	Columns         []ui.Column
	Rows            []UsageItem
}

// UsageItem is a row. Cells are in the order of the columns after the first.
type UsageItem struct {
	Name, Href, Sub, Badge string
	Cells                  []string
	// Muted tells that Name is not one.
	Muted bool
}

// NewUsageView shows what a team uses.
func NewUsageView(state UsageState, now Clock) UsageView {
	view := UsageView{
		Notice: NewPointsNotice(state.Standing, now), Balance: newBalanceCard(state.Standing, state.Week, state.Streams, now), Zone: now.zoneName(),
		Never: state.Never, HideBalance: state.Never && !state.Standing.HasPlan && state.Standing.Balance == 0 && state.Streams == 0,
		Periods: state.Choice.options(), Other: state.Choice.other(), Days: state.Choice.Days, Export: ui.Dropdown{ID: "u-by", Name: UsageUnit, Label: "One row for each", Options: usageExports},
	}
	if state.Never {
		return view
	}
	view.Chart = newUsageChart(state.Series, state.Choice, now.Time)
	view.Tables = []UsageTable{
		newUsageTable("app", "By application", "", "Application", state.Applications, applicationItem),
		newUsageTable("route", "By route", "", "Route", state.Routes, routeItem),
		newUsageTable("token", "By token", "Tokens are counted one by one for 92 days.", "Token", state.Tokens, tokenItem),
	}
	view.Errors = newErrorTable(state.Statuses)
	return view
}

func newUsageTable(id, title, lead, first string, table models.UsageTable, name func(models.UsageRow) UsageItem) UsageTable {
	shown := UsageTable{ID: id, Title: title, Lead: lead, Columns: []ui.Column{{Text: first}, {Text: "Points", Number: true}, {Text: "Share", Number: true}, {Text: "Requests", Number: true}, {Text: "Errors", Number: true}}}
	total := table.Total()
	add := func(item UsageItem, sum models.UsageSum) {
		part, whole := sum.Points, total.Points
		if whole == 0 {
			part, whole = sum.Requests, total.Requests
		}
		item.Cells = []string{models.FormatNumber(sum.Points), percent(part, whole), models.FormatNumber(sum.Requests), models.FormatNumber(sum.Errors)}
		shown.Rows = append(shown.Rows, item)
	}
	for _, row := range table.Rows {
		add(name(row), row.UsageSum)
	}
	if table.Others > 0 {
		add(UsageItem{Name: models.Count(table.Others, "other"), Muted: true}, table.Rest)
	}
	return shown
}

func applicationItem(row models.UsageRow) UsageItem {
	switch {
	case row.BuiltIn:
		return UsageItem{Name: "Temporary token"}
	case !row.Known:
		return UsageItem{Name: "Deleted application", Muted: true}
	case row.Deleted:
		return UsageItem{Name: row.Name, Badge: "Deleted"}
	}
	return UsageItem{Name: row.Name, Href: ApplicationPath(row.Key)}
}

func routeItem(row models.UsageRow) UsageItem { return UsageItem{Name: row.Key} }

func tokenItem(row models.UsageRow) UsageItem {
	item := UsageItem{Name: "Token ending in " + row.Last4, Sub: UsageApplicationName(row.ApplicationName, row.BuiltIn)}
	switch {
	case row.Key == "":
		item.Name, item.Muted = "Tokens not counted one by one", true
	case !row.Known:
		item.Name, item.Muted = "Deleted token", true
	case row.Name != "":
		item.Name = row.Name
		item.Sub = "Ending in " + row.Last4 + " · " + item.Sub
	}
	return item
}

// UsageApplicationName is the name of an application in figures: of one that is gone, and
// of the one that is built in, too.
func UsageApplicationName(name string, builtIn bool) string {
	switch {
	case builtIn:
		return "Temporary token"
	case name == "":
		return "Deleted application"
	}
	return name
}

// percent is a share, rounded.
func percent(part, whole int64) string {
	if whole <= 0 || part <= 0 {
		return "0%"
	}
	share := float64(part) / float64(whole) * 100
	if share < 1 {
		return "<1%"
	}
	return strconv.FormatFloat(share, 'f', 0, 64) + "%"
}

// newErrorTable shows what was answered with 400 or more, by class and status.
func newErrorTable(table models.UsageTable) UsageTable {
	shown := UsageTable{ID: "errors", Title: "Errors by status", Columns: []ui.Column{{Text: "Status"}, {Text: "Requests", Number: true}, {Text: "Share of all", Number: true}}}
	all := table.Total().Requests
	for _, class := range []struct {
		digit         byte
		name, meaning string
	}{{'4', "4xx", "The call was wrong, or refused"}, {'5', "5xx", "The API or the way to it failed"}} {
		var rows []UsageItem
		sum := int64(0)
		for _, row := range table.Rows {
			if row.Key == "" || row.Key[0] != class.digit {
				continue
			}
			sum += row.Requests
			rows = append(rows, UsageItem{Name: row.Key + statusText(row.Key), Cells: []string{models.FormatNumber(row.Requests), percent(row.Requests, all)}})
		}
		if len(rows) > 0 {
			shown.Rows = append(shown.Rows, UsageItem{Name: "All " + class.name, Sub: class.meaning, Cells: []string{models.FormatNumber(sum), percent(sum, all)}})
			shown.Rows = append(shown.Rows, rows...)
		}
	}
	return shown
}

// statusText names the statuses that APIs and the gateway answer with most.
func statusText(status string) string {
	text := map[string]string{
		"400": "Bad request", "401": "Unauthorized", "402": "No points left", "403": "Forbidden", "404": "Not found", "405": "Method not allowed", "408": "Timed out",
		"409": "Conflict", "413": "Too large", "422": "Not accepted", "429": "Too many requests", "499": "Client left",
		"500": "Error of the API", "502": "API not reached", "503": "Unavailable", "504": "API took too long",
	}[status]
	if text == "" {
		return ""
	}
	return " " + text
}
