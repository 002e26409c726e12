package views

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func TestRowActions(t *testing.T) {
	plain, idle, builtIn := applicationRow1(), applicationRow1(), applicationRow1()
	idle.ActiveTokens = 0
	builtIn.Type = models.TypeBuiltIn
	idleBuiltIn := builtInRow()
	for name, c := range map[string]struct {
		row            models.ApplicationRow
		role           models.Role
		revoke, delete bool
	}{
		"owner":              {plain, models.RoleOwner, true, true},
		"developer":          {plain, models.RoleDeveloper, true, true},
		"viewer":             {plain, models.RoleViewer, false, false},
		"unknown role":       {plain, "", false, false},
		"built-in, idle":     {idleBuiltIn, models.RoleOwner, true, false},
		"no active tokens":   {idle, models.RoleOwner, false, true},
		"built-in":           {builtIn, models.RoleOwner, true, false},
		"built-in, a viewer": {builtIn, models.RoleViewer, false, false},
	} {
		item := NewApplicationsList(models.ApplicationList{Total: 1, Rows: []models.ApplicationRow{c.row}}, models.ApplicationQuery{}, models.Attention{}, c.role, clock).Rows[0]
		if (item.RevokeHref != "") != c.revoke || (item.DeleteHref != "") != c.delete {
			t.Errorf("%s: revoke %q, delete %q", name, item.RevokeHref, item.DeleteHref)
		}
	}
}

func TestListedTokens(t *testing.T) {
	for want, row := range map[string]models.ApplicationRow{
		"0": {}, "50": {ActiveTokens: 50}, "50+": {ActiveTokens: 50, MoreTokens: true}, "1,204": {ActiveTokens: 1204},
	} {
		page := NewApplicationsList(models.ApplicationList{Rows: []models.ApplicationRow{row}, Total: 1}, models.ApplicationQuery{}, models.Attention{}, models.RoleOwner, Clock{})
		if got := page.Rows[0].Active; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSortLinks(t *testing.T) {
	query := models.ApplicationQuery{Search: "a&b", Sort: models.SortActive, Page: 3}
	columns := sortableColumns(query)
	for i, want := range []ui.Column{
		{Text: "Name", Href: ApplicationsPath + "?q=a%26b"},
		{Text: "Client ID", Href: ApplicationsPath + "?q=a%26b&sort=client_id"},
		{Text: "Token lifespan", Href: ApplicationsPath + "?q=a%26b&sort=lifespan"},
		{Text: "Active tokens", Href: ApplicationsPath + "?dir=desc&q=a%26b&sort=active", Sort: "ascending"},
		{Text: "Last used", Href: ApplicationsPath + "?q=a%26b&sort=last_used"},
		{Text: "Actions", Hidden: true},
	} {
		if columns[i] != want {
			t.Errorf("%+v, want %+v", columns[i], want)
		}
	}
	byName := sortableColumns(models.ApplicationQuery{Desc: true})[0]
	if byName.Href != ApplicationsPath || byName.Sort != "descending" {
		t.Errorf("by name, turned round: %+v", byName)
	}
}

func TestPager(t *testing.T) {
	href := func(page int) string { return strings.Repeat("p", page) }
	for name, c := range map[string]struct {
		total       int64
		shown, page int
		want        ui.Pager
	}{
		"one page":       {25, 25, 1, ui.Pager{}},
		"first of two":   {26, 25, 1, ui.Pager{Text: "1 to 25 of 26", Next: "pp"}},
		"second of two":  {26, 1, 2, ui.Pager{Text: "26 to 26 of 26", Previous: "p"}},
		"in the middle":  {2140, 25, 2, ui.Pager{Text: "26 to 50 of 2,140", Previous: "p", Next: "ppp"}},
		"page unset":     {30, 25, 0, ui.Pager{Text: "1 to 25 of 30", Next: "pp"}},
		"after the last": {30, 0, 3, ui.Pager{}},
	} {
		if got := newPager(c.total, c.shown, c.page, href); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestListStates(t *testing.T) {
	for name, c := range map[string]struct {
		list                    models.ApplicationList
		search                  string
		empty, noMatch, pastEnd bool
	}{
		"rows":      {applicationList(), "", false, false, false},
		"none":      {models.ApplicationList{}, "", true, false, false},
		"no match":  {models.ApplicationList{}, "x", false, true, false},
		"built in":  {models.ApplicationList{Total: 1, Rows: []models.ApplicationRow{builtInRow()}}, "", true, false, false},
		"found":     {models.ApplicationList{Total: 1, Rows: []models.ApplicationRow{builtInRow()}}, "temp", false, false, false},
		"one":       {models.ApplicationList{Total: 1, Rows: []models.ApplicationRow{applicationRow1()}}, "", false, false, false},
		"shortened": {models.ApplicationList{Total: 3}, "", false, false, true},
	} {
		got := NewApplicationsList(c.list, models.ApplicationQuery{Search: c.search, Page: 1}, models.Attention{}, models.RoleOwner, clock)
		if got.Empty != c.empty || got.NoMatch != c.noMatch || got.PastEnd != c.pastEnd {
			t.Errorf("%s: %v %v %v", name, got.Empty, got.NoMatch, got.PastEnd)
		}
	}
}

func TestShortID(t *testing.T) {
	if got := shortID("4f5a0d1e-8a3b-4c55-b1a5-2f0e7c9dd3b7"); got != "4f5a0d1e…d3b7" {
		t.Error(got)
	}
	if got := shortID("short"); got != "short" {
		t.Error(got)
	}
}

func TestPathsEscape(t *testing.T) {
	if got := RevokeTokenPath(`a/../b?"`, "c#d"); got != `/user/api_v2/applications/a%2F..%2Fb%3F%22/tokens/c%23d/revoke` {
		t.Error(got)
	}
	if got := TokensOfPath("a&b"); got != TokensPath+"?application=a%26b" {
		t.Error(got)
	}
}
