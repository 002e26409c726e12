package views

import (
	"net/url"
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// adminTabs are the pages of the area; current is the path of the one shown.
func adminTabs(current string) []ui.Tab {
	tabs := []ui.Tab{
		{Text: "Teams", Href: AdminTeamsPath}, {Text: "Users", Href: AdminUsersPath}, {Text: "Plans", Href: AdminPlansPath},
		{Text: "Resource servers", Href: AdminResourceServersPath}, {Text: "Audit log", Href: AdminAuditPath}, {Text: "Server", Href: AdminServerPath},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Href == current
	}
	return tabs
}

// ListState is the search and the pager of a list of operators.
type ListState struct {
	Search string
	Pager  ui.Pager
	// Empty means that there is nothing at all, NoMatch that the search finds nothing,
	// PastEnd that the list became shorter than the address says.
	Empty, NoMatch, PastEnd bool
	// Path is the list without a search, FirstPage with it.
	Path, FirstPage string
}

func newListState(path string, query models.ListQuery, total int64, shown int) ListState {
	href := func(page int) string {
		values := url.Values{}
		if query.Search != "" {
			values.Set("q", query.Search)
		}
		if page > 1 {
			values.Set("page", strconv.Itoa(page))
		}
		return withQuery(path, values)
	}
	return ListState{
		Search: query.Search, Pager: newPager(total, shown, query.Page, href), Path: path, FirstPage: href(1),
		Empty: total == 0 && query.Search == "", NoMatch: total == 0 && query.Search != "", PastEnd: total > 0 && shown == 0,
	}
}

// AdminConfirm asks before an operator's deed.
type AdminConfirm struct {
	// ID is the prefix of the ids in it, Verb and Name the question: "Suspend Northwind?".
	ID, Verb, Name, End string
	Lead                string
	Facts               []string
	// Error is why it was refused.
	Error string
	// Reason is the field for one, where the deed takes it.
	Reason       *ui.Input
	Hidden       []ui.Hidden
	Submit, Tone string
	Action, Back string
}

// Heading is the question without marks.
func (c AdminConfirm) Heading() string { return c.Verb + " " + c.Name + c.End }

// AdminShown is the answer that holds a link or a secret, this once.
type AdminShown struct {
	Heading string
	// Lead and Name begin a sentence, Text goes on with it.
	Name, Text string
	Values     []ShownValue
	Back       string
}

// ShownValue is one value of the answer. Secret goes into the page nowhere else.
type ShownValue struct {
	Label  string
	Plain  string
	Secret models.Secret
}
