package views

import (
	"net/url"
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ApplicationsList is the page Applications.
type ApplicationsList struct {
	Search string
	// Sort and Dir keep the order while searching; empty for the default.
	Sort, Dir string
	Columns   []ui.Column
	Rows      []ApplicationItem
	Pager     ui.Pager
	// Empty means that the team has no application of its own, whatever is in Rows,
	// NoMatch that the search finds none, PastEnd that the list became shorter than the address says.
	Empty, NoMatch, PastEnd bool
	FirstPage               string
	CanManage               bool
	// Ending leaves those of which something ends soon. EndingText and HygieneText count,
	// and are empty where there is nothing; EndingHref switches between them and all.
	Ending                              bool
	EndingText, EndingHref, HygieneText string
	// Points is nil where they do not run out.
	Points *PointsNotice
}

// ApplicationItem is a row of the list. RevokeHref and DeleteHref are empty
// where there is nothing to do or the role may not.
type ApplicationItem struct {
	Name     string
	Href     string
	Type     string
	Created  ui.Moment
	Off      bool
	ClientID string
	ShortID  string
	Lifespan string
	Active   string
	// Ending counts what of it ends soon; empty for nothing.
	Ending     string
	LastUsed   ui.Moment
	TokensHref string
	RevokeHref string
	DeleteHref string
}

var applicationColumns = []struct {
	text string
	sort models.ApplicationSort
}{
	{"Name", models.SortName},
	{"Client ID", models.SortClientID},
	{"Token lifespan", models.SortLifespan},
	{"Active tokens", models.SortActive},
	{"Last used", models.SortLastUsed},
}

// NewApplicationsList shows one page of the list as the role may see it, and what of it
// wants attention.
func NewApplicationsList(list models.ApplicationList, query models.ApplicationQuery, attention models.Attention, role models.Role, now Clock) ApplicationsList {
	page := ApplicationsList{
		Search:    query.Search,
		Columns:   sortableColumns(query),
		Pager:     newPager(list.Total, len(list.Rows), query.Page, func(page int) string { return applicationsHref(query, page) }),
		Empty:     noneOwn(list) && query.Search == "" && !query.Ending,
		NoMatch:   list.Total == 0 && (query.Search != "" || query.Ending),
		PastEnd:   list.Total > 0 && len(list.Rows) == 0,
		FirstPage: applicationsHref(query, 1),
		CanManage: role.May(models.MayManage),
		Ending:    query.Ending,
	}
	page.attend(attention, query, now)
	if order := orderOf(query); len(order) > 0 {
		page.Sort, page.Dir = order.Get("sort"), order.Get("dir")
	}
	for _, row := range list.Rows {
		item := newApplicationItem(row, page.CanManage, now)
		if ending := attention.EndingOf[row.ID]; ending > 0 {
			item.Ending = endingText(ending)
		}
		page.Rows = append(page.Rows, item)
	}
	return page
}

// noneOwn tells whether a team has no application, or but the one that is built in.
func noneOwn(list models.ApplicationList) bool {
	return list.Total == 0 || list.Total == 1 && len(list.Rows) == 1 && list.Rows[0].BuiltIn()
}

func newApplicationItem(app models.ApplicationRow, manage bool, now Clock) ApplicationItem {
	item := ApplicationItem{
		Name:       app.Name,
		Href:       ApplicationPath(app.ID),
		Type:       app.Type.Title(),
		Created:    day(app.CreatedAt, now),
		Off:        !app.DisabledAt.IsZero(),
		ClientID:   app.ClientID,
		ShortID:    shortID(app.ClientID),
		Lifespan:   models.FormatLifespan(app.Lifespan),
		Active:     listedTokens(app),
		LastUsed:   ago(app.LastUsedAt, now),
		TokensHref: TokensOfPath(app.ID),
	}
	if manage && (app.ActiveTokens > 0 || app.BuiltIn()) {
		item.RevokeHref = RevokeTokensPath(app.ID)
	}
	if manage && app.Deletable() {
		item.DeleteHref = DeleteApplicationPath(app.ID)
	}
	return item
}

func listedTokens(app models.ApplicationRow) string {
	if app.MoreTokens {
		return models.FormatNumber(app.ActiveTokens) + "+"
	}
	return models.FormatNumber(app.ActiveTokens)
}

// sortableColumns links each head to the list sorted by it; the one in use
// turns the order round.
func sortableColumns(query models.ApplicationQuery) []ui.Column {
	var columns []ui.Column
	for _, c := range applicationColumns {
		target := models.ApplicationQuery{Search: query.Search, Sort: c.sort, Ending: query.Ending}
		column := ui.Column{Text: c.text}
		if c.sort == query.Sort || c.sort == models.SortName && query.Sort == "" {
			target.Desc = !query.Desc
			column.Sort = "ascending"
			if query.Desc {
				column.Sort = "descending"
			}
		}
		column.Href = applicationsHref(target, 1)
		columns = append(columns, column)
	}
	return append(columns, ui.Column{Text: "Actions", Hidden: true})
}

func orderOf(query models.ApplicationQuery) url.Values {
	values := url.Values{}
	if query.Sort != "" && query.Sort != models.SortName {
		values.Set("sort", string(query.Sort))
	}
	if query.Desc {
		values.Set("dir", "desc")
	}
	return values
}

func applicationsHref(query models.ApplicationQuery, page int) string {
	values := orderOf(query)
	if query.Search != "" {
		values.Set("q", query.Search)
	}
	if query.Ending {
		values.Set("ending", "1")
	}
	if page > 1 {
		values.Set("page", strconv.Itoa(page))
	}
	return withQuery(ApplicationsPath, values)
}

// shortID leaves enough of a client ID to tell it from its neighbours.
func shortID(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

// noApplications says what an application is for to those who may make one.
func noApplications(manage bool) string {
	if manage {
		return "Create an application to get a client ID and secret, then use them to issue access tokens."
	}
	return "An owner or a developer of your team can create one."
}

// newPager leads through total rows, of which shown are on this page.
func newPager(total int64, shown, page int, href func(page int) string) ui.Pager {
	page = max(page, 1)
	first := int64(page-1) * models.PageSize
	if total <= models.PageSize || shown == 0 {
		return ui.Pager{}
	}
	last := first + int64(shown)
	pager := ui.Pager{Text: models.FormatNumber(first+1) + " to " + models.FormatNumber(last) + " of " + models.FormatNumber(total)}
	if page > 1 {
		pager.Previous = href(page - 1)
	}
	if last < total {
		pager.Next = href(page + 1)
	}
	return pager
}
