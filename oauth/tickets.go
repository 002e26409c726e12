package oauth

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// ticketsAMinute is how many tickets one token may ask for.
const ticketsAMinute = 600

// ticketAnswer holds the ticket for no longer than it takes to write it.
type ticketAnswer struct {
	Ticket    string `json:"ticket"`
	ExpiresIn int64  `json:"expires_in"`
}

// ticket trades a good token for what opens one WebSocket at the gateway, where a browser
// can send no header.
func (h *Handler) ticket(c echo.Context) error {
	grant, err := h.bearer(c)
	if err != nil {
		return err
	}
	params := map[string]string{}
	if c.Request().ContentLength != 0 {
		if params, err = readForm(c.Request()); err != nil {
			return err
		}
	}
	route, err := h.ticketRoute(params["route"])
	if err != nil {
		return err
	}
	if _, missing := missingScope([]string{route.Scope}, grant.Scopes); missing {
		return h.insufficientScope(route.Scope)
	}
	if _, wait := h.perToken.Take(grant.TokenID); wait > 0 {
		return tooManyTickets(wait)
	}
	value, err := h.Tickets.Trade(c.Request().Context(), grant, route.Path)
	if err != nil {
		return err
	}
	h.Verifier.Used(grant, c.RealIP())
	return c.JSON(http.StatusOK, ticketAnswer{Ticket: value.Reveal(), ExpiresIn: int64(tokens.TicketLife / time.Second)})
}

// bearer proves the caller by a token (RFC 6750). An error that names none was sent by
// somebody who sent none (section 3.1).
func (h *Handler) bearer(c echo.Context) (tokens.Grant, error) {
	value, sent, ok := tokens.Bearer(c.Request().Header.Values(echo.HeaderAuthorization))
	if !ok {
		reason := "no token"
		if sent {
			reason = string(models.RefusedMalformed)
		}
		return tokens.Grant{}, h.invalidToken(sent, reason)
	}
	grant, err := h.Verifier.Inspect(c.Request().Context(), value, "")
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		return tokens.Grant{}, h.invalidToken(true, string(refused.Reason))
	}
	return grant, err
}

func (h *Handler) invalidToken(sent bool, reason string) *Error {
	challenge := h.challenge()
	if sent {
		challenge += `, error="invalid_token"`
	}
	return &Error{
		Status: http.StatusUnauthorized, Code: "invalid_token", Description: "Send a good access token in the header Authorization: Bearer.",
		Challenge: challenge, reason: reason,
	}
}

func (h *Handler) insufficientScope(scope string) *Error {
	return &Error{
		Status: http.StatusForbidden, Code: "insufficient_scope", Description: "The token lacks the scope of that route.",
		Challenge: h.challenge() + `, error="insufficient_scope", scope="` + scope + `"`,
	}
}

// ticketRoute finds the route that a ticket is for: the one that is named, else the only
// one that takes WebSockets, else any.
func (h *Handler) ticketRoute(path string) (models.Upstream, error) {
	var found []models.Upstream
	for _, route := range h.Upstreams {
		if route.WebSocket && (path == "" || path == route.Path) {
			found = append(found, route)
		}
	}
	switch {
	case len(found) == 0 && path != "":
		return models.Upstream{}, invalidRequest("There is no such route that takes WebSockets.")
	case len(found) == 0:
		return models.Upstream{}, invalidRequest("No route takes WebSockets.")
	case len(found) == 1:
		return found[0], nil
	}
	return models.Upstream{}, nil
}

// tooManyTickets is no failure of the caller's, but bounded like one.
func tooManyTickets(wait time.Duration) error {
	return retryError{wait: wholeSeconds(wait), of: "tickets of the token", text: "Too many tickets. Wait as long as Retry-After says."}
}

// newTicketLimit counts by token.
func newTicketLimit(limiter middleware.Maker) *middleware.Limiter {
	return limiter("tickets", middleware.Policy{Free: ticketsAMinute, Window: time.Minute, Size: 65_536})
}
