package handlers

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// closingWith says how many streams close when the tokens of an application end.
func (h *Handlers) closingWith(app models.ApplicationDetail) string {
	return views.StreamsClose(h.Gateway.Streams.OfApplication(app.TeamID, app.ID))
}

// closingOf says how many close when a team is suspended.
func (h *Handlers) closingOf(team string) string {
	return views.StreamsClose(h.Gateway.Streams.OfTeam(team))
}
