package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// BuiltInView is the page of the application that holds temporary tokens.
type BuiltInView struct {
	Name     string
	Off      bool
	OffSince ui.Moment
	// Zone is the time zone that the table is in, Every how often the tokens change.
	Zone, Every string
	Rows        []TemporaryItem
	// What the role may not do has an empty address.
	SwitchOffHref, SwitchOnAction, RevokeHref string
	Activity                                  ActivityCard
}

// TemporaryItem is one member's token. RevokeHref is empty where the role may not.
type TemporaryItem struct {
	Member       string
	Mask, What   string
	Made, Ends   ui.Moment
	LastUsed     ui.Moment
	LastUsedFrom string
	RevokeHref   string
}

// NewBuiltInView lists the temporary tokens that work now; nobody's value is on this page.
func NewBuiltInView(app models.ApplicationDetail, tokens []models.TokenRow, rotation models.Rotation, role models.Role, now Clock) BuiltInView {
	view := BuiltInView{Name: app.Name, Off: !app.DisabledAt.IsZero(), Zone: now.zoneName(), Every: inWords(rotation.Every)}
	manage := role.May(models.MayManage)
	for _, token := range tokens {
		item := TemporaryItem{
			Member: token.CreatedByName, Mask: mask + token.Last4, What: "token ending in " + token.Last4,
			Made: ago(token.CreatedAt, now), Ends: until(token.ExpiresAt, now), LastUsed: ago(token.LastUsedAt, now), LastUsedFrom: token.LastUsedFrom,
		}
		if manage {
			item.RevokeHref = RevokeTokenPath(app.ID, token.ID)
		}
		view.Rows = append(view.Rows, item)
	}
	if view.Off {
		view.OffSince = ago(app.DisabledAt, now)
	}
	switch {
	case manage && view.Off:
		view.SwitchOnAction = SwitchOnPath(app.ID)
	case manage:
		view.SwitchOffHref = SwitchOffPath(app.ID)
	}
	if manage && len(tokens) > 0 {
		view.RevokeHref = RevokeTokensPath(app.ID)
	}
	return view
}
