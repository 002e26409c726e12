package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// credentials is what a client presents: a secret or an assertion.
type credentials struct {
	id        string
	secret    models.Secret
	assertion models.Secret
}

// jwtBearer is the only kind of client assertion (RFC 7523 section 2.2).
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// readCredentials takes them from HTTP Basic or from the body, one way only
// (RFC 6749 section 2.3).
func (h *Handler) readCredentials(r *http.Request, form map[string]string) (credentials, error) {
	headers := r.Header.Values(echo.HeaderAuthorization)
	if len(headers) == 1 && headers[0] == "" {
		headers = nil // as if it were absent
	}
	hasSecret := form["client_secret"] != ""
	hasAssertion := form["client_assertion"] != "" || form["client_assertion_type"] != ""
	if len(headers) > 1 || len(headers) == 1 && (hasSecret || hasAssertion) || hasSecret && hasAssertion {
		return credentials{}, invalidRequest("Authenticate one way only: by HTTP Basic, by client_secret or by client_assertion.")
	}
	switch {
	case hasAssertion:
		return h.readAssertion(form)
	case len(headers) == 1:
		return h.readBasic(headers[0], form["client_id"])
	case form["client_id"] == "" || !hasSecret:
		return credentials{}, h.invalidClient("Send client_id and client_secret, in the body or by HTTP Basic, or a client assertion.")
	}
	return credentials{id: form["client_id"], secret: models.NewSecret(form["client_secret"])}, nil
}

func (h *Handler) readBasic(header, bodyID string) (credentials, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, h.invalidClient("Authenticate by HTTP Basic or in the body.")
	}
	rawID, rawSecret, ok := splitBasic(strings.TrimSpace(rest))
	if !ok {
		return credentials{}, h.invalidClient("The HTTP Basic credentials are not an ID and a secret, joined by a colon and encoded as base64.")
	}
	basic, ok := parseBasic(rawID, rawSecret)
	if !ok {
		return credentials{}, invalidRequest("The client ID or the client secret of HTTP Basic is not form-urlencoded UTF-8.")
	}
	if bodyID != "" && bodyID != basic.id {
		return credentials{}, invalidRequest("The client_id of the body is not the one of HTTP Basic.")
	}
	if basic.id == "" || basic.secret.IsEmpty() {
		return credentials{}, h.invalidClient("The client ID or the client secret is empty.")
	}
	return basic, nil
}

// splitBasic takes the user ID and the password out of the header (RFC 7617 section 2).
func splitBasic(encoded string) (id, secret string, ok bool) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

// parseBasic decodes, once, the form encoding of each half.
func parseBasic(rawID, rawSecret string) (credentials, bool) {
	id, idErr := url.QueryUnescape(rawID)
	secret, secretErr := url.QueryUnescape(rawSecret)
	if idErr != nil || secretErr != nil || !utf8.ValidString(id) || !utf8.ValidString(secret) {
		return credentials{}, false
	}
	return credentials{id: id, secret: models.NewSecret(secret)}, true
}

// readAssertion finds out whose the assertion claims to be. Nothing is believed yet.
func (h *Handler) readAssertion(form map[string]string) (credentials, error) {
	if form["client_assertion"] == "" || form["client_assertion_type"] == "" {
		return credentials{}, invalidRequest("Send client_assertion together with client_assertion_type.")
	}
	if form["client_assertion_type"] != jwtBearer {
		return credentials{}, h.invalidClient("The client_assertion_type is not that of RFC 7523.")
	}
	assertion := models.NewSecret(form["client_assertion"])
	subject, problem := secrets.AssertedClient(assertion)
	if problem != "" {
		return credentials{}, h.invalidClient(problem)
	}
	if form["client_id"] != "" && form["client_id"] != subject {
		return credentials{}, invalidRequest("The client_id is not the subject of the client assertion.")
	}
	return credentials{id: subject, assertion: assertion}, nil
}
