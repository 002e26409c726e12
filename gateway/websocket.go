package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Parameters of the address of a WebSocket, since browsers cannot set headers there.
const (
	tokenParam  = "token"
	ticketParam = "ticket"
)

// isUpgrade tells whether a request asks for a WebSocket (RFC 6455 section 4.1).
func isUpgrade(r *http.Request) bool {
	return names(r.Header.Values("Connection"), "upgrade") && names(r.Header.Values("Upgrade"), "websocket")
}

func names(lists []string, name string) bool {
	for _, list := range lists {
		for word := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(word), name) {
				return true
			}
		}
	}
	return false
}

// refusedUpgrade says why a WebSocket may not be opened here, empty where it may.
func refusedUpgrade(r *http.Request, route models.Upstream) string {
	if !isUpgrade(r) {
		return ""
	}
	if !route.WebSocket {
		return "This route takes no WebSockets. Whoever runs Latchkey can add the option ws to it."
	}
	if !fromListed(r.Header.Values("Origin"), route.Origins) {
		return "Pages of this origin may not open WebSockets here. Whoever runs Latchkey can add the origin to the route."
	}
	return ""
}

// fromListed tells whether a WebSocket comes from a page that may open it, or from none:
// programs name no origin (RFC 6455 section 10.2).
func fromListed(origins, listed []string) bool {
	if len(listed) == 0 || len(origins) == 0 {
		return true
	}
	return len(origins) == 1 && slices.ContainsFunc(listed, func(one string) bool { return strings.EqualFold(one, origins[0]) })
}

// credential is what a request proves with who calls.
type credential struct {
	value    models.Secret
	isTicket bool
	// sent tells whether there was one at all, good form or not.
	sent bool
}

// takeCredential reads the Authorization header or, of a WebSocket on a route that takes
// them, the query, and cuts out of the query what it read: neither log nor upstream gets it.
// Two at once are refused (RFC 6750 section 2).
func takeCredential(r *http.Request, route models.Upstream) (credential, bool) {
	headers := r.Header.Values("Authorization")
	if !route.WebSocket || !isUpgrade(r) {
		value, sent, ok := tokens.Bearer(headers)
		return credential{value: value, sent: sent}, ok
	}
	found := cutCredentials(r.URL)
	if len(found) == 0 {
		value, sent, ok := tokens.Bearer(headers)
		return credential{value: value, sent: sent}, ok
	}
	if len(found) > 1 || len(headers) > 0 {
		return credential{sent: true}, false
	}
	return found[0], !found[0].value.IsEmpty()
}

// cutCredentials takes tokens and tickets out of a query and leaves the rest as it is.
func cutCredentials(u *url.URL) []credential {
	if u.RawQuery == "" {
		return nil
	}
	var found []credential
	var rest []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || name != tokenParam && name != ticketParam {
			rest = append(rest, pair)
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			value = ""
		}
		found = append(found, credential{value: models.NewSecret(value), isTicket: name == ticketParam, sent: rawValue != ""})
	}
	if found != nil {
		u.RawQuery, u.ForceQuery = strings.Join(rest, "&"), false
	}
	return found
}

// inspect says what a credential allows on a route, as tokens.Verifier.Inspect does.
func (g *Gateway) inspect(ctx context.Context, by credential, route models.Upstream) (tokens.Grant, error) {
	if by.isTicket {
		return g.Tickets.Redeem(ctx, by.value, route.Path)
	}
	return g.Verifier.Inspect(ctx, by.value, "")
}
