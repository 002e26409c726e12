package views

import (
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// endsIn is a moment to come as a warning.
func endsIn(t models.Time, now Clock) ui.Moment {
	m := until(t, now)
	m.Text = "Ends " + m.Text
	return m
}

// soonest is the farthest mark, in seconds: what "soon" means.
func soonest() int64 {
	return int64(time.Duration(models.Marks[len(models.Marks)-1]) / time.Second)
}

// endingLink leads to the tokens that end soon, or back to all.
func endingLink(total int64, shown bool, at tokensAt) (text, href string) {
	switch {
	case shown:
		return "Show all active tokens", at.href(models.TokenQuery{})
	case total > 0:
		return "Ending soon: " + models.FormatNumber(total), at.href(models.TokenQuery{Ending: true})
	}
	return "", ""
}

func endingText(n int64) string {
	if n == 1 {
		return "1 ends soon"
	}
	return models.FormatNumber(n) + " end soon"
}

// attend counts what wants attention.
func (page *ApplicationsList) attend(attention models.Attention, query models.ApplicationQuery, now Clock) {
	page.EndingHref = applicationsHref(models.ApplicationQuery{Search: query.Search, Sort: query.Sort, Desc: query.Desc, Ending: !query.Ending}, 1)
	if attention.Ending > 0 {
		page.EndingText = models.FormatNumber(attention.Ending)
	}
	if attention.Findings > 0 {
		page.HygieneText = models.FormatNumber(attention.Findings)
	}
	if attention.Points != nil {
		page.Points = NewPointsNotice(*attention.Points, now)
	}
}

func noneEnding(search string) string {
	if search != "" {
		return "No application that matches has a token or an old secret that ends within 7 days."
	}
	return "No token and no old secret of your team ends within 7 days."
}

// ConfirmRegenerate asks before a token is made like an old one.
type ConfirmRegenerate struct {
	AppName      string
	Name         string
	Last4        string
	Lifespan     string
	Expired      bool
	Expires      ui.Moment
	Action, Back string
	Hidden       []ui.Hidden
}

// NewConfirmRegenerate says what the new token is like; from and once as in
// NewGenerateTokenForm.
func NewConfirmRegenerate(app models.Application, token models.Token, once, from string, now Clock) ConfirmRegenerate {
	page := ConfirmRegenerate{
		AppName:  app.Name,
		Name:     token.Name,
		Last4:    token.Last4,
		Lifespan: models.FormatLifespan(min(token.Lifespan(), app.Lifespan)),
		Expired:  token.Status(now.Time) == models.StatusExpired,
		Expires:  exact(token.ExpiresAt, now),
		Action:   RegenerateTokenPath(app.ID, token.ID),
		Back:     tokensBack(app.ID, from),
		Hidden:   []ui.Hidden{{Name: "once", Value: once}},
	}
	if from == FromTokens {
		page.Hidden = append(page.Hidden, ui.Hidden{Name: "from", Value: from})
	}
	return page
}
