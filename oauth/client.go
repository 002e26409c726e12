package oauth

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// noSecret is compared with where there is no client, so that an unknown one
// costs the same work as a wrong secret.
var noSecret = secrets.Hash(models.NewSecret("no client has this secret"))

// credentials is what a client presents.
type credentials struct {
	id     string
	secret models.Secret
}

// readCredentials takes the client ID and secret from HTTP Basic or from the
// body, never from both (RFC 6749 section 2.3.1).
func (h *Handler) readCredentials(r *http.Request, form map[string]string) (credentials, error) {
	headers := r.Header.Values(echo.HeaderAuthorization)
	inBody := credentials{id: form["client_id"], secret: models.NewSecret(form["client_secret"])}
	if len(headers) == 0 {
		if inBody.id == "" || inBody.secret.IsEmpty() {
			return credentials{}, h.invalidClient("Send client_id and client_secret, in the body or by HTTP Basic.")
		}
		return inBody, nil
	}
	if len(headers) > 1 || !inBody.secret.IsEmpty() {
		return credentials{}, invalidRequest("Authenticate one way only: by HTTP Basic or in the body.")
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, h.invalidClient("Authenticate by HTTP Basic or in the body.")
	}
	basic, ok := parseBasic(strings.TrimSpace(rest))
	if !ok {
		return credentials{}, invalidRequest("The HTTP Basic credentials are not form-urlencoded, joined by a colon and base64.")
	}
	if inBody.id != "" && inBody.id != basic.id {
		return credentials{}, invalidRequest("The client_id of the body is not the one of HTTP Basic.")
	}
	if basic.id == "" || basic.secret.IsEmpty() {
		return credentials{}, h.invalidClient("The client ID or the client secret is empty.")
	}
	return basic, nil
}

// parseBasic decodes base64 and then, once, the form encoding of each half.
func parseBasic(encoded string) (credentials, bool) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !utf8.Valid(decoded) {
		return credentials{}, false
	}
	rawID, rawSecret, found := strings.Cut(string(decoded), ":")
	id, idErr := url.QueryUnescape(rawID)
	secret, secretErr := url.QueryUnescape(rawSecret)
	if !found || idErr != nil || secretErr != nil || !utf8.ValidString(id) || !utf8.ValidString(secret) {
		return credentials{}, false
	}
	return credentials{id: id, secret: models.NewSecret(secret)}, true
}

// client tells who is calling. Every endpoint that needs a client comes here
// first. Failures are counted per client and address and per address, so good
// credentials from elsewhere always get through.
func (h *Handler) client(c echo.Context, form map[string]string) (store.Client, error) {
	address := middleware.AddressKey(c.RealIP())
	if wait := h.perAddress.Wait(address); wait > 0 {
		return store.Client{}, retry(wait)
	}
	presented, err := h.readCredentials(c.Request(), form)
	if err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
			h.perAddress.Fail(address)
		}
		return store.Client{}, err
	}
	pair := presented.id + " " + address
	if wait := h.perClient.Wait(pair); wait > 0 {
		return store.Client{}, retry(wait)
	}
	client, err := h.Store.ClientByID(c.Request().Context(), presented.id)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return store.Client{}, err
	}
	used, ok := match(client, presented.secret)
	if !ok {
		h.perClient.Fail(pair)
		h.perAddress.Fail(address)
		middleware.Annotate(c, "refused", "client authentication failed")
		return store.Client{}, h.invalidClient("The client ID or the client secret is wrong.")
	}
	if !client.Enabled() || client.Suspended {
		middleware.Annotate(c, "refused", "application switched off")
		return store.Client{}, h.invalidClient("The application is switched off.")
	}
	h.LastUsed.Secret(models.SecretUse{SecretID: used, ApplicationID: client.ID, At: models.At(h.Now())})
	return client, nil
}

// match finds which of the client's secrets was presented, in constant time each.
func match(client store.Client, presented models.Secret) (secretID string, ok bool) {
	hash := secrets.Hash(presented)
	if len(client.Secrets) == 0 {
		_ = secrets.Equal(hash, noSecret)
		return "", false
	}
	for _, secret := range client.Secrets {
		if secrets.Equal(hash, secret.Hash) {
			secretID, ok = secret.ID, true
		}
	}
	return secretID, ok
}
