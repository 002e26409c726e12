package oauth

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
)

// tokenAnswer is a successful answer of RFC 6749 section 5.1. Its AccessToken is
// filled in as the answer is written, and lives no longer.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
	TokenType   string `json:"token_type"`
}

// token trades a client's credentials for an access token. The token is durable
// before it is answered.
func (h *Handler) token(c echo.Context) error {
	form, err := readForm(c.Request())
	if err != nil {
		return err
	}
	if form["grant_type"] == "" {
		return invalidRequest("Send grant_type=client_credentials.")
	}
	if form["grant_type"] != "client_credentials" {
		return errUnsupportedGrant
	}
	client, err := h.application(c, form)
	if err != nil {
		return err
	}
	scopes, ok := models.Grant(form["scope"], client.Application.Scopes)
	if !ok {
		return errInvalidScope
	}
	issued, value, err := h.Issuer.Issue(c.Request().Context(), &client.Application, scopes)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, tokenAnswer{
		AccessToken: value.Reveal(), ExpiresIn: int64(issued.ExpiresAt.Sub(issued.CreatedAt).Seconds()),
		Scope: scopes, TokenType: "bearer",
	})
}
