package oauth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// introspection is what is said of a good token (RFC 7662 section 2.2). Times are
// in seconds. Team and Application are our own.
type introspection struct {
	Active      bool   `json:"active"`
	Scope       string `json:"scope"`
	ClientID    string `json:"client_id"`
	TokenType   string `json:"token_type"`
	Exp         int64  `json:"exp"`
	Iat         int64  `json:"iat"`
	Nbf         int64  `json:"nbf"`
	Sub         string `json:"sub"`
	Iss         string `json:"iss"`
	Jti         string `json:"jti"`
	Team        string `json:"team"`
	Application string `json:"application"`
}

// inactive is all that is said of any other token.
var inactive = []byte(`{"active":false}`)

// wantsNow tells whether the caller will not have an answer that was remembered (RFC 9111
// section 5.2.1.4). Whoever follows the feed of revocations asks so: what it announced on
// one node may still be good in the memory of another.
func wantsNow(h http.Header) bool {
	for _, line := range h[echo.HeaderCacheControl] {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), "no-cache") {
				return true
			}
		}
	}
	return false
}

// introspect tells a resource server about any token, and an application about
// those of its own team.
func (h *Handler) introspect(c echo.Context) error {
	form, err := readForm(c.Request())
	if err != nil {
		return err
	}
	client, err := h.client(c, form)
	if err != nil {
		return err
	}
	if form["token"] == "" {
		return invalidRequest("Send the token to be looked at as token.")
	}
	inspect := h.Verifier.Inspect
	if wantsNow(c.Request().Header) {
		inspect = h.Verifier.InspectNow
	}
	grant, err := inspect(c.Request().Context(), models.NewSecret(form["token"]), client.Application.TeamID)
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		middleware.Annotate(c, "refused", string(refused.Reason))
		h.inactive.Add(string(refused.Reason))
		return c.JSONBlob(http.StatusOK, inactive)
	}
	if err != nil {
		return err
	}
	if client.IsResourceServer() {
		// Whose request it serves is known to the resource server alone.
		h.Verifier.Used(grant, client.ResourceServer.Name)
	}
	return c.JSON(http.StatusOK, introspection{
		Active: true, Scope: grant.Scopes, ClientID: grant.ClientID, TokenType: "bearer",
		Exp: grant.ExpiresAt.Std().Unix(), Iat: grant.CreatedAt.Std().Unix(), Nbf: grant.CreatedAt.Std().Unix(),
		Sub: grant.ClientID, Iss: h.IssuerURL, Jti: grant.TokenID, Team: grant.TeamID, Application: grant.ApplicationID,
	})
}
