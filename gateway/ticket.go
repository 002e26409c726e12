package gateway

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// Ticket trades a token for what opens one WebSocket on a route: see tokens.Tickets. A token
// that is not good, or that lacks the route's scope, gets models.ErrForbidden, a route that
// takes no WebSockets models.ErrNotFound.
func (g *Gateway) Ticket(ctx context.Context, value models.Secret, route models.Upstream) (models.Secret, error) {
	if !route.WebSocket {
		return models.Secret{}, models.ErrNotFound
	}
	grant, err := g.Verifier.Inspect(ctx, value, "")
	var refused tokens.RefusedError
	if errors.As(err, &refused) || err == nil && route.Scope != "" && !hasScope(grant.Scopes, route.Scope) {
		return models.Secret{}, models.ErrForbidden
	}
	if err != nil {
		return models.Secret{}, err
	}
	return g.Tickets.Trade(ctx, grant, route.Path)
}
