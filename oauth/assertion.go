package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const (
	// maxAhead is how far in the future a client assertion may end.
	maxAhead = 5 * time.Minute
	// skew is how far the clock of a client may be ahead of ours.
	skew = 30 * time.Second
	// assertionTimeout is how long its ID may take to be stored.
	assertionTimeout = 10 * time.Second
	// maxAssertionID bounds what is hashed and stored of each.
	maxAssertionID = 255
)

// proveByAssertion checks a client assertion (RFC 7523 section 3). Its ID counts
// once, on every node and across restarts.
func (h *Handler) proveByAssertion(c echo.Context, presented credentials) (*models.Client, models.CredentialUse, error) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), assertionTimeout)
	defer cancel()
	used := models.CredentialUse{Kind: models.CredentialKey}
	var claims secrets.Assertion
	exists := false
	client, err := h.Clients.Prove(ctx, presented.id, func(client *models.Client) bool {
		exists = client.ClientID != ""
		jwks := make([]string, len(client.Keys))
		for i, key := range client.Keys {
			jwks[i] = key.JWK
		}
		found, index, ok := secrets.VerifyAssertion(presented.assertion, jwks)
		if ok {
			claims, used.ID = found, client.Keys[index].ID
		}
		return ok
	})
	if exists {
		middleware.Annotate(c, "client", presented.id)
	}
	if errors.Is(err, models.ErrNotFound) {
		return nil, used, h.unproven("The client or the signature of the client assertion is wrong.", exists, "wrong signature of a client assertion")
	}
	if err != nil {
		return nil, used, err
	}
	if wrong := h.checkClaims(claims, client.ClientID); wrong != "" {
		return nil, used, h.invalidClient(wrong)
	}
	err = h.Store.UseAssertion(ctx, client.Application.ID, secrets.Hash(models.NewSecret(claims.ID)), claims.ExpiresAt)
	if errors.Is(err, models.ErrConflict) {
		return nil, used, h.invalidClient("The client assertion was used before: make one for each request.")
	}
	return client, used, err
}

// checkClaims returns what is wrong, empty for nothing.
func (h *Handler) checkClaims(claims secrets.Assertion, clientID string) string {
	now := models.At(h.Now())
	switch {
	case claims.Issuer != clientID || claims.Subject != clientID:
		return "The iss and the sub of the client assertion are not the client ID."
	case !h.isAudience(claims.Audience):
		return "The aud of the client assertion is not the issuer or the token endpoint."
	case claims.ExpiresAt <= now:
		return "The client assertion has expired or has no exp."
	case claims.ExpiresAt > now.Add(maxAhead):
		return "The exp of the client assertion is more than 5 minutes ahead."
	case claims.NotBefore > now.Add(skew) || claims.IssuedAt > now.Add(skew):
		return "The client assertion is not valid yet: its nbf or iat is in the future."
	case claims.ID == "" || len(claims.ID) > maxAssertionID:
		return "The client assertion has no jti of 1 to 255 bytes."
	}
	return ""
}

// isAudience refuses assertions that were made for anyone else too: who else gets
// one could present it here.
func (h *Handler) isAudience(audience []string) bool {
	for _, name := range audience {
		if name != h.IssuerURL && name != h.IssuerURL+TokenPath {
			return false
		}
	}
	return len(audience) > 0
}
