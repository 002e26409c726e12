package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

// openSocket lets the editor open one WebSocket for a subscription: the address holds a
// ticket of the chosen token, which is good once and for half a minute. The token stays here.
func (h *Handlers) openSocket(c echo.Context) error {
	_, choice, err := h.explorerForm(c)
	if err != nil {
		return err
	}
	if !choice.Route.GraphQL || !choice.Route.WebSocket {
		return models.ErrNotFound
	}
	if !h.sendable(c, choice) {
		return h.confirmFirst(c, choice)
	}
	if _, wait := h.sockets.Take(actorOf(c).UserID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	value, err := h.valueToUse(c, choice)
	if err != nil {
		return err
	}
	ticket, err := h.Gateway.Ticket(c.Request().Context(), value, choice.Route)
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, middleware.DataPolicy)
	if errors.Is(err, models.ErrForbidden) {
		return c.JSON(http.StatusForbidden, map[string]string{"error": "The token is not good for this route. Choose another one."})
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]string{"url": socketOf(h.apiBase()) + choice.Route.Path + "?ticket=" + url.QueryEscape(ticket.Reveal())})
}

// socketOf is the address of WebSockets at an http or https address.
func socketOf(base string) string { return "ws" + strings.TrimPrefix(base, "http") }

// connecting lets a page with the editor open WebSockets of the gateway where that has a host
// of its own; those of this one are let in by 'self'.
func (h *Handlers) connecting(policy string) string {
	if h.Gateway.Host == "" {
		return policy
	}
	return strings.Replace(policy, "connect-src 'self'", "connect-src 'self' "+socketOf(h.apiBase()), 1)
}
