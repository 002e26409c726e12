package tokens

import (
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Bearer takes the token from the values of the Authorization headers of a request
// (RFC 6750 section 2.1), of which there may be one. sent tells whether the request
// carried a token at all, good form or not.
func Bearer(headers []string) (value models.Secret, sent, ok bool) {
	if len(headers) != 1 {
		return models.Secret{}, len(headers) > 1, false
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return models.Secret{}, false, false
	}
	token := strings.Trim(rest, " ")
	if token == "" || strings.ContainsAny(token, " ,\t") {
		return models.Secret{}, token != "", false
	}
	return models.NewSecret(token), true, true
}

// HeaderPrefix begins the names of the headers that say whose a token is.
const HeaderPrefix = "X-Latchkey-"

// Describe says in headers whose the token is. One array holds all values, since this runs
// for every call of an API.
func (g Grant) Describe(h map[string][]string) {
	values := [...]string{
		g.TeamID, g.ApplicationID, g.ClientID, g.Scopes, g.TokenID, g.ExpiresAt.Std().Format(time.RFC3339),
	}
	for i, name := range [...]string{
		HeaderPrefix + "Team", HeaderPrefix + "Application", HeaderPrefix + "Client-Id",
		HeaderPrefix + "Scope", HeaderPrefix + "Token-Id", HeaderPrefix + "Expires",
	} {
		h[name] = values[i : i+1 : i+1]
	}
}
