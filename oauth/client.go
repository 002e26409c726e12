package oauth

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// noSecret is compared with where there is no client, so that an unknown one
// costs the same work as a wrong secret.
var noSecret = secrets.Hash(models.NewSecret("no client has this secret"))

// client tells who is calling: an application or a resource server. Every
// endpoint that needs a client comes here first. Failures are counted per client
// and address and per address, so good credentials from elsewhere always get
// through.
func (h *Handler) client(c echo.Context, form map[string]string) (*models.Client, error) {
	address := middleware.AddressKey(c.RealIP())
	if wait := h.perAddress.Wait(address); wait > 0 {
		return nil, retry(wait, "the address")
	}
	presented, err := h.readCredentials(c.Request(), form)
	if err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
			h.perAddress.Fail(address)
		}
		return nil, err
	}
	pair := presented.id + " " + address
	if wait := h.perClient.Wait(pair); wait > 0 {
		return nil, retry(wait, "the client from the address")
	}
	client, used, err := h.prove(c, presented)
	var refused *Error
	if errors.As(err, &refused) {
		h.perClient.Fail(pair)
		h.perAddress.Fail(address)
	}
	if err != nil {
		return nil, err
	}
	if !client.Enabled() {
		return nil, h.invalidClient("The application is switched off.")
	}
	used.ApplicationID, used.At = client.Application.ID, models.At(h.Now())
	h.LastUsed.Credential(used)
	return client, nil
}

// application is client for endpoints that serve applications alone.
func (h *Handler) application(c echo.Context, form map[string]string) (*models.Client, error) {
	client, err := h.client(c, form)
	if err == nil && client.IsResourceServer() {
		return nil, errUnauthorizedClient
	}
	return client, err
}

// prove finds the client and checks what it presented. An *Error is a failed try.
func (h *Handler) prove(c echo.Context, presented credentials) (*models.Client, models.CredentialUse, error) {
	if !presented.assertion.IsEmpty() {
		return h.proveByAssertion(c, presented)
	}
	var used models.CredentialUse
	exists := false
	client, err := h.Clients.Prove(c.Request().Context(), presented.id, func(client *models.Client) bool {
		exists = client.ClientID != ""
		secretID, ok := match(client, presented.secret, models.At(h.Now()))
		used = models.CredentialUse{Kind: models.CredentialSecret, ID: secretID}
		if client.IsResourceServer() {
			used.Kind = models.CredentialResourceServer
		}
		return ok
	})
	if exists {
		middleware.Annotate(c, "client", presented.id)
	}
	if errors.Is(err, models.ErrNotFound) {
		return nil, used, h.unproven("The client ID or the client secret is wrong.", exists, "wrong client secret")
	}
	return client, used, err
}

// unproven is the same answer whether there is such a client or not. The log tells.
func (h *Handler) unproven(description string, exists bool, wrong string) *Error {
	refused := h.invalidClient(description)
	refused.reason = "unknown client"
	if exists {
		refused.reason = wrong
	}
	return refused
}

// match finds which of the client's secrets was presented, in constant time each.
func match(client *models.Client, presented models.Secret, now models.Time) (secretID string, ok bool) {
	hash := secrets.Hash(presented)
	if len(client.Secrets) == 0 {
		_ = secrets.Equal(hash, noSecret)
		return "", false
	}
	for _, secret := range client.Secrets {
		if secrets.Equal(hash, secret.Hash) && secret.Good(now) {
			secretID, ok = secret.ID, true
		}
	}
	return secretID, ok
}
