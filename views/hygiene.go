package views

import (
	"net/url"
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// HygieneView is the page Hygiene: applications that somebody should look at.
type HygieneView struct {
	Empty, PastEnd bool
	Rows           []FindingItem
	Pager          ui.Pager
	Zone           string
}

// FindingItem is a row. The deeds are empty where the role may not or they do not mend it.
type FindingItem struct {
	Name     string
	Href     string
	Finding  string
	Tone     string
	Why      string
	SinceWas string // what happened at Since
	Since    ui.Moment

	RotateHref     string
	SwitchOffHref  string
	DeleteHref     string
	TakeOverAction string
	KeepAction     string
	KeepHidden     []ui.Hidden
}

// NewHygieneView shows one page of the findings as the role may see them.
func NewHygieneView(list models.FindingList, page int, role models.Role, now Clock) HygieneView {
	view := HygieneView{
		Empty: list.Total == 0, PastEnd: list.Total > 0 && len(list.Rows) == 0, Zone: now.zoneName(),
		Pager: newPager(list.Total, len(list.Rows), page, func(page int) string {
			values := url.Values{}
			if page > 1 {
				values.Set("page", strconv.Itoa(page))
			}
			return withQuery(HygienePath, values)
		}),
	}
	for _, finding := range list.Rows {
		view.Rows = append(view.Rows, newFindingItem(finding, role.May(models.MayManage), now))
	}
	return view
}

func newFindingItem(f models.Finding, manage bool, now Clock) FindingItem {
	item := FindingItem{Name: f.ApplicationName, Href: ApplicationPath(f.ApplicationID), Tone: "warning", Since: day(f.Since, now)}
	id := f.ApplicationID
	switch f.Reason {
	case models.FoundNeverUsed:
		item.Finding, item.SinceWas, item.Why = "Never used", "Created", "Its secret can get tokens, and nobody would miss it."
		item.SwitchOffHref, item.DeleteHref = SwitchOffPath(id), DeleteApplicationPath(id)
	case models.FoundIdle:
		item.Finding, item.SinceWas, item.Why = "Idle for 90 days", "Last used", "What is not used any more should not work any more."
		item.SwitchOffHref, item.DeleteHref = SwitchOffPath(id), DeleteApplicationPath(id)
	case models.FoundMakerGone:
		item.Finding, item.SinceWas, item.Why = "Maker gone", "Created", makerGone(f.MakerName)
		item.TakeOverAction, item.RotateHref = TakeOverPath(id), RotateSecretPath(id)
	case models.FoundOldSecret:
		item.Finding, item.SinceWas, item.Why = "Secret older than a year", "Secret of", "Whoever copied it since can still use it."
		item.RotateHref = RotateSecretPath(id)
	}
	item.KeepAction, item.KeepHidden = KeepFindingPath(id), []ui.Hidden{{Name: "reason", Value: string(f.Reason)}}
	if !manage {
		item.RotateHref, item.SwitchOffHref, item.DeleteHref, item.TakeOverAction, item.KeepAction = "", "", "", "", ""
	}
	return item
}

func makerGone(name string) string {
	if name == "" {
		name = "Whoever made it"
	}
	return name + " is no longer in the team and may know the secret. Whoever takes it over answers for it and gets its warnings."
}
