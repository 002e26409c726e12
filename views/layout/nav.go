package layout

import "github.com/latchkey/latchkey/models"

// Nav says where in the menus a page stands.
type Nav int

// The places. A page below an entry marks it as the way back, not as itself.
const (
	NavNone Nav = iota
	NavApplications
	NavApplicationsBelow
	NavTokens
	NavTokensBelow
	NavDocs
	NavUsage
	NavUsageBelow
	NavExplorer
	NavTeam
	NavTeamBelow
	NavAudit
	NavAdmin
	NavAdminBelow
	NavProfile
	NavProfileBelow
)

// navItem is an entry of the menus, for those who may.
type navItem struct {
	text, href, icon, about string
	page, below             Nav
	may                     models.Permission
}

// navGroup is a drop-down of the top bar.
type navGroup struct {
	text  string
	items []navItem
}

var navGroups = []navGroup{{
	text: "Authorization",
	items: []navItem{
		{"Applications", ApplicationsPath, "app-window", "OAuth2 clients and their secrets", NavApplications, NavApplicationsBelow, models.MayView},
		{"Tokens", TokensPath, "key-round", "Access tokens by application", NavTokens, NavTokensBelow, models.MayView},
	},
}}

// navLinks stand in the top bar beside the groups.
var navLinks = []navItem{
	{"Explorer", ExplorerPath, "square-terminal", "", NavExplorer, NavNone, models.MayManage},
	{"Usage", UsagePath, "chart-column", "", NavUsage, NavUsageBelow, models.MayView},
	{"Team", TeamPath, "users", "", NavTeam, NavTeamBelow, models.MayView},
	{"Audit log", AuditPath, "scroll-text", "", NavAudit, NavNone, models.MayView},
}

var adminLink = navItem{"Administration", AdminPath, "server", "", NavAdmin, NavAdminBelow, ""}

var profileLink = navItem{"Profile", ProfilePath, "circle-user", "", NavProfile, NavProfileBelow, ""}

// links are those of the top bar that this reader has. Who acts in no team has no pages of one.
func (p Page) links() []navItem {
	var links []navItem
	for _, link := range navLinks {
		if p.TeamName != "" && p.Role.May(link.may) {
			links = append(links, link)
		}
	}
	if p.Operator {
		links = append(links, adminLink)
	}
	return links
}

// current is the value of aria-current, empty where the item is not concerned.
func (i navItem) current(at Nav) string {
	switch at {
	case i.page:
		return "page"
	case NavNone:
		return ""
	case i.below:
		return "true"
	}
	return ""
}

func (g navGroup) current(at Nav) bool {
	for _, item := range g.items {
		if item.current(at) != "" {
			return true
		}
	}
	return false
}
