package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// switchTeam has the session act in another team of the person's.
func (h *Handlers) switchTeam(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	membership, err := h.Store.SwitchTeam(c.Request().Context(), actorOf(c), sessionOf(c).IDHash, fields.Get("team"))
	if err != nil {
		return err
	}
	return h.say(c, afterSwitch(fields.Get("return")), flash{Text: "You are in " + membership.TeamName + " now."})
}

// everywhere are the pages that each team has.
var everywhere = []string{views.ApplicationsPath, views.TokensPath, views.TeamPath, layout.AuditPath, layout.ProfilePath}

// afterSwitch stays on a page that each team has. What else the address names is the
// other team's, and does not exist in this one.
func afterSwitch(from string) string {
	at, err := url.Parse(localPath(from))
	if err != nil || !slices.Contains(everywhere, at.Path) {
		return views.ApplicationsPath
	}
	return at.Path
}

const keyTeams = "teams"

// readTeams reads the teams of somebody who has a choice, for the switcher and for showNoTeam.
func (h *Handlers) readTeams(ctx context.Context, c echo.Context, actor models.Actor) error {
	if actor.Teams == 0 || actor.Teams == 1 && actor.TeamID != "" {
		return nil
	}
	memberships, err := h.Store.Memberships(ctx, actor.UserID)
	c.Set(keyTeams, memberships)
	return err
}

// teamsOf are the entries of the switcher: none where there is nothing to choose.
func teamsOf(c echo.Context, actor models.Actor) []layout.TeamChoice {
	var choices []layout.TeamChoice
	others := false
	memberships, _ := c.Get(keyTeams).([]models.Membership)
	for _, m := range memberships {
		if m.SuspendedAt.IsZero() {
			choice := layout.TeamChoice{ID: m.TeamID, Name: m.TeamName, Role: m.Role.Title(), Current: m.TeamID == actor.TeamID}
			choices, others = append(choices, choice), others || !choice.Current
		}
	}
	if !others {
		return nil
	}
	return choices
}

// errNoTeam is a page of a team that was asked for by somebody who is in none.
var errNoTeam = fmt.Errorf("%w: in no team", models.ErrForbidden)

func (h *Handlers) showNoTeam(c echo.Context) error {
	memberships, _ := c.Get(keyTeams).([]models.Membership)
	page, _ := h.page(c)
	return show(c, http.StatusForbidden, views.NoTeam(page, views.NewNoTeamView(memberships, h.clock(c))))
}
