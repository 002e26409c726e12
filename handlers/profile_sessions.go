package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/views"
)

// endSession ends one session of whoever asks; their own is signed out.
func (h *Handlers) endSession(c echo.Context) error {
	ref := c.Param(paramSession)
	if ref == sessionOf(c).Ref {
		return h.logout(c)
	}
	if err := h.Store.EndOwnSession(c.Request().Context(), actorOf(c), ref); err != nil {
		return err
	}
	return h.say(c, views.ProfilePath, flash{Text: "The session was ended."})
}

func (h *Handlers) endSessions(c echo.Context) error {
	if err := h.Store.EndOtherSessions(c.Request().Context(), actorOf(c), sessionOf(c).IDHash); err != nil {
		return err
	}
	return h.say(c, views.ProfilePath, flash{Text: "All your other sessions were ended."})
}
