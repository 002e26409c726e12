package oauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// revoke ends a token of the application that asks (RFC 7009). Whether there is
// such a token, and whose it is, cannot be told from the answer. Where the store
// fails, the answer is 503 and never 200.
func (h *Handler) revoke(c echo.Context) error {
	form, err := readForm(c.Request())
	if err != nil {
		return err
	}
	client, err := h.application(c, form)
	if err != nil {
		return err
	}
	if form["token"] == "" {
		return invalidRequest("Send the token to be revoked as token.")
	}
	ctx := c.Request().Context()
	token, err := h.Store.TokenByHash(ctx, secrets.Hash(models.NewSecret(form["token"])))
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	if err == nil && token.ApplicationID == client.Application.ID {
		actor := models.Actor{
			UserID: client.Application.ID, UserName: client.Application.Name, TeamID: client.Application.TeamID,
			Address: c.RealIP(), UserAgent: middleware.UserAgent(c), RequestID: middleware.ID(c),
		}
		if _, _, err := h.Store.RevokeToken(ctx, actor, token.ApplicationID, token.ID); err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	// RFC 7009 leaves the body open; some clients want JSON everywhere.
	return c.JSON(http.StatusOK, struct{}{})
}
