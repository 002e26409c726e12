package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
)

// tellOfFactor mails a person what happened to their second factor. what is a sentence
// without its full stop.
func (h *Handlers) tellOfFactor(c echo.Context, user models.User, what string) {
	h.notify(user, "Your second factor at Latchkey", what+".\n\n"+h.whereAndWhen(c, user))
}
